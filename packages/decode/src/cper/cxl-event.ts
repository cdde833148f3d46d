/**
 * @module Events of CXL components: memory media, DRAM, memory module, and those of switches, of which only the head is taken apart.
 * Sources: UEFI 2.10 N.2.14 for what stands before the event; CXL 3.1, 8.2.9.2.1 "Event Records".
 */
import { hex64 } from '../common/hex.ts';
import { hasBit, maskOf } from '../registers/field.ts';
import {
  SECTION_CXL_DRAM,
  SECTION_CXL_MEDIA,
  SECTION_CXL_MLD_PORT,
  SECTION_CXL_MODULE,
  SECTION_CXL_SWITCH,
  SECTION_CXL_VIRTUAL_SWITCH,
} from './guid.ts';
import { bytesOf, part, u16, u24, u32, u64, u8 } from './layout.ts';
import type { Layout, LayoutField } from './layout.ts';
import type { CperTabled, CperTabledKind } from './record.ts';
import { hex, numberOf, wideOf } from './tabled.ts';
import type { Tabled } from './tabled.ts';

const ID = { valid: 0 };

/** The device, and what all events begin with behind their UUID, which is the type of the section. */
const HEAD: readonly LayoutField[] = [
  u32('length', 0),
  u16('vendorId', 12, ID),
  u16('deviceId', 14, ID),
  u8('function', 16, ID),
  u8('device', 17, ID),
  u8('bus', 18, ID),
  u16('segment', 19, ID),
  part('slot', 21, 2, 15, 3, ID),
  u64('serialNumber', 24, { valid: 1 }),
  u8('recordLength', 32, { valid: 2 }),
  u24('recordFlags', 33, { valid: 2 }),
  u16('handle', 36, { valid: 2 }),
  u16('relatedHandle', 38, { valid: 2 }),
  u64('eventTimestamp', 40, { valid: 2, meaning: 'ns since 1970, by the clock of the device' }),
  u8('maintenanceClass', 48, { valid: 2 }),
];
const LOG = { valid: 2 };
const HEAD_LENGTH = 64;
/** The header of a section without an event behind it. */
const LEAST = 32;

const TRANSACTIONS: Readonly<Record<number, string>> = {
  0: 'unknown transaction',
  1: 'host read',
  2: 'host write',
  3: 'host scan media',
  4: 'host inject poison',
  5: 'internal media scrub',
  6: 'internal media management',
  7: 'internal error check scrub',
  8: 'media initialization',
};
const MEDIA_TYPES: Readonly<Record<number, string>> = {
  0: 'ECC error',
  1: 'invalid address',
  2: 'data path error',
  3: 'TE state violation',
  4: 'ECC error found by the scrubber',
  5: 'counter of corrected errors expired',
  6: 'CKID violation',
};
/** Numbered otherwise than those of general media. */
const DRAM_TYPES: Readonly<Record<number, string>> = {
  0: 'ECC error',
  1: 'ECC error found by the scrubber',
  2: 'invalid address',
  3: 'data path error',
  4: 'TE state violation',
  5: 'counter of corrected errors expired',
  6: 'CKID violation',
};
const MODULE_TYPES: Readonly<Record<number, string>> = {
  0: 'health status changed',
  1: 'media status changed',
  2: 'life used changed',
  3: 'temperature changed',
  4: 'data path error',
  5: 'label storage area error',
  6: 'unrecoverable internal sideband error',
  7: 'memory media FRU error',
  8: 'power management fault',
};
const DESCRIPTOR = ['uncorrectable', 'threshold reached', 'poison list overflow'] as const;
/** Low bits of the address: volatile, and may not be repaired. */
const DPA_FLAGS = maskOf(5, 0);

const memoryFields = (types: Readonly<Record<number, string>>): LayoutField[] => [
  u64('devicePhysicalAddress', 64, LOG),
  u8('descriptor', 72, { ...LOG, meaning: 'bit 0 uncorrectable, 1 threshold reached, 2 poison list overflow' }),
  u8('memoryEventType', 73, { ...LOG, values: types }),
  u8('transactionType', 74, { ...LOG, values: TRANSACTIONS }),
  u16('validityFlags', 75, LOG),
  u8('channel', 77, LOG),
  u8('rank', 78, LOG),
];

const layout = (name: string, section: string, length: number, fields: readonly LayoutField[]): Layout => ({
  name,
  source: `CXL 3.1 ${section}`,
  length,
  validation: { at: 4, size: 8, shared: { 0: 'deviceId', 2: 'eventLog' } },
  fields: [...HEAD, ...fields],
});

const MEDIA_LAYOUT = layout('CXL general media event', '8.2.9.2.1.1', 144, [
  ...memoryFields(MEDIA_TYPES),
  u24('mediaDevice', 79, LOG),
  bytesOf('componentId', 82, 16, LOG),
  u8('thresholdFlags', 98, LOG),
  u24('correctedCount', 99, LOG),
  u8('memoryEventSubType', 102, LOG),
]);
const DRAM_LAYOUT = layout('CXL DRAM event', '8.2.9.2.1.2', 144, [
  ...memoryFields(DRAM_TYPES),
  u24('nibbleMask', 79, LOG),
  u8('bankGroup', 82, LOG),
  u8('bank', 83, LOG),
  u24('row', 84, LOG),
  u16('column', 87, LOG),
  bytesOf('correctionMask', 89, 32, LOG),
  bytesOf('componentId', 121, 16, LOG),
  u8('subChannel', 137, LOG),
  u8('thresholdFlags', 138, LOG),
  u24('correctedCount', 139, LOG),
  u8('memoryEventSubType', 142, LOG),
]);
const MODULE_LAYOUT = layout('CXL memory module event', '8.2.9.2.1.3', 144, [
  u8('moduleEventType', 64, { ...LOG, values: MODULE_TYPES }),
  u8('healthStatus', 65, {
    ...LOG,
    meaning: 'bit 0 maintenance needed, 1 performance degraded, 2 replacement needed, 3 capacity degraded',
  }),
  u8('mediaStatus', 66, LOG),
  u8('additionalStatus', 67, LOG),
  u8('lifeUsed', 68, { ...LOG, meaning: 'percent' }),
  u16('deviceTemperature', 69, { ...LOG, meaning: 'degrees Celsius, signed' }),
  u32('dirtyShutdowns', 71, LOG),
  u32('volatileCorrected', 75, LOG),
  u32('persistentCorrected', 79, LOG),
]);
const OTHER_LAYOUT = layout('CXL component event', '8.2.9.2.1', HEAD_LENGTH, []);

/** The bit of the validity flags of a member; CXL 3.1, tables 8-45 and 8-46. */
const MEDIA_PLACES = [
  ['channel', 0, 'channel'],
  ['rank', 1, 'rank'],
  ['mediaDevice', 2, 'device'],
] as const;
const DRAM_PLACES = [
  ['channel', 0, 'channel'],
  ['subChannel', 10, 'sub-channel'],
  ['rank', 1, 'rank'],
  ['bankGroup', 3, 'bank group'],
  ['bank', 4, 'bank'],
  ['row', 5, 'row'],
  ['column', 6, 'column'],
] as const;
const PLACES: Readonly<Partial<Record<CperTabledKind, readonly (readonly [string, number, string])[]>>> = {
  'cxl-media': MEDIA_PLACES,
  'cxl-dram': DRAM_PLACES,
};

/** The places that an event names: `[member, value, word]`; empty for events that name none. */
export function cxlPlaces(body: CperTabled): [member: string, value: number, word: string][] {
  const validity = BigInt(numberOf(body, 'validityFlags') ?? 0);
  return (PLACES[body.kind] ?? []).flatMap(([member, bit, word]) => {
    const value = numberOf(body, member);
    return value === undefined || !hasBit(validity, bit) ? [] : [[member, value, word] as [string, number, string]];
  });
}

function device(body: CperTabled): string[] {
  const vendor = numberOf(body, 'vendorId');
  if (vendor === undefined) return [];
  const n = (name: string, width = 2): string => (numberOf(body, name) ?? 0).toString(16).padStart(width, '0');
  const serial = wideOf(body, 'serialNumber');
  return [
    `Device ${n('segment', 4)}:${n('bus')}:${n('device')}.${n('function', 1)} (${n('vendorId', 4)}:${n('deviceId', 4)})${serial === undefined ? '' : `, serial number ${hex(serial)}`}.`,
  ];
}

const memory =
  (types: Readonly<Record<number, string>>): Tabled['say'] =>
  body => {
    const dpa = wideOf(body, 'devicePhysicalAddress');
    if (dpa === undefined) return [...device(body), 'It holds no event.'];
    const descriptor = BigInt(numberOf(body, 'descriptor') ?? 0);
    const type = numberOf(body, 'memoryEventType') ?? 0;
    const transaction = numberOf(body, 'transactionType') ?? 0;
    const flags = DESCRIPTOR.filter((_, bit) => hasBit(descriptor, bit));
    const places = cxlPlaces(body).map(([, value, word]) => `${word} ${value}`);
    return [
      `Device physical address ${hex64(dpa & ~DPA_FLAGS)}, which is no address of the host: the CXL driver of the kernel translates it.`,
      `Event: ${types[type] ?? `type ${hex(type)}`} on ${TRANSACTIONS[transaction] ?? `transaction ${hex(transaction)}`}${flags.length === 0 ? '' : ` (${flags.join(', ')})`}.`,
      ...(places.length === 0 ? [] : [`Place: ${places.join(', ')}.`]),
      ...device(body),
    ];
  };

export const CXL_MEDIA: Tabled = {
  type: SECTION_CXL_MEDIA,
  kind: 'cxl-media',
  layout: MEDIA_LAYOUT,
  least: LEAST,
  say: memory(MEDIA_TYPES),
};
export const CXL_DRAM: Tabled = {
  type: SECTION_CXL_DRAM,
  kind: 'cxl-dram',
  layout: DRAM_LAYOUT,
  least: LEAST,
  say: memory(DRAM_TYPES),
};
export const CXL_MODULE: Tabled = {
  type: SECTION_CXL_MODULE,
  kind: 'cxl-module',
  layout: MODULE_LAYOUT,
  least: LEAST,
  say(body) {
    const type = numberOf(body, 'moduleEventType');
    if (type === undefined) return [...device(body), 'It holds no event.'];
    const life = numberOf(body, 'lifeUsed') ?? 0;
    const temperature = numberOf(body, 'deviceTemperature') ?? 0;
    return [
      `Event: ${MODULE_TYPES[type] ?? `type ${hex(type)}`}; health ${hex(numberOf(body, 'healthStatus') ?? 0)}, life used ${life} %, ${temperature < 0x8000 ? temperature : temperature - 0x1_0000} degrees Celsius.`,
      `Corrected so far: ${numberOf(body, 'volatileCorrected') ?? 0} in volatile, ${numberOf(body, 'persistentCorrected') ?? 0} in persistent memory.`,
      ...device(body),
    ];
  },
};

const other = (type: string, kind: CperTabledKind): Tabled => ({
  type,
  kind,
  layout: OTHER_LAYOUT,
  least: LEAST,
  say: body => [
    ...device(body),
    `Event of a switch: ${body.trailing?.length ?? 0} bytes behind its head are kept, and not taken apart.`,
  ],
});
export const CXL_SWITCHES: readonly Tabled[] = [
  other(SECTION_CXL_SWITCH, 'cxl-switch'),
  other(SECTION_CXL_VIRTUAL_SWITCH, 'cxl-virtual-switch'),
  other(SECTION_CXL_MLD_PORT, 'cxl-mld-port'),
];
