/** `vmm`: one that takes KVM_EXIT_ARM_SEA, which QEMU does not. */
export const CONSUMERS = ['linux', 'xen', 'qemu', 'kvm', 'vmm'] as const;
export type Consumer = (typeof CONSUMERS)[number];
