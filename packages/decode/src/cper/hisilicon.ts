/** @module Sections of HiSilicon, as published with their readers for rasdaemon (non-standard-hisilicon.c, non-standard-hisi_hip08.c). */
import { SECTION_HISI, SECTION_HISI_PCIE, SECTION_HISI_TYPE1, SECTION_HISI_TYPE2 } from './guid.ts';
import { u16, u32, u64, u8 } from './layout.ts';
import type { Layout, LayoutField } from './layout.ts';
import type { CperTabled } from './record.ts';
import { hex, membersAsRegisters, numberOf, registersInWords, restOf } from './tabled.ts';
import type { NamedRegister, Tabled } from './tabled.ts';

const SEVERITIES: Readonly<Record<number, string>> = { 0: 'recoverable', 1: 'fatal', 2: 'corrected', 3: 'none' };
const MODULES_1: Readonly<Record<number, string>> = {
  0: 'MN',
  1: 'PLL',
  2: 'SLLC',
  3: 'AA',
  4: 'SIOE',
  5: 'POE',
  8: 'DISP',
  9: 'LPC',
  13: 'GIC',
  14: 'RDE',
  15: 'SAS',
  16: 'SATA',
  17: 'USB',
};
const MODULES_2: Readonly<Record<number, string>> = {
  0: 'SMMU',
  1: 'HHA',
  2: 'PA',
  3: 'HLLC',
  4: 'DDRC',
  5: 'L3T',
  6: 'L3D',
};
const PCIE_PARTS: Readonly<Record<number, string>> = { 0: 'AP', 1: 'TL', 2: 'MAC', 3: 'DL', 4: 'SDI' };

const WORDS = [
  ['socId', 'SoC'],
  ['socket', 'socket'],
  ['totem', 'totem'],
  ['nimbus', 'nimbus'],
  ['subsystem', 'subsystem'],
  ['hisiModule', 'module'],
  ['submodule', 'submodule'],
  ['core', 'core'],
  ['port', 'port'],
] as const;

function where(body: CperTabled, modules: Readonly<Record<number, string>> = {}, parts: typeof modules = {}): string {
  const places = WORDS.flatMap(([member, word]) => {
    const value = numberOf(body, member);
    if (value === undefined) return [];
    const name = member === 'hisiModule' ? modules[value] : member === 'submodule' ? parts[value] : undefined;
    return [`${word} ${value}${name === undefined ? '' : ` (${name})`}`];
  }).join(', ');
  return places === '' ? '' : `: ${places}`;
}

const severity = (body: CperTabled): string => {
  const value = numberOf(body, 'hisiSeverity');
  return value === undefined ? '' : `, ${SEVERITIES[value] ?? `severity ${value}`}`;
};

const COMMON: Layout = {
  name: 'HiSilicon section',
  source: 'rasdaemon non-standard-hisilicon.c',
  length: 32,
  validation: { at: 0, size: 4, shared: { 10: 'pcieDevice' } },
  fields: [
    u8('version', 4),
    u8('socId', 5, { valid: 0 }),
    u8('socket', 6, { valid: 1 }),
    u8('totem', 7, { valid: 2 }),
    u8('nimbus', 8, { valid: 3 }),
    u8('subsystem', 9, { valid: 4 }),
    u8('hisiModule', 10, { valid: 5 }),
    u8('submodule', 11, { valid: 6 }),
    u8('core', 12, { valid: 7 }),
    u8('port', 13, { valid: 8 }),
    u16('errorType', 14, { valid: 9 }),
    u8('function', 16, { valid: 10 }),
    u8('device', 17, { valid: 10 }),
    u16('segment', 18, { valid: 10 }),
    u8('bus', 20, { valid: 10 }),
    u8('hisiSeverity', 24, { valid: 11, values: SEVERITIES }),
    u32('registerBytes', 28, { valid: 12 }),
  ],
};

function dump(body: CperTabled): NamedRegister[] {
  const view = restOf(body);
  const bytes = Math.min(numberOf(body, 'registerBytes') ?? 0, view.byteLength);
  return Array.from({ length: Math.floor(bytes / 4) }, (_, i) => ({
    name: `REG${i}`,
    value: BigInt(view.getUint32(4 * i, true)),
    end: 4 * i + 4,
  }));
}

const HISI: Tabled = {
  type: SECTION_HISI,
  kind: 'hisilicon',
  layout: COMMON,
  least: COMMON.length,
  say(body) {
    const type = numberOf(body, 'errorType');
    return [
      `HiSilicon error${type === undefined ? '' : ` of type ${type}`}${severity(body)}${where(body)}.`,
      ...registersInWords(dump(body), 8),
    ];
  },
  registers: dump,
};

/** What both sections of Hip08 begin with. */
const HIP08: readonly LayoutField[] = [
  u8('version', 4),
  u8('socId', 5, { valid: 0 }),
  u8('socket', 6, { valid: 1 }),
  u8('nimbus', 7, { valid: 2 }),
  u8('hisiModule', 8, { valid: 3 }),
  u8('submodule', 9, { valid: 4 }),
  u8('hisiSeverity', 10, { valid: 5, values: SEVERITIES }),
];
const TYPE1_NAMES = {
  hisiMisc0: 'ERR_MISC_0',
  hisiMisc1: 'ERR_MISC_1',
  hisiMisc2: 'ERR_MISC_2',
  hisiMisc3: 'ERR_MISC_3',
  hisiMisc4: 'ERR_MISC_4',
  hisiAddress: 'ERR_ADDR',
};
const TYPE1: Layout = {
  name: 'HiSilicon Hip08 section, type 1',
  source: 'rasdaemon non-standard-hisi_hip08.c, type 1',
  length: 40,
  validation: { at: 0, size: 4 },
  fields: [
    ...HIP08,
    ...[0, 1, 2, 3, 4].map(i => u32(`hisiMisc${i}`, 12 + 4 * i, { valid: 6 + i })),
    u64('hisiAddress', 32, { valid: 11 }),
  ],
};
/** Pairs of 32 bits, each with one validation bit. */
const TYPE2_PAIRS = ['FR', 'CTRL', 'STATUS', 'ADDR', 'MISC0', 'MISC1'] as const;
const TYPE2_MEMBERS = TYPE2_PAIRS.flatMap((name, i) =>
  [0, 1].map(half => ({ member: `hisi${name}${half}`, name: `ERR_${name}_${half}`, valid: 6 + i })),
);
const TYPE2: Layout = {
  name: 'HiSilicon Hip08 section, type 2',
  source: 'rasdaemon non-standard-hisi_hip08.c, type 2',
  length: 60,
  validation: {
    at: 0,
    size: 4,
    shared: Object.fromEntries(TYPE2_PAIRS.map((name, i) => [6 + i, `ERR_${name}`])),
  },
  fields: [...HIP08, ...TYPE2_MEMBERS.map(({ member, valid }, i) => u32(member, 12 + 4 * i, { valid }))],
};
const MISC_COUNT = 33;
const PCIE_MEMBERS = Array.from({ length: MISC_COUNT }, (_, i) => `pcieMisc${i}`);
const PCIE: Layout = {
  name: 'HiSilicon Hip08 PCIe section',
  source: 'rasdaemon non-standard-hisi_hip08.c, PCIe local',
  length: 20 + 4 * MISC_COUNT,
  validation: { at: 0, size: 8 },
  fields: [
    u8('version', 8, { valid: 0 }),
    u8('socId', 9, { valid: 1 }),
    u8('socket', 10, { valid: 2 }),
    u8('nimbus', 11, { valid: 3 }),
    u8('submodule', 12, { valid: 4 }),
    u8('core', 13, { valid: 5 }),
    u8('port', 14, { valid: 6 }),
    u8('hisiSeverity', 15, { valid: 8, values: SEVERITIES }),
    u16('errorType', 16, { valid: 7 }),
    ...PCIE_MEMBERS.map((member, i) => u32(member, 20 + 4 * i, { valid: 9 + i })),
  ],
};

const hip08 = (
  type: string,
  kind: Tabled['kind'],
  layout: Layout,
  names: Readonly<Record<string, string>>,
  modules: Readonly<Record<number, string>>,
  parts: Readonly<Record<number, string>> = {},
): Tabled => ({
  type,
  kind,
  layout,
  least: layout.length,
  say(body) {
    const error = numberOf(body, 'errorType');
    return [
      `HiSilicon error${error === undefined ? '' : ` of type ${hex(error)}`}${severity(body)}${where(body, modules, parts)}.`,
      ...registersInWords(membersAsRegisters(body, names), 8),
    ];
  },
  registers: body => membersAsRegisters(body, names),
});

export const HISILICON: readonly Tabled[] = [
  HISI,
  hip08(SECTION_HISI_TYPE1, 'hisilicon-hip08-1', TYPE1, TYPE1_NAMES, MODULES_1),
  hip08(
    SECTION_HISI_TYPE2,
    'hisilicon-hip08-2',
    TYPE2,
    Object.fromEntries(TYPE2_MEMBERS.map(m => [m.member, m.name])),
    MODULES_2,
  ),
  hip08(
    SECTION_HISI_PCIE,
    'hisilicon-hip08-pcie',
    PCIE,
    Object.fromEntries(PCIE_MEMBERS.map((m, i) => [m, `ERR_MISC_${i}`])),
    {},
    PCIE_PARTS,
  ),
];
