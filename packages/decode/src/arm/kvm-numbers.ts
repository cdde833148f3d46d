/**
 * @module Numbers of KVM's interface for synchronous external aborts, alone: a VMM that only asks for the capability needs no
 * syndrome. Source: Linux include/uapi/linux/kvm.h; Documentation/virt/kvm/api.rst, KVM_EXIT_ARM_SEA.
 */

/** Exit reason and capability numbers. */
export const KVM_EXIT_ARM_SEA = 41;
export const KVM_CAP_ARM_SEA_TO_USER = 245;
/** `gpa` is valid. There is no flag for `gva`: it is valid when ESR.FnV is 0. */
export const KVM_EXIT_ARM_SEA_FLAG_GPA_VALID = 1n;
/** Four u64 in the byte order of the host: flags, esr, gva, gpa. */
export const ARM_SEA_LENGTH = 32;
