/** @module What Xen does with a machine check. Source: Xen xen/arch/x86/cpu/mcheck, 4.17 to 4.21. */
import { codeForm } from '../registers/code-form.ts';
import { errorCodeOf } from '../mca/mcacod.ts';
import { ADDRESS_MODE_PHYSICAL, MCG_STATUS, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { passOn, valuesOf } from './case.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import { hex } from './linux-messages.ts';
import type { Ending, Run } from './prediction.ts';
import { decide, defineRules } from './rule.ts';
import type { Decision, Rule } from './rule.ts';

const INTEL = 'Xen xen/arch/x86/cpu/mcheck/mce_intel.c';
const AMD = 'Xen xen/arch/x86/cpu/mcheck/mce_amd.c';

export const XEN_RULES = defineRules('xen', 'Xen xen/arch/x86/cpu/mcheck/mce.c', {
  'poll-virq': [
    'The poller (every 2 to 16 s) commits the record and raises VIRQ_MCA, which dom0 counts and fetches.',
    'observed',
    'Xen xen/arch/x86/cpu/mcheck/intel-nonfatal.c, amd_nonfatal.c',
  ],
  'poll-console': [
    'Without a dom0 for VIRQ_MCA the record is printed, and only from the tenth on.',
    'read',
    'Xen xen/arch/x86/cpu/mcheck/intel-nonfatal.c',
  ],
  'poll-empty': ['A bank without VAL holds nothing.'],
  'amd-address-bug': [
    'The poller asks what kind of address an AMD record has; a code that is no bus, memory or TLB error runs into BUG().',
    'observed',
    `${AMD} mc_amd_addrcheck()`,
  ],
  'amd-code-bug': [
    'An uncorrected AMD error whose code is no bus, memory or TLB error (code 0 is none) runs into BUG().',
    'observed',
    `${AMD} mc_amd_recoverable_scan()`,
  ],
  'no-error': ['No CPU finds a valid record: Xen resets the machine.'],
  pcc: ['With PCC the error is fatal.', 'observed'],
  'intel-corrected': ['A corrected error is no reason to stop.', 'read', INTEL],
  'intel-spurious': ['EN=0 without OVER did not cause the exception.', 'observed', INTEL],
  'intel-srar': ['Action required without lost events can be recovered from.', 'observed', INTEL],
  'intel-srao': ['Action optional can be recovered from.', 'observed', INTEL],
  'intel-ucna': ['Not consumed, not signalled, no action required: no reason to stop.', 'observed', INTEL],
  'intel-fatal': ['Any other uncorrected Intel error is fatal.', 'read', INTEL],
  'amd-corrected': ['What is not uncorrected is no reason to stop.', 'read', AMD],
  'amd-memory': ['A memory error can be recovered from.', 'read', AMD],
  'amd-fatal': ['A bus or TLB error is fatal.', 'read', AMD],
  'no-restart': ['Without RIPV the interrupted code cannot go on: fatal unless it was a guest and EIPV is set.'],
  hang: ['Without broadcast the other CPUs never come to the rendezvous: Xen waits for ever.', 'observed'],
  'srar-unknown': [
    'Action required with a code other than data load or instruction fetch: Xen resets the machine.',
    'observed',
    INTEL,
  ],
  'no-address': ['Without a physical address there is nothing to take away.', 'read', INTEL],
  continue: ['The record is printed, VIRQ_MCA tells dom0, and nothing is stopped.', 'observed'],
  'page-offline': [
    'The page is taken away and every vCPU of the domain that owns it gets a virtual machine check: in bank 1, with the address the domain knows the page by.',
    'observed',
    'Xen xen/arch/x86/cpu/mcheck/mcaction.c',
  ],
  'domain-crash': [
    'Xen cannot take a page away from a PV domain other than dom0, whose page tables it does not hold: it crashes the domain.',
    'observed',
    'Xen xen/arch/x86/cpu/mcheck/mcaction.c mc_memerr_dhandler(), vmce.c unmmap_broken_page()',
  ],
  'amd-no-handler': [
    'Recovery of pages is Intel’s alone: of an AMD memory error the record is printed and dom0 is told, the page stays, and the domain that has it never learns of it.',
    'observed',
    `${AMD}; Xen xen/arch/x86/cpu/mcheck/mce_intel.c intel_init_mce(), which registers the only handlers`,
  ],
  'page-free': ['The page belongs to no domain and is taken away.', 'read', 'Xen xen/arch/x86/cpu/mcheck/mcaction.c'],
  'not-recovered': [
    'The page is Xen’s own: the error cannot be recovered from.',
    'read',
    'Xen xen/arch/x86/cpu/mcheck/mcaction.c',
  ],
});

const R = XEN_RULES;

/** The bank of a virtual machine check; domains see two banks and SER_P (MCG_CAP 0x1000c02). */
const VMCE_BANK = 1;

/** Bits of an AMD error code say what it is, bus, memory or TLB, and are asked in this order: none of them, and memory. */
const KINDLESS = codeForm('xxxx 0xx0 xxx0 xxxx');
const MEMORY = codeForm('xxxx 0xx1 xxxx xxxx');
const SCRUB = codeForm('0000 0000 1100 CCCC');

function kindless(record: McaCase): boolean {
  return KINDLESS.has(errorCodeOf(record.status));
}

function bug(run: Run, rule: Rule): Ending {
  run.print('Xen BUG at arch/x86/cpu/mcheck/mce_amd.c:<line>', 'Panic on CPU <cpu>:');
  return run.end('panicked', rule, 'Xen BUG');
}

/** The record as Xen dumps it: numbers right-aligned in 16 columns. */
function dump(seen: McaCase, facts: Facts): string[] {
  const record = valuesOf(seen);
  const s = MCI_STATUS_INTEL.read(record.status);
  const wide = (value: bigint): string => value.toString(16).padStart(16);
  const misc = s.MISCV ? `[${wide(record.misc ?? 0n)}]` : '';
  const addr = s.ADDRV ? ` at ${wide(record.addr ?? 0n)}` : '';
  return [
    `CPU${record.cpu ?? 0}: Machine Check Exception: ${wide(facts.get('mcgStatus'))}`,
    `Bank ${record.bank}: ${wide(record.status)}${misc}${addr}`,
  ];
}

/** A machine check that is fatal by its record. */
function fatal(record: McaCase, facts: Facts, run: Run, rule: Rule): Ending {
  // A hexadecimal bitmap of CPUs, not a number.
  const cpu = Math.min(Math.max(Math.trunc(valuesOf(record).cpu ?? 0), 0), 4095);
  const bitmap = (1n << BigInt(cpu)).toString(16);
  run.print(
    MCI_STATUS_INTEL.read(record.status).VAL
      ? `Fatal machine check: MCE: Fatal error happened on CPUs ${bitmap}`
      : 'Fatal machine check: MCE: No CPU found valid MCE, need reset',
    ...dump(record, facts),
    'Panic on CPU <cpu>:',
    'HARDWARE ERROR',
    'Reboot in five seconds...',
  );
  return run.end('panicked', rule, 'Xen reboots the machine');
}

/** A machine check that could have been recovered from, and was not. */
function failed(record: McaCase, facts: Facts, run: Run, rule: Rule): Ending {
  run.print(
    ...dump(record, facts),
    'Panic on CPU <cpu>:',
    'MCE: Software recovery failed for the UCR',
    'Reboot in five seconds...',
  );
  return run.end('panicked', rule, 'Xen reboots the machine');
}

/** Nothing is stopped: the record is printed and dom0 is told. */
function goOn(record: McaCase, facts: Facts, run: Run, rule: Rule, effect: string): Ending {
  run.print(...dump(record, facts));
  return run.end('logged', rule, effect);
}

type Recovery = 'fatal' | 'page' | 'continue';

interface Question {
  record: McaCase;
  facts: Facts;
  s: ReturnType<typeof MCI_STATUS_INTEL.decode>;
}

const RECOVERY: Record<'intel' | 'amd', readonly Decision<Question, Recovery>[]> = {
  intel: [
    { rule: R.pcc, when: q => q.s.PCC, gives: 'fatal' },
    { rule: R['intel-corrected'], when: q => !q.s.UC, gives: 'continue' },
    { rule: R['intel-spurious'], when: q => q.facts.get('ser') && !q.s.EN && !q.s.OVER, gives: 'continue' },
    {
      rule: R['intel-srar'],
      when: q => q.facts.get('ser') && q.s.EN && q.s.S && q.s.AR && !q.s.OVER,
      gives: 'page',
    },
    { rule: R['intel-srao'], when: q => q.facts.get('ser') && q.s.EN && q.s.S && !q.s.AR, gives: 'page' },
    {
      rule: R['intel-ucna'],
      when: q => q.facts.get('ser') && q.s.EN && !q.s.S && !q.s.AR && !q.s.OVER,
      gives: 'continue',
    },
    { rule: R['intel-fatal'], when: () => true, gives: 'fatal' },
  ],
  amd: [
    { rule: R['amd-code-bug'], when: q => q.s.UC && kindless(q.record), gives: 'fatal' },
    { rule: R.pcc, when: q => q.s.PCC, gives: 'fatal' },
    { rule: R['amd-corrected'], when: q => !q.s.UC, gives: 'continue' },
    {
      rule: R['amd-memory'],
      when: q => MEMORY.has(errorCodeOf(q.record.status)),
      gives: 'page',
    },
    { rule: R['amd-fatal'], when: () => true, gives: 'fatal' },
  ],
};

/** Codes Intel's recovery acts on: scrubbing, last level cache write back, data load, instruction fetch. */
function actsOn(record: McaCase): boolean {
  const code = errorCodeOf(record.status);
  return SCRUB.has(code) || code === 0x017a || code === 0x0134 || code === 0x0150;
}

/** Whether Xen takes the address for a physical one. */
function physical(record: McaCase): boolean {
  const s = MCI_STATUS_INTEL.read(record.status);
  if (!s.ADDRV || record.addr === undefined) return false;
  return s.MISCV && record.misc?.MODE === ADDRESS_MODE_PHYSICAL;
}

/** Takes the page away. */
function offline(record: McaCase, facts: Facts, run: Run): Ending {
  if (facts.vendor() === 'amd') return goOn(record, facts, run, R['amd-no-handler'], 'VIRQ_MCA to dom0');
  const s = MCI_STATUS_INTEL.read(record.status);
  const required = s.S && s.AR;
  // What cannot be recovered from is fatal when it was consumed, and only logged when it was not.
  const lost = (rule: Rule): Ending =>
    required ? failed(record, facts, run, rule) : goOn(record, facts, run, rule, 'logged');
  if (!actsOn(record)) return lost(required ? R['srar-unknown'] : R.continue);
  if (!physical(record)) return lost(R['no-address']);
  const page = facts.get('page');
  const address = hex(valuesOf(record).addr ?? 0n);
  if (page === 'free' || page === 'poisoned') return run.end('logged', R['page-free'], address);
  if (page !== 'user' && page !== 'clean') return lost(R['not-recovered']);
  if (facts.get('owner') === 'pv') {
    run.print(
      'MCE: This error page is ownded by DOM <domain>',
      'Unmap broken memory <frame> for DOM<domain> failed',
      'domain_crash called from arch/x86/cpu/mcheck/mcaction.c:<line>',
    );
    return run.end('domain-crashed', R['domain-crash'], address);
  }
  run.note(R['page-offline'], address);
  run.print(
    'MCE: This error page is ownded by DOM <domain>',
    'MCE: inject vMCE to <vcpu>',
    'MCE: send MCE# to DOM0 through virq',
  );
  return {
    outcome: 'forwarded',
    rule: R['page-offline'],
    handover: {
      consumer: 'linux',
      delivery: 'exception',
      record: passOn(record, { bank: VMCE_BANK }),
      settings: { platform: 'bare-metal', broadcast: true, ser: true },
    },
  };
}

/** A machine check exception, or a polled bank, of the machine Xen runs on. */
export function xen(record: McaCase, polled: boolean, facts: Facts, run: Run): Ending {
  const s = MCI_STATUS_INTEL.read(record.status);
  const amd = facts.vendor() === 'amd';
  if (polled) {
    if (!s.VAL) return run.end('none', R['poll-empty'], 'nothing');
    if (amd && s.ADDRV && s.MISCV && kindless(record)) return bug(run, R['amd-address-bug']);
    return facts.get('dom0Registered')
      ? run.end('logged', R['poll-virq'], 'VIRQ_MCA to dom0')
      : run.end('none', R['poll-console'], 'nothing for the first nine');
  }
  if (amd && s.VAL && s.UC && kindless(record)) return bug(run, R['amd-code-bug']);
  const local = amd || MCG_STATUS.read(facts.get('mcgStatus')).LMCE;
  if (!local && facts.get('cpus') > 1 && !facts.get('broadcast')) return run.end('hung', R.hang, 'Xen waits for ever');
  if (!s.VAL) return fatal(record, facts, run, R['no-error']);
  const recovery = decide(RECOVERY[amd ? 'amd' : 'intel'], { record, facts, s });
  const rule = recovery?.rule ?? R['intel-fatal'];
  if (recovery?.gives !== 'page' && recovery?.gives !== 'continue') return fatal(record, facts, run, rule);
  run.note(rule, recovery.gives === 'page' ? 'recoverable' : 'nothing to do');
  const { RIPV, EIPV } = MCG_STATUS.read(facts.get('mcgStatus'));
  if (!RIPV && (!EIPV || facts.get('running') !== 'user')) return fatal(record, facts, run, R['no-restart']);
  return recovery.gives === 'page'
    ? offline(record, facts, run)
    : goOn(record, facts, run, R.continue, 'VIRQ_MCA to dom0');
}
