/** @module What Linux does with a bank it polls. Source: arch/x86/kernel/cpu/mce/core.c machine_check_poll(), amd.c. */
import { INTEL_FORMS, errorCodeOf } from '../mca/mcacod.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { destatMsr } from '../mca/smca-msr.ts';
import { mcaCase, passOn, valuesOf } from './case.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import { fromFirmware } from './context.ts';
import { EVENTS_LOGGED, hex, recordLines } from './linux-messages.ts';
import { bootLogOff, filteredBy, QUIRK_RULES, switchedOffBy, unreportedBy } from './linux-quirks.ts';
import { linuxSeverity } from './linux-severity.ts';
import { memoryFailure, tookAway } from './memory-failure.ts';
import type { Ending, Run } from './prediction.ts';
import { decide, defineRules } from './rule.ts';
import type { Decision } from './rule.ts';
import { usableAddress } from './usable-address.ts';
import { versionIn } from './version.ts';

export const POLL_RULES = defineRules('linux.poll', 'Linux arch/x86/kernel/cpu/mce/core.c machine_check_poll()', {
  off: ['With mce=off nobody looks into the banks.'],
  ignored: ['With mce=ignore_ce the banks are not polled.', 'observed'],
  empty: ['A bank without VAL holds nothing.'],
  interrupt: [
    'Linux looks into the bank at once: CMCI of Intel, or the threshold or deferred error interrupt of AMD. A guest of QEMU has none of them.',
    'read',
    'Linux arch/x86/kernel/cpu/mce/intel.c intel_threshold_interrupt(), amd.c',
  ],
  boot: [
    'What a bank holds from before the kernel started is logged, whatever it is: MCG_STATUS 0 says that no exception brought it.',
    'observed',
    'Linux arch/x86/kernel/cpu/mce/core.c mcheck_cpu_init(), MCP_UC',
  ],
  firmware: [
    'Bank 255 is none: it is Linux’s own copy of a record from firmware. It is logged, and what is done about the page follows from the firmware record.',
    'read',
    'Linux arch/x86/kernel/cpu/mce/apei.c apei_mce_report_mem_error()',
  ],
  'deferred-register': [
    'An SMCA bank whose MCA_STATUS is empty may hold a deferred error in MCA_DESTAT, which is logged instead.',
  ],
  smca: ['On a scalable MCA CPU whatever is valid is logged.'],
  corrected: ['An error that is not uncorrected is logged and cleared.', 'observed'],
  'no-ser': ['Without software error recovery an uncorrected error is left for the exception handler.'],
  'not-enabled': ['An uncorrected error whose reporting was off (EN=0) is logged.', 'observed'],
  'not-signalled': ['An uncorrected error that was not signalled (S=0, PCC=0) is logged.', 'observed'],
  'left-for-exception': [
    'An uncorrected error that was signalled, or with PCC, is left for the exception handler.',
    'observed',
  ],
  'not-logged': ['With mce=dont_log_ce an error without a usable address is cleared and not logged.', 'observed'],
  'hand-over': [
    'Deferred, not consumed or action optional, with a usable address: the page goes to memory_failure().',
    'observed',
    'Linux arch/x86/kernel/cpu/mce/core.c uc_decode_notifier()',
  ],
  cec: [
    'The corrected errors collector (CONFIG_RAS_CEC) counts a corrected memory error and keeps it off the console.',
    'observed',
    'Linux drivers/ras/cec.c',
  ],
});

/** Kernels whose poll clears an SMCA register on every AMD CPU. Distributions may have carried the fix back. */
const DESTAT_CRASH_RANGES = [
  { from: '6.19-rc1', to: '6.19.9' },
  { from: '7.0-rc1', to: '7.0-rc4' },
] as const;

const DESTAT_SOURCE =
  'Linux 7cb735d7c0cb (6.19) arch/x86/kernel/cpu/mce/amd.c amd_clear_bank(); fixed by 201bc182ad63 (7.0-rc5, 6.19.10)';

export const DESTAT_RULES = defineRules('linux.amd-destat', DESTAT_SOURCE, {
  crash: [
    'Clearing a deferred error writes MCA_DESTAT, which only SMCA CPUs have: the write faults and the kernel panics.',
    'observed',
  ],
  silent: ['The write to MCA_DESTAT goes nowhere: this platform ignores writes to unknown MSRs.'],
  smca: ['MCA_DESTAT exists on an SMCA CPU and is cleared.'],
});

interface Question {
  record: McaCase;
  facts: Facts;
  s: ReturnType<typeof MCI_STATUS_INTEL.decode>;
}

const FOUND: Readonly<Record<string, string> & { poll: string }> = {
  poll: 'found within the check interval (300 s unless changed)',
  cmci: 'found at once, by CMCI',
  interrupt: 'found at once, by interrupt',
  boot: 'found when the kernel starts',
  firmware: 'logged with the firmware record',
};

const NOT_LOGGED = { leave: 'left in the bank', nothing: 'nothing', drop: 'cleared' } as const;

/** A corrected memory error with an address the collector can count. Source: Linux drivers/ras/cec.c cec_notifier(). */
function collected(record: McaCase, facts: Facts): boolean {
  const { UC, ADDRV } = MCI_STATUS_INTEL.read(record.status);
  if (UC || !ADDRV) return false;
  const code = errorCodeOf(record.status);
  const memory =
    facts.vendor() === 'amd'
      ? !facts.get('smca') && record.bank === 4 && MCI_STATUS_AMD.read(record.status).XEC === 8n
      : INTEL_FORMS.memory.has(code) || INTEL_FORMS.cache.has(code) || INTEL_FORMS.genericCache.has(code);
  return memory && usableAddress(record, facts).address !== undefined;
}

type LogIt = 'log' | 'leave' | 'nothing' | 'drop';

const R = POLL_RULES;
const Q = QUIRK_RULES;
const SHOULD_LOG: readonly Decision<Question, LogIt>[] = [
  { rule: R.off, when: q => q.facts.get('mceOff'), gives: 'leave' },
  { rule: R.empty, when: q => !q.s.VAL, gives: 'nothing' },
  { rule: R.firmware, when: q => fromFirmware(q.record), gives: 'log' },
  { rule: Q['k7-bank-0'], when: q => switchedOffBy(q.record, q.facts) !== undefined, gives: 'leave' },
  { rule: Q['gart-off'], when: q => unreportedBy(q.record, q.facts) !== undefined, gives: 'leave' },
  {
    rule: Q['no-bootlog'],
    when: q => q.facts.get('delivery') === 'boot' && bootLogOff(q.facts) !== undefined,
    gives: 'drop',
  },
  { rule: R.boot, when: q => q.facts.get('delivery') === 'boot', gives: 'log' },
  { rule: R.ignored, when: q => q.facts.get('ignoreCe'), gives: 'leave' },
  { rule: R.smca, when: q => q.facts.vendor() === 'amd' && q.s.UC && q.facts.get('smca'), gives: 'log' },
  { rule: R.corrected, when: q => !q.s.UC, gives: 'log' },
  { rule: R['no-ser'], when: q => !q.facts.get('ser'), gives: 'leave' },
  { rule: R['not-enabled'], when: q => !q.s.EN, gives: 'log' },
  { rule: R['not-signalled'], when: q => !q.s.PCC && !q.s.S, gives: 'log' },
  { rule: R['left-for-exception'], when: () => true, gives: 'leave' },
];

/** Clearing the bank; an ending when the kernel does not survive it. */
function clear(record: McaCase, facts: Facts, run: Run): Ending | undefined {
  if (facts.vendor() !== 'amd' || !MCI_STATUS_AMD.read(record.status).DEFERRED) return undefined;
  if (!versionIn(facts.get('version'), DESTAT_CRASH_RANGES)) return undefined;
  if (facts.get('smca')) {
    run.note(DESTAT_RULES.smca, 'cleared');
    return undefined;
  }
  const platform = facts.get('platform');
  // TCG drops such a write; KVM answers with #GP unless told otherwise, and so does a CPU that lacks the register.
  if (platform === 'tcg' || (platform === 'kvm' && facts.get('ignoreMsrs'))) {
    run.note(DESTAT_RULES.silent, 'nothing happens');
    return undefined;
  }
  const msr = destatMsr(record.bank).toString(16);
  run.print(
    `mce: MSR access error: WRMSR to 0x${msr} (tried to write 0x0000000000000000) at rIP: <address>`,
    'Kernel panic - not syncing: MCA architectural violation!',
  );
  return run.end('panicked', DESTAT_RULES.crash, `WRMSR to 0x${msr} faults`);
}

/** The deferred error of an SMCA bank whose MCA_STATUS is empty. */
function deferredRegister(record: McaCase, facts: Facts, run: Run): McaCase | undefined {
  const { destat } = record;
  if (destat === undefined || facts.vendor() !== 'amd' || MCI_STATUS_AMD.read(record.status).VAL) return undefined;
  const deferred = MCI_STATUS_AMD.read(destat);
  if (!deferred.VAL || !deferred.DEFERRED || !facts.get('smca')) return undefined;
  run.note(R['deferred-register'], hex(destat));
  const { deaddr, addr } = valuesOf(record);
  return mcaCase(passOn(record, { status: destat, addr: deaddr ?? addr }));
}

/** machine_check_poll() of the bank that holds `record`. */
export function linuxPoll(polled: McaCase, facts: Facts, run: Run): Ending {
  const record = deferredRegister(polled, facts, run) ?? polled;
  const s = MCI_STATUS_INTEL.read(record.status);
  const found = decide(SHOULD_LOG, { record, facts, s });
  const rule = found?.rule ?? R['left-for-exception'];
  if (found?.gives !== 'log') return run.end('none', rule, NOT_LOGGED[found?.gives ?? 'leave']);
  const filtered = filteredBy(record, facts);
  if (filtered !== undefined) return run.end('none', filtered, NOT_LOGGED.drop);
  const delivery = facts.get('delivery');
  run.note(rule, FOUND[rule === R.firmware ? 'firmware' : delivery] ?? FOUND.poll);
  if (delivery === 'cmci' || delivery === 'interrupt') run.note(R.interrupt, 'no waiting for the poll');
  if (rule === R.firmware) {
    run.print(EVENTS_LOGGED, ...recordLines(record, 0n, facts));
    return { outcome: 'logged', rule };
  }
  const severity = linuxSeverity(record, facts, false);
  run.note(severity.rule, `severity ${severity.grade}${severity.message === '' ? '' : `: ${severity.message}`}`);
  const act = severity.grade === 'AO' || severity.grade === 'UCNA' || severity.grade === 'DEFERRED';
  const dontLog = facts.get('dontLogCe');
  const usable = act || dontLog ? usableAddress(record, facts) : undefined;
  if (dontLog && usable?.address === undefined) {
    const crash = clear(record, facts, run);
    return crash ?? run.end('none', R['not-logged'], 'cleared');
  }
  run.print(EVENTS_LOGGED);
  let ending: Ending & { failed?: true } = { outcome: 'logged', rule };
  const crash = clear(record, facts, run);
  if (crash !== undefined) return crash;
  let handled = false;
  if (act && usable !== undefined) {
    run.note(usable.rule, usable.address?.text ?? 'no page');
    if (usable.address !== undefined) {
      run.note(R['hand-over'], usable.address.text);
      ending = memoryFailure(usable.address, false, facts, run);
      handled = tookAway(ending);
    }
  } else if (collected(record, facts)) {
    run.note(R.cec, 'the record is missing on the console');
    handled = true;
  }
  if (!handled || facts.get('printAll')) run.print(...recordLines(record, 0n, facts, delivery === 'poll'));
  return ending;
}
