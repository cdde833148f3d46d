/**
 * @module The machine check that Linux writes into ERST before it panics, and that pstore shows as mce-erst-N: `struct mce` as it is.
 * Sources: Linux arch/x86/include/uapi/asm/mce.h for its members, arch/x86/kernel/cpu/mce/apei.c for the section type.
 */
import { cpuModel } from '../mca/cpu.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { MCI_STATUS_INTEL } from '../mca/registers.ts';
import { SECTION_LINUX_MCE } from './guid.ts';
import { readLayout, u32, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';
import type { CperTabled } from './record.ts';
import { hex, membersAsRegisters, numberOf, wideOf } from './tabled.ts';
import type { Tabled } from './tabled.ts';

/** X86_VENDOR_*: asm/processor.h. */
const VENDORS: Readonly<Record<number, string>> = {
  0: 'Intel',
  1: 'Cyrix',
  2: 'AMD',
  3: 'UMC',
  5: 'Centaur',
  7: 'Transmeta',
  8: 'NSC',
  9: 'Hygon',
  10: 'Zhaoxin',
  11: 'Vortex',
  255: 'unknown',
};
const INTEL = 0;
const AMD = 2;

/** Lengths that the structure had: up to Linux 4.8, with SYND and IPID, with PPIN, with the microcode, with kflags (5.8). */
export const LINUX_MCE_LENGTHS: readonly number[] = [88, 104, 112, 120, 128];
const LEAST = 88;

const LINUX_MCE_LAYOUT: Layout = {
  name: 'struct mce of Linux',
  source: 'Linux uapi/asm/mce.h, struct mce',
  length: 128,
  fields: [
    u64('mciStatus', 0),
    u64('mciMisc', 8),
    u64('mciAddr', 16),
    u64('mcgStatus', 24),
    u64('ip', 32),
    u64('tsc', 40),
    u64('wallTime', 48, { meaning: 'seconds since 1970' }),
    u8('cpuVendor', 56, { values: VENDORS }),
    u8('injectFlags', 57),
    u8('mceSeverity', 58),
    u32('signature', 60, { meaning: 'CPUID leaf 1 EAX' }),
    u8('cs', 64),
    u8('mcaBank', 65),
    u8('oldCpu', 66),
    u8('finished', 67),
    u32('logicalCpu', 68),
    u32('socket', 72),
    u32('initialApicId', 76),
    u64('mcgCap', 80),
    u64('synd', 88),
    u64('ipid', 96),
    u64('ppin', 104),
    u32('microcode', 112),
    u64('kflags', 120),
  ],
};

/** Members behind the end of an older structure are missing, and no fault of it. */
function readMce(bytes: Uint8Array): CperTabled {
  return { kind: 'linux-mce', ...readLayout(LINUX_MCE_LAYOUT, bytes, 0, () => undefined) };
}

/** The machine check of the structure. */
export function mcaOfLinuxMce(body: CperTabled): X86McaRecord {
  const wide = (name: string): bigint => wideOf(body, name) ?? 0n;
  const status = wide('mciStatus');
  const { ADDRV, MISCV } = MCI_STATUS_INTEL.read(status);
  const record: X86McaRecord = { kind: 'x86-mca', bank: numberOf(body, 'mcaBank') ?? 0, status };
  const vendor = numberOf(body, 'cpuVendor');
  if (vendor === INTEL) record.vendor = 'intel';
  if (vendor === AMD) record.vendor = 'amd';
  if (ADDRV) record.addr = wide('mciAddr');
  if (MISCV) record.misc = wide('mciMisc');
  record.mcgStatus = wide('mcgStatus');
  if (wide('mcgCap') !== 0n) record.mcgCap = wide('mcgCap');
  if (wide('ipid') !== 0n) record.ipid = wide('ipid');
  if (wide('synd') !== 0n) record.synd = wide('synd');
  const signature = numberOf(body, 'signature') ?? 0;
  if (signature !== 0) record.cpuid = BigInt(signature);
  record.cpu = numberOf(body, 'logicalCpu') ?? 0;
  record.socket = numberOf(body, 'socket') ?? 0;
  record.apicId = BigInt(numberOf(body, 'initialApicId') ?? 0);
  if (wide('tsc') !== 0n) record.tsc = wide('tsc');
  if (wide('wallTime') !== 0n) record.time = wide('wallTime');
  if (wide('ip') !== 0n) record.rip = wide('ip');
  if (wide('ppin') !== 0n) record.ppin = wide('ppin');
  const microcode = numberOf(body, 'microcode') ?? 0;
  if (microcode !== 0) record.microcode = BigInt(microcode);
  return record;
}

export const LINUX_MCE: Tabled = {
  type: SECTION_LINUX_MCE,
  kind: 'linux-mce',
  layout: LINUX_MCE_LAYOUT,
  least: LEAST,
  lengths: LINUX_MCE_LENGTHS,
  say(body) {
    const { family, model, stepping } = cpuModel(BigInt(numberOf(body, 'signature') ?? 0));
    const vendor = VENDORS[numberOf(body, 'cpuVendor') ?? -1] ?? 'unknown vendor';
    return [
      `The machine check that Linux saved before it panicked: CPU ${numberOf(body, 'logicalCpu') ?? 0}, bank ${numberOf(body, 'mcaBank') ?? 0}, ${vendor} family ${hex(family)} model ${hex(model)} stepping ${stepping}.`,
    ];
  },
  registers: body =>
    membersAsRegisters(body, {
      mciStatus: 'MCi_STATUS',
      mciAddr: 'MCi_ADDR',
      mciMisc: 'MCi_MISC',
      mcgStatus: 'MCG_STATUS',
      mcgCap: 'MCG_CAP',
      synd: 'MCA_SYND',
      ipid: 'MCA_IPID',
      ip: 'RIP',
    }),
};

/** Seconds since 1970 of machine checks: none is older than 2000, none from behind 2100. */
const FIRST_TIME = 946_684_800n;
const LAST_TIME = 4_102_444_800n;
const MAX_BANK = 255;
const MAX_CPU = 1 << 16;

/**
 * Whether bytes are a `struct mce` alone, as pstore shows it: a length that it had, and members that can only be so. The padding is
 * zero, the status is valid, the vendor is known, the time is one of this century.
 */
function looksLikeLinuxMce(bytes: Uint8Array): boolean {
  if (!LINUX_MCE_LENGTHS.includes(bytes.length)) return false;
  const body = readMce(bytes);
  const time = wideOf(body, 'wallTime') ?? 0n;
  const bank = numberOf(body, 'mcaBank') ?? 0;
  return (
    MCI_STATUS_INTEL.read(wideOf(body, 'mciStatus') ?? 0n).VAL &&
    VENDORS[numberOf(body, 'cpuVendor') ?? -1] !== undefined &&
    bytes[59] === 0 &&
    (numberOf(body, 'finished') ?? 2) <= 1 &&
    (time === 0n || (time >= FIRST_TIME && time < LAST_TIME)) &&
    (bank < 64 || bank === MAX_BANK) &&
    (numberOf(body, 'logicalCpu') ?? MAX_CPU) < MAX_CPU &&
    (numberOf(body, 'signature') ?? 0) !== 0
  );
}

/**
 * The structures that bytes hold and nothing else: one of any length that it had, or several of today's behind each other, as `cat`
 * puts the files of pstore. Undefined for other bytes; with `more` to come only whole ones of today's length can be told.
 */
export function linuxMcesIn(bytes: Uint8Array, more = false): Uint8Array[] | undefined {
  if (!more && looksLikeLinuxMce(bytes)) return [bytes];
  const { length } = LINUX_MCE_LAYOUT;
  if (bytes.length < length || (!more && bytes.length % length !== 0)) return undefined;
  const all = Array.from({ length: Math.floor(bytes.length / length) }, (_, i) =>
    bytes.subarray(length * i, length * (i + 1)),
  );
  return all.every(looksLikeLinuxMce) ? all : undefined;
}

/** The machine check of a structure alone. */
export const mcaOfStructMce = (bytes: Uint8Array): X86McaRecord => mcaOfLinuxMce(readMce(bytes));
