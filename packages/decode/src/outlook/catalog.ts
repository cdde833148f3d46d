/** @module Every rule of the room, by id. */
import { KVM_MCE_RULES, KVM_POISON_RULES, KVM_SEA_RULES } from './kvm.ts';
import { SEA_RULES, SERROR_RULES } from './linux-arm64.ts';
import { CXL_RULES } from './linux-cxl.ts';
import { EXCEPTION_RULES } from './linux-exception.ts';
import { GHES_RULES } from './linux-ghes.ts';
import { DESTAT_RULES, POLL_RULES } from './linux-poll.ts';
import { MEMORY_FAILURE_RULES, SIGNAL_RULES } from './memory-failure.ts';
import { FRONT_RULES } from './predict.ts';
import { QEMU_GHES_RULES } from './qemu-ghes.ts';
import { QEMU_HMP_RULES, QEMU_INJECT_RULES } from './qemu-inject.ts';
import { QEMU_SIGBUS_RULES } from './qemu-sigbus.ts';
import { QUIRK_RULES } from './linux-quirks.ts';
import type { Rule } from './rule.ts';
import { AMD_OLD_SEVERITY_RULES, AMD_SEVERITY_RULES } from './severity-amd.ts';
import { INTEL_SEVERITY_RULES, PROMOTED } from './severity-intel.ts';
import { ADDRESS_RULES } from './usable-address.ts';
import { VMM_RULES } from './vmm.ts';
import { XEN_RULES } from './xen.ts';

/** In the order in which records travel: VMM, kernel, memory_failure(), Xen. */
export const RULES: readonly Rule[] = [
  ...Object.values(KVM_MCE_RULES),
  ...Object.values(KVM_POISON_RULES),
  ...Object.values(KVM_SEA_RULES),
  ...Object.values(QEMU_HMP_RULES),
  ...Object.values(QEMU_INJECT_RULES),
  ...Object.values(QEMU_SIGBUS_RULES),
  ...Object.values(QEMU_GHES_RULES),
  ...INTEL_SEVERITY_RULES,
  PROMOTED,
  ...Object.values(AMD_SEVERITY_RULES),
  ...Object.values(AMD_OLD_SEVERITY_RULES),
  ...Object.values(QUIRK_RULES),
  ...Object.values(EXCEPTION_RULES),
  ...Object.values(POLL_RULES),
  ...Object.values(DESTAT_RULES),
  ...Object.values(ADDRESS_RULES),
  ...Object.values(MEMORY_FAILURE_RULES),
  ...Object.values(SIGNAL_RULES),
  ...Object.values(GHES_RULES),
  ...Object.values(CXL_RULES),
  ...Object.values(SEA_RULES),
  ...Object.values(SERROR_RULES),
  ...Object.values(VMM_RULES),
  ...Object.values(XEN_RULES),
  ...Object.values(FRONT_RULES),
];

/** The rule with this id, or undefined. */
export function ruleById(id: string): Rule | undefined {
  return RULES.find(rule => rule.id === id);
}
