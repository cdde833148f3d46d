/**
 * @module Sections that Windows adds to firmware records. Source: Microsoft WDK, ntddk.h (WHEA_…_SECTION) and cperguid.h, whose
 * structures are packed.
 */
import { hex64 } from '../common/hex.ts';
import { hasBit } from '../registers/field.ts';
import { bit, defineRegister } from '../registers/register.ts';
import { describeEsr } from '../arm/esr.ts';
import {
  SECTION_WHEA_INTEL_MEMORY,
  SECTION_WHEA_MEMORY_SUMMARY,
  SECTION_WHEA_NMI,
  SECTION_WHEA_PCIE_SUMMARY,
  SECTION_WHEA_PMEM,
  SECTION_WHEA_RECOVERY,
  SECTION_WHEA_SEA,
  SECTION_WHEA_SEI,
} from './guid.ts';
import { bytesOf, text, u16, u32, u64, u8 } from './layout.ts';
import type { Layout, LayoutField } from './layout.ts';
import type { CperTabled } from './record.ts';
import { hex, membersAsRegisters, numberOf, placesOf, rowsOf, textOf, wideOf } from './tabled.ts';
import type { Tabled } from './tabled.ts';

const source = (name: string): string => `Microsoft WDK, ntddk.h ${name}`;

/** Names of Intel's DIMM address with the members that hold them. */
const INTEL_PLACES = [
  ['socket', 'socket'],
  ['controller', 'controller'],
  ['channel', 'channel'],
  ['subChannel', 'sub-channel'],
  ['slot', 'slot'],
  ['rank', 'rank'],
  ['dimmRank', 'rank of the DIMM'],
  ['bankGroup', 'bank group'],
  ['bank', 'bank'],
  ['row', 'row'],
  ['column', 'column'],
  ['chipSelect', 'chip select'],
  ['chipId', 'chip'],
] as const;
/** In the order of their validation bits, behind the definition of the memory and five addresses. */
const INTEL_BYTES = [
  ['socket', 60, 6],
  ['controller', 61, 7],
  ['memoryTarget', 62, 8],
  ['logicalChannel', 63, 9],
  ['channel', 64, 10],
  ['subChannel', 65, 11],
  ['rank', 66, 12],
  ['slot', 67, 13],
  ['dimmRank', 68, 14],
  ['bank', 69, 15],
  ['bankGroup', 70, 16],
  ['lockStepRank', 79, 19],
  ['lockStepPhysicalRank', 80, 20],
  ['lockStepBank', 81, 21],
  ['lockStepBankGroup', 82, 22],
  ['chipSelect', 83, 23],
  ['node', 84, 24],
  ['chipId', 85, 25],
] as const;

const INTEL_MEMORY: Tabled = {
  type: SECTION_WHEA_INTEL_MEMORY,
  kind: 'whea-intel-memory',
  layout: {
    name: 'extended memory section of Windows for Intel',
    source: source('WHEA_MEMORY_ERROR_EXT_SECTION_INTEL'),
    length: 166,
    validation: { at: 8, size: 8 },
    fields: [
      u64('translationFlags', 0, {
        meaning:
          'translated by PRM: bit 0 yes, 1 failed, 2 not supported; by the plug-in: 3 yes, 4 failed, 5 not supported',
      }),
      u32('memoryDefinition', 16, {
        valid: 0,
        values: { 0: 'undefined', 1: 'far memory', 2: 'near memory', 3: 'HBM' },
      }),
      u64('systemAddress', 20, { valid: 1 }),
      u64('spareSystemAddress', 28, { valid: 2 }),
      u64('devicePhysicalAddress', 36, { valid: 3 }),
      u64('channelAddress', 44, { valid: 4 }),
      u64('rankAddress', 52, { valid: 5 }),
      ...INTEL_BYTES.map(([name, at, valid]) => u8(name, at, { valid })),
      u32('row', 71, { valid: 17 }),
      u32('column', 75, { valid: 18 }),
    ],
  },
  least: 166,
  say(body) {
    const address = wideOf(body, 'systemAddress');
    const place = placesOf(body, INTEL_PLACES);
    return [
      `Memory error${address === undefined ? ', no system address' : ` at system address ${hex64(address)}`}, translated by ${translation(wideOf(body, 'translationFlags') ?? 0n)}.`,
      ...(place === '' ? [] : [`It was in ${place}.`]),
    ];
  },
  addresses: body => {
    const address = wideOf(body, 'systemAddress');
    return address === undefined ? [] : [address];
  },
};

const TRANSLATION = defineRegister({
  name: 'TranslationFlags',
  width: 64,
  source: source('WHEA_MEMORY_ERROR_EXT_SECTION_FLAGS'),
  fields: [bit(3, 'PLUGIN', 'translated by the plug-in'), bit(0, 'PRM', 'translated by PRM')],
});

function translation(flags: bigint): string {
  const { PRM, PLUGIN } = TRANSLATION.read(flags);
  if (PRM) return 'the firmware (PRM)';
  return PLUGIN ? 'the PSHED plug-in' : 'nobody';
}

const PMEM: Tabled = {
  type: SECTION_WHEA_PMEM,
  kind: 'whea-pmem',
  layout: {
    name: 'persistent memory section of Windows',
    source: source('WHEA_PMEM_ERROR_SECTION'),
    length: 88,
    validation: { at: 0, size: 8 },
    fields: [
      bytesOf('locationInfo', 8, 64, { valid: 2 }),
      u64('errorStatus', 72, { valid: 0 }),
      u32('nfitHandle', 80, { valid: 1 }),
      u32('rangeCount', 84),
    ],
  },
  least: 88,
  rows: {
    member: 'pageRanges',
    count: 'rangeCount',
    layout: {
      name: 'range of pages',
      source: source('WHEA_PMEM_PAGE_RANGE'),
      length: 24,
      fields: [u64('startingPfn', 0), u64('pageCount', 8), u64('markedBad', 16)],
    },
  },
  say(body) {
    const handle = numberOf(body, 'nfitHandle');
    const ranges = rowsOf(body, 'pageRanges').map(
      r => `${wideOf(r, 'pageCount') ?? 0n} from page frame ${hex(wideOf(r, 'startingPfn') ?? 0n)}`,
    );
    return [
      `Persistent memory error${handle === undefined ? '' : ` of the NVDIMM with NFIT handle ${hex(handle)}`}.`,
      ...(ranges.length === 0 ? [] : [`Pages: ${ranges.slice(0, 8).join('; ')}.`]),
    ];
  },
};

const summary = (fields: readonly LayoutField[], name: string, length: number, validation = true): Layout => ({
  name,
  source: source(name),
  length,
  ...(validation ? { validation: { at: 0, size: 8 as const } } : {}),
  fields,
});
const SUMMARY_HEAD = (name: string): Layout => summary([u16('version', 0), u16('rowCount', 2)], name, 4, false);

const MEMORY_SUMMARY: Tabled = {
  type: SECTION_WHEA_MEMORY_SUMMARY,
  kind: 'whea-memory-summary',
  layout: SUMMARY_HEAD('WHEA_MEMORY_CORRECTABLE_ERROR_HEADER'),
  least: 4,
  rows: {
    member: 'dimms',
    count: 'rowCount',
    layout: summary(
      [
        u32('socket', 8, { valid: 0 }),
        u32('channel', 12, { valid: 1 }),
        u32('slot', 16, { valid: 2 }),
        u32('correctedErrors', 20, { valid: 3 }),
      ],
      'WHEA_MEMORY_CORRECTABLE_ERROR_DATA',
      24,
    ),
  },
  say(body) {
    const rows = rowsOf(body, 'dimms');
    return [
      `Corrected memory errors by DIMM: ${rows.length === 0 ? 'none' : rows.map(r => `socket ${numberOf(r, 'socket') ?? '?'} channel ${numberOf(r, 'channel') ?? '?'} slot ${numberOf(r, 'slot') ?? '?'}: ${numberOf(r, 'correctedErrors') ?? '?'}`).join('; ')}.`,
    ];
  },
};

const COUNTERS = Array.from({ length: 32 }, (_, i) => `count${i}`);
const PCIE_SUMMARY: Tabled = {
  type: SECTION_WHEA_PCIE_SUMMARY,
  kind: 'whea-pcie-summary',
  layout: SUMMARY_HEAD('WHEA_PCIE_CORRECTABLE_ERROR_SECTION_HEADER'),
  least: 4,
  rows: {
    member: 'pcieDevices',
    count: 'rowCount',
    layout: summary(
      [
        u32('segment', 8, { valid: 0 }),
        u32('bus', 12, { valid: 1 }),
        u32('device', 16, { valid: 2 }),
        u32('function', 20, { valid: 3 }),
        u32('mask', 24, { valid: 4 }),
        ...COUNTERS.map((name, i) => u32(name, 28 + 4 * i, { valid: 5 })),
      ],
      'WHEA_PCIE_CORRECTABLE_ERROR_DEVICES',
      156,
    ),
  },
  say(body) {
    const two = (n: number | undefined, width = 2): string => (n ?? 0).toString(16).padStart(width, '0');
    const rows = rowsOf(body, 'pcieDevices').map(r => {
      const sum = COUNTERS.reduce((all, name) => all + (numberOf(r, name) ?? 0), 0);
      return `${two(numberOf(r, 'segment'), 4)}:${two(numberOf(r, 'bus'))}:${two(numberOf(r, 'device'))}.${two(numberOf(r, 'function'), 1)}: ${sum}`;
    });
    return [`Corrected PCIe errors by device: ${rows.length === 0 ? 'none' : rows.join('; ')}.`];
  },
};

const REASONS: Readonly<Record<number, string>> = {
  1: 'the kernel could not mark the page bad',
  2: 'marking the page bad timed out',
  3: 'no recovery context',
  4: 'the processor cannot go on',
  5: 'the processor context is corrupt (PCC)',
  6: 'an error was lost (overflow)',
  7: 'recovery is not supported',
  8: 'MCi_MISC or MCi_ADDR is not valid',
  9: 'the address mode is none that can be used',
  10: 'it was above the interrupt level of the scheduler',
  11: 'too few alternate contexts',
  12: 'interrupts were off',
  13: 'the swap was busy',
  14: 'stack overflow',
  15: 'unexpected failure',
  16: 'the bug check would be at the interrupt level of now',
  17: 'the fault address is not valid',
};
const ACTIONS = [
  'nothing was tried',
  'a process was ended',
  'handed on to a VM',
  'a page was marked bad',
  'the poison was gone',
];

const RECOVERY: Tabled = {
  type: SECTION_WHEA_RECOVERY,
  kind: 'whea-recovery',
  layout: {
    name: 'recovery section of Windows',
    source: source('WHEA_ERROR_RECOVERY_INFO_SECTION'),
    length: 39,
    fields: [
      u8('recoveryKernel', 0),
      u64('recoveryAction', 1),
      u32('recoveryType', 9, { values: { 1: 'action required', 2: 'action optional' } }),
      u8('irql', 13),
      u8('recoverySucceeded', 14),
      u32('failureReason', 15, { values: REASONS }),
      text('processName', 19, 20),
    ],
  },
  least: 39,
  say(body) {
    const action = wideOf(body, 'recoveryAction') ?? 0n;
    const done = ACTIONS.filter((_, bit) => hasBit(action, bit));
    const reason = numberOf(body, 'failureReason') ?? 0;
    const name = textOf(body, 'processName');
    const type = numberOf(body, 'recoveryType') === 1 ? 'action required' : 'action optional';
    return [
      `Windows ${numberOf(body, 'recoverySucceeded') === 0 ? `could not recover: ${REASONS[reason] ?? `reason ${reason}`}` : 'recovered'} (${type})${done.length === 0 ? '' : `; ${done.join(', ')}`}${name === '' ? '' : `; process ${name}`}.`,
    ];
  },
};

/** What an ESR says, in the words of its table. */
function esrWords(esr: bigint): string {
  const ec = describeEsr(esr).find(row => row.name === 'EC');
  return `ESR ${hex(esr)}${ec?.meaning === undefined ? '' : ` (${ec.meaning})`}`;
}
const abort =
  (what: string): Tabled['say'] =>
  body => {
    const far = wideOf(body, 'far');
    return [
      `${what}: ${esrWords(BigInt(numberOf(body, 'esr') ?? 0))}${far === undefined ? '' : `, FAR ${hex64(far)}`}.`,
    ];
  };
const abortRegisters = (body: CperTabled) => membersAsRegisters(body, { esr: 'ESR', far: 'FAR', par: 'PAR' });

const SEA: Tabled = {
  type: SECTION_WHEA_SEA,
  kind: 'whea-sea',
  layout: {
    name: 'SEA section of Windows',
    source: source('WHEA_SEA_SECTION'),
    length: 21,
    fields: [u32('esr', 0), u64('far', 4), u64('par', 12), u8('wasKernel', 20)],
  },
  least: 21,
  say: abort('Synchronous external abort'),
  registers: abortRegisters,
};
const SEI: Tabled = {
  type: SECTION_WHEA_SEI,
  kind: 'whea-sei',
  layout: {
    name: 'SEI section of Windows',
    source: source('WHEA_SEI_SECTION'),
    length: 12,
    fields: [u32('esr', 0), u64('far', 4)],
  },
  least: 12,
  say: abort('SError interrupt'),
  registers: abortRegisters,
};
const NMI: Tabled = {
  type: SECTION_WHEA_NMI,
  kind: 'whea-nmi',
  layout: {
    name: 'NMI section of Windows',
    source: source('WHEA_NMI_ERROR_SECTION'),
    length: 12,
    fields: [bytesOf('nmiData', 0, 8), u32('nmiFlags', 8, { meaning: 'bit 0: an error of the hypervisor' })],
  },
  least: 12,
  say: body => [`A non-maskable interrupt${numberOf(body, 'nmiFlags') === 1 ? ' that the hypervisor reports' : ''}.`],
};

export const WHEA: readonly Tabled[] = [INTEL_MEMORY, PMEM, MEMORY_SUMMARY, PCIE_SUMMARY, RECOVERY, SEA, SEI, NMI];
