/**
 * @module The machine check section of Windows. Source: Microsoft WDK, ntddk.h WHEA_XPF_MCA_SECTION, packed; version 2 has the global
 * capabilities in later builds, version 3 what the recovery did, version 4 further banks.
 */
import type { X86McaRecord } from '../mca/record.ts';
import { MCI_STATUS_INTEL } from '../mca/registers.ts';
import { hex64 } from '../common/hex.ts';
import { SECTION_XPF_MCA } from './guid.ts';
import { u16, u32, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';
import type { CperTabled } from './record.ts';
import { hex, membersAsRegisters, numberOf, wideOf } from './tabled.ts';
import type { Tabled } from './tabled.ts';

const VENDORS: Readonly<Record<number, string>> = { 0: 'other', 1: 'Intel', 2: 'AMD' };
const INTEL = 1;
const AMD = 2;
/** Of AMD; of other vendors the same places are their extended machine check state. */
const EXTENDED = [
  'ipid',
  'synd',
  'mcaConfig',
  'mcaDestat',
  'mcaDeaddr',
  'mcaMisc1',
  'mcaMisc2',
  'mcaMisc3',
  'mcaMisc4',
  'rasCap',
] as const;
const EXTENDED_COUNT = 24;
const BANKS = 32;
/** Versions 1 and 2, 2 with the capabilities, 3, 4. */
const LENGTHS: readonly number[] = [264, 272, 292, 1192];

const of = (count: number, name: string): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);

const LAYOUT: Layout = {
  name: 'machine check section of Windows',
  source: 'Microsoft WDK, ntddk.h WHEA_XPF_MCA_SECTION',
  length: 1192,
  fields: [
    u32('version', 0),
    u32('cpuVendor', 4, { values: VENDORS }),
    u64('fileTime', 8, { meaning: '100 ns since 1601' }),
    u32('logicalCpu', 16),
    u64('mcgStatus', 20),
    u64('ip', 28),
    u32('mcaBank', 36),
    u64('mciStatus', 40),
    u64('mciAddr', 48),
    u64('mciMisc', 56),
    u32('extendedCount', 64),
    u32('initialApicId', 68),
    ...EXTENDED.map((name, i) => u64(name, 72 + 8 * i)),
    ...of(EXTENDED_COUNT - EXTENDED.length, 'extended').map((name, i) => u64(name, 72 + 8 * (EXTENDED.length + i))),
    u64('mcgCap', 264),
    u32('recoveryFailure', 272),
    u32('recoveryActions', 276, { meaning: 'bit 0 tried, bit 1 by the hypervisor' }),
    u8('actionRequired', 280),
    u8('recovered', 281),
    u8('inKernel', 282),
    u16('recoveryReserved', 284),
    u32('furtherBanks', 292),
    ...of(BANKS, 'bankNumber').map((name, i) => u32(name, 296 + 4 * i)),
    ...of(BANKS, 'bankStatus').map((name, i) => u64(name, 424 + 8 * i)),
    ...of(BANKS, 'bankAddr').map((name, i) => u64(name, 680 + 8 * i)),
    ...of(BANKS, 'bankMisc').map((name, i) => u64(name, 936 + 8 * i)),
  ],
};

/** The banks of the section: that of its first part, and those of version 4. */
export function banksOfXpf(body: CperTabled): X86McaRecord[] {
  const wide = (name: string): bigint => wideOf(body, name) ?? 0n;
  const common: Partial<X86McaRecord> = { mcgStatus: wide('mcgStatus') };
  const vendor = numberOf(body, 'cpuVendor');
  if (vendor === INTEL) common.vendor = 'intel';
  if (vendor === AMD) common.vendor = 'amd';
  common.cpu = numberOf(body, 'logicalCpu') ?? 0;
  common.apicId = BigInt(numberOf(body, 'initialApicId') ?? 0);
  if (wide('mcgCap') !== 0n) common.mcgCap = wide('mcgCap');
  if (wide('ip') !== 0n) common.rip = wide('ip');
  const bank = (number: number, status: bigint, addr: bigint, misc: bigint): X86McaRecord => {
    const { ADDRV, MISCV } = MCI_STATUS_INTEL.read(status);
    return {
      kind: 'x86-mca',
      bank: number,
      status,
      ...(ADDRV ? { addr } : {}),
      ...(MISCV ? { misc } : {}),
      ...common,
    };
  };
  const first = bank(numberOf(body, 'mcaBank') ?? 0, wide('mciStatus'), wide('mciAddr'), wide('mciMisc'));
  if (vendor === AMD && (numberOf(body, 'extendedCount') ?? 0) > 0) {
    if (wide('ipid') !== 0n) first.ipid = wide('ipid');
    if (wide('synd') !== 0n) first.synd = wide('synd');
    if (wide('mcaConfig') !== 0n) first.config = wide('mcaConfig');
    if (wide('mcaDestat') !== 0n) [first.destat, first.deaddr] = [wide('mcaDestat'), wide('mcaDeaddr')];
  }
  const further = Math.min(numberOf(body, 'furtherBanks') ?? 0, BANKS);
  const others = Array.from({ length: further }, (_, i) =>
    bank(numberOf(body, `bankNumber${i}`) ?? 0, wide(`bankStatus${i}`), wide(`bankAddr${i}`), wide(`bankMisc${i}`)),
  );
  return [first, ...others].filter(b => b.status !== 0n || (b.destat ?? 0n) !== 0n);
}

const AMD_NAMES = {
  ipid: 'MCA_IPID',
  synd: 'MCA_SYND',
  mcaConfig: 'MCA_CONFIG',
  mcaDestat: 'MCA_DESTAT',
  mcaDeaddr: 'MCA_DEADDR',
};

export const XPF_MCA: Tabled = {
  type: SECTION_XPF_MCA,
  kind: 'xpf-mca',
  layout: LAYOUT,
  least: 264,
  lengths: LENGTHS,
  say(body) {
    const vendor = VENDORS[numberOf(body, 'cpuVendor') ?? -1] ?? 'unknown vendor';
    const recovered = numberOf(body, 'recovered');
    return [
      `Machine check of processor ${numberOf(body, 'logicalCpu') ?? 0} (APIC id ${hex(numberOf(body, 'initialApicId') ?? 0)}, ${vendor}): ${banksOfXpf(
        body,
      )
        .map(b => `bank ${b.bank}: MCi_STATUS ${hex64(b.status)}`)
        .join(', ')}.`,
      ...(recovered === undefined || recovered === 0 ? [] : ['Windows recovered from it.']),
    ];
  },
  registers: body => [
    ...membersAsRegisters(body, {
      mcgStatus: 'MCG_STATUS',
      mcgCap: 'MCG_CAP',
      mciStatus: 'MCi_STATUS',
      mciAddr: 'MCi_ADDR',
      mciMisc: 'MCi_MISC',
      ip: 'RIP',
    }),
    ...(numberOf(body, 'cpuVendor') === AMD ? membersAsRegisters(body, AMD_NAMES) : []),
  ],
};
