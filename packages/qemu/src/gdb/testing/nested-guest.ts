/**
 * The smallest hypervisor with a guest, placed by the debugger into a bare virt machine that starts at EL2: EL2 turns
 * on stage 2 and enters EL1, which reads one address in a loop. Assembled by hand; encodings of the Arm ARM (C6).
 */
import type { GdbClient } from '../client.ts';

/** Where things stand in physical memory. RAM begins at 0x4000_0000. */
const HYPERVISOR = 0x4010_0000n;
const VECTORS = 0x4010_8000n;
const GUEST_CODE = 0x4011_0000n;
const LEVEL1 = 0x4100_0000n;
export const LEVEL2 = 0x4100_1000n;
const LEVEL3_CODE = 0x4100_2000n;
export const LEVEL3_DATA = 0x4100_3000n;
/** First page behind {@link DATA_IPA}. */
export const DATA = 0x4110_0000n;

/** The guest's addresses: code and data are under different level-2 descriptors. */
const CODE_IPA = 0x4000_0000n;
export const DATA_IPA = 0x4020_0000n;

const hypervisor = [
  0xd51c_c00e, // msr vbar_el2, x14
  0xd51c_214a, // msr vtcr_el2, x10
  0xd51c_210b, // msr vttbr_el2, x11
  0xd51c_110c, // msr hcr_el2, x12
  0xd51c_402d, // msr elr_el2, x13
  0xd280_78a1, // mov x1, #0x3c5      EL1h, all masked
  0xd51c_4001, // msr spsr_el2, x1
  0xaa0f_03e1, // mov x1, x15
  0xd503_3fdf, // isb
  0xd69f_03e0, // eret
];

const guest = [
  0xf940_0022, // ldr x2, [x1]
  0x9100_0400, // add x0, x0, #1
  0xb4ff_ffc3, // cbz x3, .-8         x3: a hypercall in each round
  0xd400_0002, // hvc #0
  0x17ff_fffc, // b   .-16
];

/** From a lower EL, synchronous: hypercalls return, everything else stops with ESR in x4, FAR in x8, HPFAR in x9. */
const onSync = [
  0xd53c_5204, // mrs x4, esr_el2
  0xd35a_fc85, // lsr x5, x4, #26
  0xf100_58bf, // cmp x5, #0x16       EC: HVC
  0x5400_00e1, // b.ne .+28
  0xb400_00a6, // cbz x6, .+20        x6: turn stage 2 off and on again, as KVM does when it leaves a guest
  0xd51c_1107, // msr hcr_el2, x7
  0xd503_3fdf, // isb
  0xd51c_110c, // msr hcr_el2, x12
  0xd503_3fdf, // isb
  0xd69f_03e0, // eret
  0xd53c_6008, // mrs x8, far_el2
  0xd53c_6089, // mrs x9, hpfar_el2
  0x1400_0000, // b   .
];
/** Offset of the vector in the table (Arm ARM D1, "Exception vectors"), and of the last instruction of {@link onSync}. */
const SYNC_VECTOR = 0x400n;
const STOPPED_AT = VECTORS + SYNC_VECTOR + 4n * BigInt(onSync.length - 1);

/** 4 KiB granule, 39 bits of input from level 1, 40 bits of output; bit 31 is RES1. */
export const VTCR = (1n << 31n) | (2n << 16n) | (1n << 6n) | 25n;
export const VTTBR = (1n << 48n) | LEVEL1;
const HCR_RW = 1n << 31n;
const HCR_VM = 1n;

const TABLE = 3n;
/** Access flag, inner shareable, read and write, normal write-back, page. */
const PAGE = (1n << 10n) | (3n << 8n) | (3n << 6n) | (0xfn << 2n) | 3n;

/** Places everything and lets the first vCPU enter the guest; leaves the machine halted just before that. */
export async function placeNestedGuest(gdb: GdbClient): Promise<void> {
  const put = (address: bigint, bytes: Uint8Array): Promise<void> =>
    gdb.writeMemory(address, bytes, { physical: true });
  await put(HYPERVISOR, words(hypervisor));
  await put(VECTORS + SYNC_VECTOR, words(onSync));
  await put(GUEST_CODE, words(guest));
  await put(LEVEL1, Buffer.alloc(0x4000));
  await put(LEVEL1 + 8n * 1n, u64s(LEVEL2 | TABLE));
  await put(LEVEL2, u64s(LEVEL3_CODE | TABLE, LEVEL3_DATA | TABLE));
  await put(LEVEL3_CODE, u64s(GUEST_CODE | PAGE));
  await put(LEVEL3_DATA, u64s(...Array.from({ length: 16 }, (_, i) => (DATA + 0x1000n * BigInt(i)) | PAGE)));
  const registers = {
    pc: HYPERVISOR,
    x0: 0n,
    x3: 0n,
    x6: 0n,
    x7: HCR_RW,
    x10: VTCR,
    x11: VTTBR,
    x12: HCR_RW | HCR_VM,
    x13: CODE_IPA,
    x14: VECTORS,
    x15: DATA_IPA,
  };
  for (const [name, value] of Object.entries(registers)) await gdb.writeRegister(name, value, { thread: '01' });
}

/** Whether the first vCPU has taken an exception that is not a hypercall; the machine must be halted. */
export async function stoppedGuest(gdb: GdbClient): Promise<{ esr: bigint; far: bigint } | undefined> {
  const { pc, x4, x8 } = await gdb.readRegisters(['pc', 'x4', 'x8'], { thread: '01' });
  return pc === STOPPED_AT ? { esr: x4, far: x8 } : undefined;
}

/** Puts the guest back to its loop, after an abort: as the hypervisor would enter it anew. */
export async function enterGuestAgain(gdb: GdbClient): Promise<void> {
  await gdb.writeRegister('pc', HYPERVISOR, { thread: '01' });
}

function words(values: number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, i * 4);
  return bytes;
}

function u64s(...values: bigint[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(value, i * 8);
  return bytes;
}
