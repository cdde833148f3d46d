import type { VmmCode } from './errors.ts';

/** What the reference VMM throws, for `--explain`: what happened, and what to do. */
export const VMM_ERROR_CODES: Readonly<Record<VmmCode | 'E_VMM_RAM' | 'E_VMM_USAGE', string>> = {
  E_VMM_CAPABILITY:
    'The host’s KVM cannot enable a capability that was asked for: KVM_CAP_ARM_SEA_TO_USER came with Linux 6.19. Use a newer host kernel, or --sea off.',
  E_VMM_CHANNEL: 'A channel of the VMM (console, events, control) cannot be opened, or is no terminal, socket or FIFO.',
  E_VMM_FDT: 'The device tree cannot hold a name or string, or is too large.',
  E_VMM_IMAGE:
    'The kernel or initramfs cannot be read, or the kernel is no uncompressed arm64 Image. Give arch/arm64/boot/Image.',
  E_VMM_IOCTL: 'A system call or KVM ioctl failed; the message has its name and errno.',
  E_VMM_KOFFI: 'The npm package koffi, through which the VMM calls the kernel, could not be loaded for this platform.',
  E_VMM_KVM:
    '/dev/kvm cannot be opened, speaks another API version, or this is no arm64 Linux. The host needs EL2, a kernel with KVM, and rights on /dev/kvm.',
  E_VMM_MEMORY: 'Memory for the guest could not be mapped, or a file ended before it was read. Try a smaller --memory.',
  E_VMM_RAM: 'Kernel and initramfs do not fit into the guest’s memory. Raise --memory.',
  E_VMM_USAGE: 'The command line of the VMM is wrong; the hint shows how it is meant.',
};
