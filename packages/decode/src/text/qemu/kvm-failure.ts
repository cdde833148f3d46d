/** @module QEMU's last words where KVM cannot go on or cannot be had: it stops its guest then, but does not end. Source: QEMU accel/kvm/kvm-all.c. */
const KVM_FAILS =
  /KVM internal error|kvm run failed|failed to initialize kvm|Could not access KVM|KVM_\w{1,64} failed/i;

/** Whether a line of QEMU's error output tells of that. @example isKvmFailure('KVM internal error. Suberror: 1') // true */
export function isKvmFailure(line: string): boolean {
  return KVM_FAILS.test(line);
}
