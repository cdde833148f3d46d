/** @module What a VMM does with KVM_EXIT_ARM_SEA. Source: KVM api.rst 7.45; the reference VMM of this project. */
import type { ArmSeaRecord } from '../arm/record.ts';
import { KVM_ABORT } from '../arm/vmm-made.ts';
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
        esr: running === 'user' ? KVM_ABORT.user : KVM_ABORT.kernel,
        el: 1,
        ...(far === undefined ? {} : { far }),
        ...(record.gpa === undefined ? {} : { gpa: record.gpa }),
      },
      settings: { vendor: 'arm', platform: 'kvm', running },
    },
  };
}
