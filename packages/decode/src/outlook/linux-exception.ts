/** @module What the machine check exception handler of Linux does. Source: arch/x86/kernel/cpu/mce/core.c, 6.1 to 7.2. */
import { MCG_STATUS, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { isBroadcastFiller } from '../mca/vmm-made.ts';
import { passOn } from './case.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import { EVENTS_LOGGED, panicLines, recordLines } from './linux-messages.ts';
import { contextKeptBy, droppedBy, overflowGivenBy, switchedOffBy } from './linux-quirks.ts';
import { linuxSeverity } from './linux-severity.ts';
import { memoryFailure, signalled, tookAway } from './memory-failure.ts';
import type { Ending, Run } from './prediction.ts';
import { defineRules } from './rule.ts';
import { atMost, cpuContext } from './severity.ts';
import type { Grade, Severity } from './severity.ts';
import { usableAddress } from './usable-address.ts';
import { versionSince } from './version.ts';

export const EXCEPTION_RULES = defineRules('linux.mce', 'Linux arch/x86/kernel/cpu/mce/core.c do_machine_check()', {
  off: [
    'With machine checks off CR4.MCE is clear: a machine check shuts the CPU down.',
    'observed',
    'SDM vol. 3A, Interrupt 18, Machine-Check Exception (#MC)',
  ],
  nested: [
    'A machine check while MCIP is set shuts the CPU down; the kernel never sees it.',
    'observed',
    'SDM vol. 3B, IA32_MCG_STATUS MSR',
  ],
  local: ['A machine check of one CPU (LMCE, and every one on AMD) is handled by that CPU alone.', 'observed'],
  'local-fatal': ['A fatal grade of a local machine check panics at once.', 'observed'],
  'one-cpu': ['With one CPU nobody has to be waited for.', 'observed'],
  'rendezvous-timeout': [
    'The machine check was not broadcast: the other CPUs never enter the handler and the rendezvous times out (emulated CPUs count its time about five times too slow).',
    'observed',
  ],
  'rendezvous-late': ['Not all CPUs entered the handler within the rendezvous time, which slow CPUs can miss.'],
  'no-rendezvous': ['With a rendezvous time of 0 every CPU handles what it finds alone.', 'observed'],
  'fatal-alone': ['A fatal grade panics on the CPU that found it.', 'observed'],
  fatal: ['The monarch CPU panics on the worst grade of all CPUs.', 'observed'],
  'unknown-source': [
    'All CPUs took a machine check and none found an error to handle in its banks: Linux panics.',
    'observed',
  ],
  'not-signalled': [
    'With software error recovery a bank without S is skipped: it is not what was signalled.',
    'observed',
  ],
  'amd-no-s-bit': [
    'AMD records have no S bit. Where MCG_CAP.SER_P is set all the same (QEMU sets it; KVM on AMD takes it away, emulation does not) the bank is skipped: nothing is recovered and the process runs into the same memory again.',
    'observed',
  ],
  'not-uncorrected': ['Without software error recovery a bank without UC is skipped.'],
  filler: [
    'This is what QEMU gives the other CPUs of a broadcast: reporting is off, so it is not what was signalled. The record of the CPU that has the error decides.',
    'observed',
    'QEMU target/i386 cpu_x86_inject_mce()',
  ],
  'copy-signalled': [
    'Before 5.15 the process gets SIGBUS for a copy that the kernel made for it.',
    'read',
    'Linux 81065b35e248 (5.15 and stable releases of September 2021)',
  ],
  'left-for-poll': ['The grade is one the exception leaves for the poll.', 'observed'],
  cleared: ['The bank is cleared and not logged.'],
  resume: ['Nothing was consumed: the record is logged and the interrupted code goes on.', 'observed'],
  'kernel-returns': [
    'The kernel was interrupted without a restart address, and there is no error to handle: Linux returns all the same.',
  ],
  'no-restart': ['Without RIPV the interrupted task cannot go on: it is killed.', 'observed'],
  'kill-maybe': ['On return to the process its page is handed to memory_failure() with action required.', 'observed'],
  'kill-now': ['There is no address to act on: the process gets SIGBUS.'],
  unread: [
    'Linux reads MCi_ADDR and MCi_MISC of a bank only once its grade counts: of one that was skipped or cleared it has no address, and the interrupted task gets SIGBUS without one.',
    'observed',
  ],
  'not-recovered': ['The page could not be taken away: the process gets SIGBUS.'],
  'copy-fixup': ['The kernel leaves the copy with an error; the poisoned user page is taken away.'],
  seam: ['The TDX module ends the trust domain; the host goes on.'],
});

const R = EXCEPTION_RULES;

interface Scan {
  /** Worst grade that the scan of the banks counts. */
  worst: Grade;
  /** The record is left in its bank, where the poll finds it. */
  left: boolean;
}

function panic(run: Run, rule: (typeof R)[keyof typeof R], lines: string[]): Ending {
  run.print(...lines);
  return run.end('panicked', rule, (lines.at(-1) ?? '').replace('Kernel panic - not syncing: ', 'panic: '));
}

/** The rendezvous of all CPUs; an ending when it fails, else whether it took place. */
function rendezvous(facts: Facts, run: Run): Ending | { met: boolean } {
  const time = facts.get('monarchTimeout');
  if (time <= 0) {
    run.note(R['no-rendezvous'], 'no waiting');
    return { met: false };
  }
  if (facts.get('cpus') <= 1) {
    run.note(R['one-cpu'], 'rendezvous met');
    return { met: true };
  }
  const missing = 'Timeout: Not all CPUs entered broadcast exception handler';
  const alone = !facts.get('broadcast');
  // Real CPUs are fast enough; emulated ones have been seen to need more than a second.
  if (!alone && (facts.get('platform') !== 'tcg' || time >= 10_000_000 || facts.get('rendezvousMet')))
    return { met: true };
  run.print('mce: CPUs not responding to MCE broadcast (may include false positives): <cpus>');
  return panic(run, alone ? R['rendezvous-timeout'] : R['rendezvous-late'], panicLines(missing, undefined, '', facts));
}

/** The pass over the banks, here over the one bank that holds the record. */
function scan(record: McaCase, severity: Severity, facts: Facts, run: Run): Scan {
  const { grade } = severity;
  const fatal = grade === 'PANIC';
  const status = MCI_STATUS_INTEL.read(record.status);
  if (!status.VAL) return { worst: 'NO', left: false };
  const off = fatal ? undefined : switchedOffBy(record, facts);
  if (off !== undefined) {
    run.note(off, 'bank skipped');
    return { worst: 'NO', left: true };
  }
  if (!fatal) {
    const ser = facts.get('ser');
    if (!(ser ? status.S : status.UC)) {
      const amd = ser && facts.vendor() === 'amd' && status.UC;
      run.note(amd ? R['amd-no-s-bit'] : ser ? R['not-signalled'] : R['not-uncorrected'], 'bank skipped');
      return { worst: 'NO', left: true };
    }
    if (grade === 'KEEP' || grade === 'UCNA' || grade === 'DEFERRED') {
      run.note(R['left-for-poll'], 'bank skipped');
      return { worst: 'NO', left: true };
    }
    if (grade === 'NO') {
      run.note(R.cleared, 'bank cleared');
      return { worst: 'NO', left: false };
    }
  }
  return { worst: grade, left: false };
}

/** The bank stays as it is: the next poll finds it. */
function toPoll(record: McaCase, facts: Facts): NonNullable<Ending['handover']> {
  const polled = passOn(record, { mcgStatus: undefined });
  const { consumer, delivery: _, ...settings } = facts.context;
  return { consumer, delivery: 'poll', record: polled, settings };
}

/** The exception returns without having killed anybody. */
function resume(record: McaCase, found: Scan, facts: Facts, run: Run): Ending {
  if (found.worst === 'NO') {
    if (!found.left) return { outcome: 'none' };
    return { outcome: 'none', handover: toPoll(record, facts) };
  }
  run.note(R.resume, 'logged');
  run.print(EVENTS_LOGGED);
  const lines = recordLines(record, facts.get('mcgStatus'), facts);
  if (found.worst !== 'AO') {
    run.print(...lines);
    return { outcome: 'logged', rule: R.resume };
  }
  const { address, rule } = usableAddress(record, facts);
  run.note(rule, address === undefined ? 'no page' : address.text);
  if (address === undefined) {
    run.print(...lines);
    return { outcome: 'logged' };
  }
  const ending = memoryFailure(address, false, facts, run);
  if (!tookAway(ending) || facts.get('printAll')) run.print(...lines);
  return ending;
}

/** The interrupted task cannot simply go on. */
function act(record: McaCase, severity: Severity, found: Scan, facts: Facts, run: Run): Ending {
  const logged = found.worst !== 'NO';
  const usable = logged ? usableAddress(record, facts) : { address: undefined, rule: R.unread };
  if (logged) run.print(EVENTS_LOGGED);
  // A record whose page memory_failure() took away counts as handled and is not printed.
  const handled = found.worst === 'AO' && usable.address !== undefined && !facts.get('printAll');
  if (logged && !handled) run.print(...recordLines(record, facts.get('mcgStatus'), facts));
  const context = cpuContext(facts, true);
  const waiting = found.left ? { handover: toPoll(record, facts) } : {};
  if (context === 'kernel') {
    return found.worst === 'AR'
      ? run.end('logged', R.seam, severity.message)
      : { ...run.end(logged ? 'logged' : 'none', R['kernel-returns'], 'resumed'), ...waiting };
  }
  if (context === 'kernel-recoverable') {
    run.note(R['copy-fixup'], 'the system call fails');
    if (usable.address === undefined) return { outcome: logged ? 'logged' : 'none', ...waiting };
    if (!versionSince(facts.get('version'), '5.15')) {
      run.print(`mce: Uncorrected hardware memory error in user-access at ${usable.address.digits}`);
      memoryFailure(usable.address, false, facts, run);
      run.note(R['copy-signalled'], 'SIGBUS');
      return signalled(facts, run, 'BUS_MCEERR_AR');
    }
    run.print(`mce: Kernel accessed poison in user space at ${usable.address.digits}`);
    return memoryFailure(usable.address, false, facts, run);
  }
  if (found.worst !== 'AR') run.note(R['no-restart'], 'RIPV is clear');
  run.note(usable.rule, usable.address?.text ?? 'no page');
  if (usable.address === undefined) {
    run.note(R['kill-now'], 'SIGBUS');
    return { ...signalled(facts, run, 'SI_KERNEL'), ...waiting };
  }
  run.note(R['kill-maybe'], usable.address.text);
  run.print(`mce: Uncorrected hardware memory error in user-access at ${usable.address.digits}`);
  const ending = memoryFailure(usable.address, true, facts, run);
  if (!ending.failed) return ending;
  run.print('mce: Memory error not recovered');
  run.note(R['not-recovered'], 'SIGBUS');
  return signalled(facts, run, 'SI_KERNEL');
}

/** do_machine_check() for one record; the other banks are taken to be empty, or to hold QEMU's broadcast filler. */
export function linuxException(record: McaCase, facts: Facts, run: Run): Ending {
  if (facts.get('mceOff')) return run.end('reset', R.off, 'shutdown, the machine is reset');
  if (facts.context.mcip === true) return run.end('reset', R.nested, 'shutdown, the machine is reset');
  const dropped = droppedBy(facts);
  if (dropped !== undefined) {
    run.print('mce: Erratum detected, disable fast string copy instructions.');
    return run.end('none', dropped, 'the record is dropped');
  }
  const status = MCI_STATUS_INTEL.read(record.status);
  const kept = contextKeptBy(facts);
  if (kept !== undefined) run.note(kept, 'the interrupted context counts');
  const given = status.UC ? overflowGivenBy(facts) : undefined;
  if (given !== undefined) run.note(given, 'overflow recovery');
  const severity = linuxSeverity(record, facts, true);
  const { grade, message } = severity;
  run.note(severity.rule, `severity ${grade}${message === '' ? '' : `: ${message}`}`);
  const fatal = grade === 'PANIC';
  // Where some CPU is known not to take part, no record of it decides anything.
  const filler = isBroadcastFiller(record) && facts.given('broadcast') !== false;
  if (filler && facts.vendor() !== 'amd' && MCG_STATUS.read(facts.get('mcgStatus')).MCIP) {
    run.note(R.filler, 'nothing; the poll finds it later');
    return { outcome: 'none', rule: R.filler, ...(facts.get('ser') ? { handover: toPoll(record, facts) } : {}) };
  }
  const local = facts.vendor() === 'amd' || MCG_STATUS.read(facts.get('mcgStatus')).LMCE;
  if (local) {
    run.note(R.local, 'no rendezvous');
    if (fatal) return panic(run, R['local-fatal'], panicLines('Fatal local machine check', record, message, facts));
  }
  const meeting = local ? { met: false } : rendezvous(facts, run);
  if ('outcome' in meeting) return meeting;
  const found = scan(record, severity, facts, run);
  if (!local) {
    if (found.worst === 'PANIC') {
      const [rule, text] = meeting.met
        ? ([R.fatal, 'Fatal machine check'] as const)
        : ([R['fatal-alone'], 'Fatal machine check on current CPU'] as const);
      // The record was queued for logging before the monarch decides.
      return panic(run, rule, [EVENTS_LOGGED, ...panicLines(text, record, message, facts)]);
    }
    if (meeting.met && atMost(found.worst, 'KEEP')) {
      const lines = panicLines('Fatal machine check from unknown source', undefined, '', facts);
      return panic(run, R['unknown-source'], lines);
    }
  }
  const restart = MCG_STATUS.read(facts.get('mcgStatus')).RIPV;
  if (found.worst === 'AR' || !restart) return act(record, severity, found, facts, run);
  return resume(record, found, facts, run);
}
