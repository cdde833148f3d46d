/** @module What a VMM does with KVM_EXIT_ARM_SEA. Source: KVM api.rst 7.45; the reference VMM of this project. */
import type { ArmSeaRecord } from '../arm/record.ts';
import type { Facts } from './facts.ts';
import type { Ending, Run } from './prediction.ts';
import { defineRules } from './rule.ts';

export const VMM_RULES = defineRules(
  'vmm.sea',
  'Linux Documentation/virt/kvm/api.rst 7.45; this project, packages/vmm',
  {
    inject: [
      'A VMM that enabled the exit injects the abort into its guest (KVM_SET_VCPU_EVENTS, ext_dabt_pending); it may take the page out of the memory slot as well.',
      'observed',
    ],
  },
);

/** ESR_EL1 of the abort KVM gives a guest in user mode, and in its kernel: data abort, code 0x10 (Arm ARM D24.2.40). */
const GUEST_ESR = { user: 0x9200_0010n, kernel: 0x9600_0010n };

/** The exit, as a VMM gets it. */
export function vmmSea(record: ArmSeaRecord, facts: Facts, run: Run): Ending {
  const running = facts.get('running');
  run.note(VMM_RULES.inject, 'external abort at EL1');
  const far = record.gva ?? record.far;
  return {
    outcome: 'forwarded',
    rule: VMM_RULES.inject,
    handover: {
      consumer: 'linux',
      delivery: 'sea',
      record: {
        kind: 'arm-sea',
        esr: running === 'user' ? GUEST_ESR.user : GUEST_ESR.kernel,
        el: 1,
        ...(far === undefined ? {} : { far }),
        ...(record.gpa === undefined ? {} : { gpa: record.gpa }),
      },
      settings: { vendor: 'arm', platform: 'kvm', running },
    },
  };
}
