/** @module What KVM does: with KVM_X86_SET_MCE, with poison its guest touches, with aborts of arm64 guests. */
import { ESR, ISS_DATA_ABORT } from '../arm/esr.ts';
import { classifyArm } from '../arm/classify.ts';
import { kvmExitOf } from '../arm/kvm.ts';
import type { ArmSeaRecord } from '../arm/record.ts';
import { MCG_CAP, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { passOn, valuesOf } from './case.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import type { Ending, Run } from './prediction.ts';
import { decide, defineRules } from './rule.ts';
import type { Decision } from './rule.ts';
import { versionSince } from './version.ts';

export const KVM_MCE_RULES = defineRules('kvm.set-mce', 'Linux arch/x86/kvm/x86.c kvm_vcpu_ioctl_x86_set_mce()', {
  invalid: ['A bank beyond MCG_CAP or a status without VAL is refused with EINVAL.', 'observed'],
  ucna: [
    'Uncorrected, not signalled, with MCG_STATUS 0: written into the bank; CMCI where the guest enabled it.',
    'observed',
  ],
  'reporting-off': ['With MCG_CTL or MCi_CTL not all ones an uncorrected error is dropped; the ioctl succeeds.'],
  shutdown: [
    'An uncorrected error while MCIP is set or CR4.MCE is clear shuts the guest down (KVM_EXIT_SHUTDOWN).',
    'observed',
  ],
  exception: ['An uncorrected error is written into the bank and queues #MC.'],
  bank: ['Any other error only changes the bank; MCG_STATUS is not written.', 'observed'],
  lost: ['The bank holds an uncorrected error: it gets OVER, the new one is lost.', 'observed'],
});

export const KVM_POISON_RULES = defineRules('kvm.poison', 'Linux virt/kvm, kvm_send_hwpoison_signal()', {
  sigbus: ['A vCPU that touches a poisoned page gets SIGBUS BUS_MCEERR_AR in its thread.', 'observed'],
});

export const KVM_SEA_RULES = defineRules('kvm.sea', 'Linux arch/arm64/kvm/mmu.c kvm_handle_guest_sea()', {
  claimed: ['Firmware left a record and APEI takes it: memory_failure() runs on the host, the VMM gets SIGBUS.'],
  'host-owns': [
    'The abort is one of the host’s own: no FEAT_RAS, or stage 2 of a stage 1 walk. The guest gets an SError.',
  ],
  'no-capability': ['The VMM did not enable KVM_CAP_ARM_SEA_TO_USER: the guest gets an SError.', 'observed'],
  'before-6.19': ['Before 6.19 KVM has no exit for it: the guest gets an SError.'],
  'same-level': [
    'An abort of the same exception level (EC 0x21, 0x25) is the kernel’s own: the exit of a guest has EC 0x20 or 0x24.',
    'read',
    'DDI 0487 D24.2.40, EC',
  ],
  exit: ['KVM leaves to the VMM with KVM_EXIT_ARM_SEA.', 'observed'],
});

interface Question {
  record: McaCase;
  facts: Facts;
  s: ReturnType<typeof MCI_STATUS_INTEL.decode>;
}

type Fate = 'refuse' | 'bank' | 'drop' | 'shutdown' | 'exception' | 'lost';

const M = KVM_MCE_RULES;
const FATES: readonly Decision<Question, Fate>[] = [
  {
    rule: M.invalid,
    when: q =>
      !q.s.VAL || q.record.bank < 0 || BigInt(Math.trunc(q.record.bank)) >= MCG_CAP.read(q.facts.get('mcgCap')).COUNT,
    gives: 'refuse',
  },
  {
    rule: M.ucna,
    when: q => q.s.UC && !q.s.PCC && !q.s.S && !q.s.AR && q.facts.get('mcgStatus') === 0n,
    gives: 'bank',
  },
  { rule: M['reporting-off'], when: q => q.s.UC && !q.facts.get('reportingEnabled'), gives: 'drop' },
  { rule: M.shutdown, when: q => q.s.UC && (q.facts.get('mcip') || !q.facts.get('cr4Mce')), gives: 'shutdown' },
  { rule: M.exception, when: q => q.s.UC, gives: 'exception' },
  {
    rule: M.lost,
    when: q => {
      const held = MCI_STATUS_INTEL.read(q.facts.get('bankStatus'));
      return held.VAL && held.UC;
    },
    gives: 'lost',
  },
  { rule: M.bank, when: () => true, gives: 'bank' },
];

const OVER = MCI_STATUS_INTEL.encode({ OVER: true });

/** The ioctl KVM_X86_SET_MCE. */
export function kvmSetMce(record: McaCase, facts: Facts, run: Run): Ending {
  const s = MCI_STATUS_INTEL.read(record.status);
  const fate = decide(FATES, { record, facts, s });
  const rule = fate?.rule ?? M.bank;
  switch (fate?.gives) {
    case 'refuse':
      return run.end('none', rule, 'EINVAL');
    case 'drop':
      return run.end('none', rule, 'dropped');
    case 'lost':
      return run.end('none', rule, 'the new record is lost');
    case 'shutdown':
      return run.end('reset', rule, 'KVM_EXIT_SHUTDOWN; a VMM resets the machine');
    default:
      break;
  }
  const exception = fate?.gives === 'exception';
  run.note(rule, exception ? '#MC' : 'waits in the bank');
  const over = MCI_STATUS_INTEL.read(facts.get('bankStatus')).VAL ? OVER : 0n;
  return {
    outcome: 'forwarded',
    rule,
    handover: {
      consumer: 'linux',
      delivery: exception ? 'exception' : 'poll',
      record: passOn(record, {
        status: valuesOf(record).status | over,
        mcgStatus: exception ? facts.get('mcgStatus') : undefined,
      }),
      settings: { platform: 'kvm', vendor: facts.vendor(), ...(exception ? { broadcast: false } : {}) },
    },
  };
}

/** A vCPU touches a page the host kernel took away. */
export function kvmPoison(gpa: bigint | undefined, facts: Facts, run: Run): Ending {
  run.note(KVM_POISON_RULES.sigbus, 'SIGBUS to the vCPU thread');
  return {
    outcome: 'forwarded',
    rule: KVM_POISON_RULES.sigbus,
    handover: {
      consumer: 'qemu',
      delivery: 'sigbus-ar',
      record: { kind: 'sigbus', code: 'BUS_MCEERR_AR', ...(gpa === undefined ? {} : { gpa }) },
      settings: { vendor: facts.vendor(), platform: 'kvm' },
    },
  };
}

const S = KVM_SEA_RULES;

/** DDI 0487 D24.2.40, EC: instruction and data aborts without a change of exception level. */
const SAME_LEVEL: ReadonlySet<bigint> = new Set([0x21n, 0x25n]);

/** Whether an abort was taken at its own exception level: the exit of a guest to EL2 never is. */
export function isOfSameLevel({ esr }: Pick<ArmSeaRecord, 'esr'>): boolean {
  return SAME_LEVEL.has(ESR.read(esr).EC);
}

/** A synchronous external abort an arm64 guest takes to EL2. */
export function kvmSea(record: ArmSeaRecord, facts: Facts, run: Run): Ending {
  if (isOfSameLevel(record)) return run.end('not-applicable', S['same-level'], 'the kernel’s own abort');
  if (facts.get('apeiClaims')) {
    run.note(S.claimed, 'memory_failure() with action required');
    return { ...kvmPoison(record.gpa, facts, run), rule: S.claimed };
  }
  const walk = classifyArm(record).class === 'sea-walk';
  const s1ptw = ISS_DATA_ABORT.read(ESR.read(record.esr).ISS).S1PTW;
  const serror = (rule: (typeof S)[keyof typeof S]): Ending => {
    run.note(rule, 'SError');
    return {
      outcome: 'forwarded',
      rule,
      handover: {
        consumer: 'linux',
        delivery: 'serror',
        // KVM pends it with an implementation defined syndrome (IDS).
        record: { kind: 'arm-sea', esr: 0xbf00_0000n, el: 1 },
        settings: { vendor: 'arm', platform: 'kvm' },
      },
    };
  };
  if (!facts.get('hostRas') || (walk && s1ptw)) return serror(S['host-owns']);
  if (!versionSince(facts.get('version'), '6.19')) return serror(S['before-6.19']);
  if (!facts.get('seaToUser')) return serror(S['no-capability']);
  run.note(S.exit, 'KVM_EXIT_ARM_SEA');
  const addresses = {
    ...(record.far === undefined ? {} : { far: record.far }),
    ...(record.gpa === undefined ? {} : { ipa: record.gpa }),
  };
  return {
    outcome: 'forwarded',
    rule: S.exit,
    handover: {
      consumer: 'vmm',
      delivery: 'sea',
      record: record.flags === undefined ? kvmExitOf({ esr: record.esr, ...addresses }) : record,
      settings: { vendor: 'arm', platform: 'kvm' },
    },
  };
}
