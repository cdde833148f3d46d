/** @module What QEMU does with a machine check given to a virtual CPU. Source: QEMU target/i386, 7.2 to 11.1. */
import { MCG_CAP, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { QEMU_BROADCAST_FILLER } from '../mca/vmm-made.ts';
import { mcaCase, passOn, valuesOf } from './case.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import type { Ending, Run } from './prediction.ts';
import { decide, defineRules } from './rule.ts';
import type { Decision, Rule } from './rule.ts';
import { versionSince } from './version.ts';

export const QEMU_HMP_RULES = defineRules('qemu.hmp', 'QEMU target/i386 cpu_x86_inject_mce()', {
  'no-mca': ['A virtual CPU without machine check banks takes none.'],
  'bad-bank': ['The bank number is not below the count in MCG_CAP.'],
  'not-valid': ['A status without VAL is refused.'],
  'no-broadcast': ['Broadcast (-b) is refused for AMD guests since QEMU 9.1.'],
});

export const QEMU_INJECT_RULES = defineRules('qemu.inject', 'QEMU target/i386 do_inject_x86_mce()', {
  'ignore-recursive': [
    'An action optional error that comes by SIGBUS while MCIP is set is dropped.',
    'read',
    'QEMU target/i386 do_inject_x86_mce(), without MCE_INJECT_UNCOND_AO',
  ],
  'reporting-off': ['With MCG_CTL or MCi_CTL not all ones an uncorrected error is dropped without an event.'],
  'mce-off': ['An uncorrected error while CR4.MCE is clear resets the machine.', 'observed'],
  'still-in-progress': ['An uncorrected error while MCIP is set resets the machine.', 'observed'],
  exception: ['An uncorrected error is written into the bank and raises #MC.', 'observed'],
  overwritten: ['The bank held a valid error: the new one gets OVER.', 'observed'],
  bank: [
    'A corrected or deferred error only changes the bank: no #MC, no CMCI, MCG_STATUS is not written.',
    'observed',
  ],
  lost: ['The bank holds an uncorrected error: the new one is lost, the old one gets OVER.'],
  'others-uncorrected': [
    'With -b every other CPU gets VAL and UC in its bank 1, also where the error sent to the first one is corrected.',
    'read',
    'QEMU target/i386 cpu_x86_inject_mce()',
  ],
});

const VAL_OVER = MCI_STATUS_INTEL.encode({ OVER: true });

interface Hmp {
  record: McaCase;
  facts: Facts;
}

const H = QEMU_HMP_RULES;
const HMP_CHECKS: readonly Decision<Hmp, string>[] = [
  { rule: H['no-mca'], when: q => q.facts.get('mcgCap') === 0n, gives: 'MCE injection not supported' },
  {
    rule: H['bad-bank'],
    when: q => q.record.bank < 0 || BigInt(Math.trunc(q.record.bank)) >= MCG_CAP.read(q.facts.get('mcgCap')).COUNT,
    gives: 'Invalid MCE bank number',
  },
  {
    rule: H['not-valid'],
    when: q => !MCI_STATUS_INTEL.read(q.record.status).VAL,
    gives: 'Invalid MCE status code',
  },
  {
    rule: H['no-broadcast'],
    when: q =>
      q.facts.vendor() === 'amd' && q.facts.get('broadcast', false) && versionSince(q.facts.get('version'), '9.1'),
    gives: 'Guest CPU does not support MCA broadcast',
  },
];

/** The monitor command `mce`. */
export function qemuHmp(record: McaCase, facts: Facts, run: Run): Ending {
  const refused = decide(HMP_CHECKS, { record, facts });
  if (refused !== undefined) {
    run.print(refused.gives);
    return run.end('none', refused.rule, 'refused');
  }
  // Where nobody says whether -b is given, the guest's own table does.
  const broadcast = facts.given('broadcast') ?? (facts.vendor() === 'amd' ? false : undefined);
  return qemuInject(record, facts, run, {
    keepActionOptional: true,
    ...(broadcast === undefined ? {} : { broadcast }),
  });
}

interface InjectOptions {
  /** Inject action optional errors even while MCIP is set. */
  keepActionOptional: boolean;
  /** The other CPUs get MCIP and RIPV, with VAL and UC in bank 1; missing where it is not known. */
  broadcast?: boolean;
}

interface Question {
  record: McaCase;
  facts: Facts;
  s: ReturnType<typeof MCI_STATUS_INTEL.decode>;
  options: InjectOptions;
}

type Fate = 'ignore' | 'drop' | 'reset' | 'exception' | 'bank' | 'lost';

const R = QEMU_INJECT_RULES;
const held = (q: Question): ReturnType<typeof MCI_STATUS_INTEL.decode> =>
  MCI_STATUS_INTEL.read(q.facts.get('bankStatus'));

const FATES: readonly Decision<Question, Fate>[] = [
  {
    rule: R['ignore-recursive'],
    when: q => !q.options.keepActionOptional && !q.s.AR && q.facts.get('mcip'),
    gives: 'ignore',
  },
  { rule: R['reporting-off'], when: q => q.s.UC && !q.facts.get('reportingEnabled'), gives: 'drop' },
  { rule: R['mce-off'], when: q => q.s.UC && !q.facts.get('cr4Mce'), gives: 'reset' },
  { rule: R['still-in-progress'], when: q => q.s.UC && q.facts.get('mcip'), gives: 'reset' },
  { rule: R.exception, when: q => q.s.UC, gives: 'exception' },
  { rule: R.lost, when: q => held(q).VAL && held(q).UC, gives: 'lost' },
  { rule: R.bank, when: () => true, gives: 'bank' },
];

const RESET_TEXT: ReadonlyMap<Rule, string> = new Map([
  [R['mce-off'], 'MCE capability is not enabled, raising triple fault'],
  [R['still-in-progress'], 'Previous MCE still in progress, raising triple fault'],
]);

/** Writes a record into a virtual CPU; the handover is what its kernel finds. */
export function qemuInject(record: McaCase, facts: Facts, run: Run, options: InjectOptions): Ending {
  const s = MCI_STATUS_INTEL.read(record.status);
  if (!s.UC && options.broadcast === true && facts.get('cpus') > 1) {
    run.note(R['others-uncorrected'], 'the corrected error of the first CPU is the lesser part');
    const cpu = valuesOf(record).cpu === 0 ? 1 : 0;
    const others = mcaCase({ kind: record.kind, cpu, ...QEMU_BROADCAST_FILLER });
    // The first CPU takes no #MC, so that not all of them do.
    return qemuInject(others, facts, run, { ...options, broadcast: false });
  }
  const fate = decide(FATES, { record, facts, s, options });
  const rule = fate?.rule ?? R.bank;
  const recursive = facts.given('mcip') ?? false;
  const memoryFailure = (action: string): void =>
    run.event('MEMORY_FAILURE', { recipient: 'guest', action, 'action-required': s.AR, recursive });
  const cpu = valuesOf(record).cpu ?? 0;
  switch (fate?.gives) {
    case 'ignore':
      memoryFailure('ignore');
      return run.end('none', rule, 'dropped');
    case 'drop':
      run.print(`CPU ${cpu}: Uncorrected error reporting disabled`);
      return run.end('none', rule, 'dropped');
    case 'reset':
      memoryFailure('reset');
      run.event('RESET', { guest: true, reason: 'guest-reset' });
      run.print(`CPU ${cpu}: ${RESET_TEXT.get(rule) ?? ''}`);
      return run.end('reset', rule, 'the machine is reset');
    case 'lost':
      memoryFailure('inject');
      return run.end('none', rule, 'the new record is lost');
    default:
      break;
  }
  memoryFailure('inject');
  run.note(rule, fate?.gives === 'exception' ? '#MC' : 'waits in the bank');
  const overwrites = MCI_STATUS_INTEL.read(facts.get('bankStatus')).VAL;
  if (overwrites) run.note(R.overwritten, 'OVER');
  // Of a record that QEMU made of a signal it is QEMU's own.
  const mcgStatus = record === facts.record ? undefined : record.mcgStatus;
  const vendor = facts.vendor() === 'amd' ? ('amd' as const) : ('intel' as const);
  const { status: held } = valuesOf(record);
  const status = overwrites ? held | VAL_OVER : held;
  const exception = fate?.gives === 'exception';
  return {
    outcome: 'forwarded',
    rule,
    handover: {
      consumer: 'linux',
      delivery: exception ? 'exception' : 'poll',
      record: passOn(record, {
        cpu,
        vendor,
        status,
        mcgStatus: exception ? (mcgStatus ?? facts.get('mcgStatus')) : undefined,
      }),
      settings: {
        platform: facts.get('platform'),
        ...(exception && options.broadcast !== undefined ? { broadcast: options.broadcast } : {}),
        mcgCap: facts.get('mcgCap'),
      },
    },
  };
}
