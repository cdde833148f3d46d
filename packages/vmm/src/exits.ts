/**
 * What KVM wrote into `struct kvm_run` when KVM_RUN returned (Documentation/virt/kvm/api.rst, section 5). Pure: bytes in,
 * a value out; unknown reasons stay numbers.
 */
import { ARM_SEA_LENGTH, KVM_EXIT_ARM_SEA } from '@syndrome/decode/arm/kvm-numbers.ts';
import { decodeArmSea } from '@syndrome/decode/arm/kvm.ts';
import type { ArmSeaRecord } from '@syndrome/decode/arm/record.ts';
import { RUN_OFFSET } from './ioctl.ts';

export const EXIT = {
  MMIO: 6,
  FAIL_ENTRY: 9,
  INTR: 10,
  INTERNAL_ERROR: 17,
  SYSTEM_EVENT: 24,
  ARM_NISV: 28,
  MEMORY_FAULT: 39,
  ARM_SEA: KVM_EXIT_ARM_SEA,
} as const;

const SYSTEM_EVENTS: Readonly<Record<number, SystemEvent>> = {
  1: 'shutdown',
  2: 'reset',
  3: 'crash',
  4: 'wakeup',
  5: 'suspend',
};
export type SystemEvent = 'shutdown' | 'reset' | 'crash' | 'wakeup' | 'suspend' | 'unknown';

export type Exit =
  | { kind: 'mmio'; address: bigint; write: boolean; length: number; value: bigint }
  | { kind: 'system-event'; type: number; event: SystemEvent; data: readonly bigint[] }
  /** A synchronous external abort that the guest took and the host did not claim. */
  | ArmSeaRecord
  /** A data abort on an address without memory, by an instruction the syndrome does not describe. */
  | { kind: 'nisv'; iss: bigint; gpa: bigint }
  | { kind: 'memory-fault'; flags: bigint; gpa: bigint; size: bigint }
  | { kind: 'interrupted' }
  | { kind: 'fail-entry'; reason: bigint }
  | { kind: 'internal-error'; suberror: number; data: readonly bigint[] }
  | { kind: 'unknown'; reason: number };

/** Decodes the exit that the run area holds. `run` is the whole area, at least 256 bytes. */
export function decodeExit(run: DataView): Exit {
  const reason = run.getUint32(RUN_OFFSET.exitReason, true);
  const at = RUN_OFFSET.exit;
  const u64 = (index: number): bigint => run.getBigUint64(at + index * 8, true);
  switch (reason) {
    case EXIT.MMIO: {
      const length = Math.min(run.getUint32(at + 16, true), 8);
      return {
        kind: 'mmio',
        address: u64(0),
        write: run.getUint8(at + 20) !== 0,
        length,
        value: BigInt.asUintN(length * 8, u64(1)),
      };
    }
    case EXIT.SYSTEM_EVENT: {
      const type = run.getUint32(at, true);
      const count = Math.min(run.getUint32(at + 4, true), 16);
      const data = Array.from({ length: count }, (_, index) => u64(1 + index));
      return { kind: 'system-event', type, event: SYSTEM_EVENTS[type] ?? 'unknown', data };
    }
    case EXIT.ARM_SEA:
      return (
        decodeArmSea(new Uint8Array(run.buffer, run.byteOffset + at, ARM_SEA_LENGTH)) ?? { kind: 'unknown', reason }
      );
    case EXIT.ARM_NISV:
      return { kind: 'nisv', iss: u64(0), gpa: u64(1) };
    case EXIT.MEMORY_FAULT:
      return { kind: 'memory-fault', flags: u64(0), gpa: u64(1), size: u64(2) };
    case EXIT.INTR:
      return { kind: 'interrupted' };
    case EXIT.FAIL_ENTRY:
      return { kind: 'fail-entry', reason: u64(0) };
    case EXIT.INTERNAL_ERROR: {
      const count = Math.min(run.getUint32(at + 4, true), 16);
      return {
        kind: 'internal-error',
        suberror: run.getUint32(at, true),
        data: Array.from({ length: count }, (_, index) => u64(1 + index)),
      };
    }
    default:
      return { kind: 'unknown', reason };
  }
}

/** Errno values of a KVM_RUN that failed and yet left an exit (asm-generic/errno-base.h, errno.h). */
const EFAULT = 14;
const EHWPOISON = 133;

/**
 * The exit behind a KVM_RUN that failed, where there is one: only KVM_EXIT_MEMORY_FAULT comes with an error, and what the
 * run area holds means nothing with any other (api.rst, KVM_EXIT_MEMORY_FAULT).
 */
export function exitOfFailure(errno: number, run: DataView): Exit | undefined {
  if (errno !== EFAULT && errno !== EHWPOISON) return undefined;
  const exit = decodeExit(run);
  return exit.kind === 'memory-fault' ? exit : undefined;
}

/** Puts the answer to an MMIO read where KVM takes it at the next KVM_RUN. */
export function answerMmioRead(run: DataView, value: bigint): void {
  run.setBigUint64(RUN_OFFSET.exit + 8, value, true);
}
