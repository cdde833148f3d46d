/**
 * @module KVM's exit for a synchronous external abort that the host did not take: exit reason 41, union member
 * `arm_sea` of struct kvm_run. Source: Linux Documentation/virt/kvm/api.rst, KVM_EXIT_ARM_SEA (Linux 6.19).
 */
import { ArmError } from './errors.ts';
import { ESR, ISS_DATA_ABORT } from './esr.ts';
import { EC } from './exception-class.ts';
import { ARM_SEA_LENGTH, KVM_EXIT_ARM_SEA_FLAG_GPA_VALID } from './kvm-numbers.ts';
import type { ArmSeaRecord } from './record.ts';

const { SET, FnV, EA, CM, S1PTW, WnR, DFSC } = ISS_DATA_ABORT.masks;
/** ESR bits KVM keeps. */
export const KVM_ARM_SEA_ESR_MASK = ESR.masks.EC | ESR.masks.IL | SET | FnV | EA | CM | WnR | DFSC;

/**
 * Reads `arm_sea`; undefined when fewer than 32 bytes are there.
 *
 * @example
 * decodeArmSea(new Uint8Array(31)) // undefined
 * decodeArmSea(new Uint8Array(32)).gpa // 0n
 */
export function decodeArmSea(bytes: Uint8Array, littleEndian = true): ArmSeaRecord | undefined {
  if (bytes.length < ARM_SEA_LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number): bigint => view.getBigUint64(offset, littleEndian);
  return { kind: 'arm-sea', el: 2, flags: at(0), esr: at(8), gva: at(16), gpa: at(24) };
}

/** The 32 bytes of `arm_sea`; members that are missing are 0. Throws {@link ArmError} for a value outside 64 bits. */
export function encodeArmSea(
  record: Pick<ArmSeaRecord, 'esr' | 'flags' | 'gva' | 'gpa'>,
  littleEndian = true,
): Uint8Array {
  const bytes = new Uint8Array(ARM_SEA_LENGTH);
  const view = new DataView(bytes.buffer);
  [record.flags ?? 0n, record.esr, record.gva ?? 0n, record.gpa ?? 0n].forEach((value, i) => {
    if (BigInt.asUintN(64, value) !== value) {
      throw new ArmError('E_ARM_RANGE', `arm_sea: ${value} does not fit 64 bits`, {
        hint: 'Give every member as an unsigned 64-bit value.',
      });
    }
    view.setBigUint64(8 * i, value, littleEndian);
  });
  return bytes;
}

/** The addresses of a KVM exit that may be believed. */
export function armSeaAddresses(record: ArmSeaRecord): { gva?: bigint; gpa?: bigint } {
  const out: { gva?: bigint; gpa?: bigint } = {};
  if (record.gva !== undefined && (record.esr & FnV) === 0n) out.gva = record.gva;
  if (record.gpa !== undefined && ((record.flags ?? 0n) & KVM_EXIT_ARM_SEA_FLAG_GPA_VALID) !== 0n) out.gpa = record.gpa;
  return out;
}

/**
 * What KVM would hand to user space for an abort taken to EL2: the reduced ESR, the virtual address unless FnV, the
 * page of the guest physical address when it is known. SET is passed on only to a VM with FEAT_RAS.
 */
export function kvmExitOf(abort: { esr: bigint; far?: bigint; ipa?: bigint; vmHasRas?: boolean }): ArmSeaRecord {
  const esr = abort.esr & KVM_ARM_SEA_ESR_MASK & (abort.vmHasRas === false ? ~SET : ~0n);
  const fnv = (esr & FnV) !== 0n;
  return {
    kind: 'arm-sea',
    el: 2,
    flags: abort.ipa === undefined ? 0n : KVM_EXIT_ARM_SEA_FLAG_GPA_VALID,
    esr,
    gva: fnv ? 0n : (abort.far ?? 0n),
    gpa: abort.ipa ?? 0n,
  };
}

/**
 * The ESR_EL1 a guest sees when a VMM passes the abort on. A guest's own EL1 code sees class 0x21 or 0x25 where the
 * hypervisor saw 0x20 or 0x24; code at EL0 keeps the lower-level class, because EL0 is below EL1 too.
 *
 * @example
 * guestEsr(0x92000010n, 'el1') // 0x96000010n
 */
export function guestEsr(hostEsr: bigint, from: 'el0' | 'el1'): bigint {
  const fields = ESR.decode(hostEsr);
  const ec = Number(fields.EC);
  const instruction = ec === EC.IABT_LOW || ec === EC.IABT_CUR;
  const data = ec === EC.DABT_LOW || ec === EC.DABT_CUR;
  if (!instruction && !data) return BigInt.asUintN(64, hostEsr);
  const lower = instruction ? EC.IABT_LOW : EC.DABT_LOW;
  const same = instruction ? EC.IABT_CUR : EC.DABT_CUR;
  // S1PTW speaks of stage 2, which a guest does not see.
  const seen = { ...fields, EC: BigInt(from === 'el0' ? lower : same) };
  return ESR.encode({ ...seen, ISS: seen.ISS & ~S1PTW });
}
