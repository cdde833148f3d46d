/**
 * @module What is public of sections that UEFI leaves to others: the events of CXL components, and those of vendors. The
 * bytes stay as they are; here they are only spoken of. Sources: CXL 3.1, 8.2.9.2.1 "Event Records", and UEFI 2.10 N.2.14
 * for what stands before them; the fields that Ampere and NVIDIA published with their readers for rasdaemon.
 */
import { hex64 } from '../common/hex.ts';
import { hasBit, maskOf } from '../registers/field.ts';
import { bits, defineRegister } from '../registers/register.ts';
import { SECTION_AMPERE, SECTION_CXL_DRAM, SECTION_CXL_MEDIA, SECTION_NVIDIA_GRACE } from './guid.ts';

type Say = (view: DataView) => string[];
interface Vendor {
  /** Bytes without which nothing is said. */
  readonly least: number;
  readonly say: Say;
}

const hex = (n: number): string => `0x${n.toString(16)}`;

/** Behind the length, the validation bits, the device and its serial number, and the header of the event. */
const CXL_EVENT = 64;
const CXL_DPA_FLAGS = maskOf(5, 0);
const CXL_DESCRIPTOR = ['uncorrectable', 'threshold reached', 'poison list overflow'] as const;
const CXL_MEDIA_TYPE = ['ECC error', 'invalid address', 'data path error'] as const;
const CXL_TRANSACTION = [
  'unknown',
  'host read',
  'host write',
  'host scan media',
  'host inject poison',
  'internal media scrub',
  'internal media management',
] as const;

/** What general media and DRAM events have in common, and the places that each of them names. */
const cxlMemory =
  (places: (view: DataView, has: (bit: number) => boolean) => string[]): Say =>
  view => {
    const dpa = view.getBigUint64(CXL_EVENT, true);
    const descriptor = BigInt(view.getUint8(CXL_EVENT + 8));
    const type = view.getUint8(CXL_EVENT + 9);
    const transaction = view.getUint8(CXL_EVENT + 10);
    const validity = BigInt(view.getUint16(CXL_EVENT + 11, true));
    const flags = CXL_DESCRIPTOR.filter((_, bit) => hasBit(descriptor, bit));
    const where = places(view, bit => hasBit(validity, bit));
    return [
      `Device physical address ${hex64(dpa & ~CXL_DPA_FLAGS)}, which is no address of the host: the CXL driver of the kernel translates it.`,
      `Event: ${CXL_MEDIA_TYPE[type] ?? `type ${hex(type)}`} on ${CXL_TRANSACTION[transaction] ?? `transaction ${hex(transaction)}`}${flags.length === 0 ? '' : ` (${flags.join(', ')})`}.`,
      ...(where.length === 0 ? [] : [`Place: ${where.join(', ')}.`]),
    ];
  };

const u24 = (view: DataView, at: number): number => view.getUint16(at, true) + 0x1_0000 * view.getUint8(at + 2);

const cxlMedia = cxlMemory((view, has) => [
  ...(has(0) ? [`channel ${view.getUint8(CXL_EVENT + 13)}`] : []),
  ...(has(1) ? [`rank ${view.getUint8(CXL_EVENT + 14)}`] : []),
  ...(has(2) ? [`device ${u24(view, CXL_EVENT + 15)}`] : []),
]);

const cxlDram = cxlMemory((view, has) => [
  ...(has(0) ? [`channel ${view.getUint8(CXL_EVENT + 13)}`] : []),
  ...(has(1) ? [`rank ${view.getUint8(CXL_EVENT + 14)}`] : []),
  ...(has(3) ? [`bank group ${view.getUint8(CXL_EVENT + 18)}`] : []),
  ...(has(4) ? [`bank ${view.getUint8(CXL_EVENT + 19)}`] : []),
  ...(has(5) ? [`row ${u24(view, CXL_EVENT + 20)}`] : []),
  ...(has(6) ? [`column ${view.getUint16(CXL_EVENT + 23, true)}`] : []),
]);

const AMPERE_TYPES: Readonly<Record<number, string>> = {
  0: 'processor module (CPM)',
  1: 'memory controller (MCU)',
  2: 'mesh',
  3: 'link between the sockets (2P, Altra)',
  4: 'link between the sockets (2P, Altra Max)',
  5: 'interrupt controller (GIC)',
  6: 'SMMU',
  7: 'PCIe AER',
  8: 'PCIe data path (RASDP)',
  9: 'on-chip memory (OCM)',
  10: 'SMpro',
  11: 'PMpro',
  12: 'ATF firmware',
  13: 'SMpro firmware',
  14: 'PMpro firmware',
  63: 'boot error record (BERT)',
};

/** The first four bytes. Source: Ampere's reader for rasdaemon, non-standard-ampere.h. */
const AMPERE_HEADER = defineRegister({
  name: 'Ampere section header',
  width: 32,
  source: 'rasdaemon non-standard-ampere.h',
  fields: [
    bits(31, 30, 'SOCKET', 'socket'),
    bits(29, 16, 'INSTANCE', 'instance'),
    bits(15, 8, 'SUBTYPE', 'subtype'),
    bits(7, 6, 'PAYLOAD', 'form of what follows'),
    bits(5, 0, 'TYPE', 'type'),
  ],
});

const ampere: Say = view => {
  const { SOCKET, INSTANCE, SUBTYPE, PAYLOAD, TYPE } = AMPERE_HEADER.read(BigInt(view.getUint32(0, true)));
  const said = [
    `Type ${TYPE}: ${AMPERE_TYPES[Number(TYPE)] ?? 'not public'}, subtype ${SUBTYPE}, instance ${INSTANCE} of socket ${SOCKET}.`,
  ];
  // Payload 0: the registers of an Armv8 RAS error record.
  if (PAYLOAD === 0n && view.byteLength >= 16) {
    said.push(`ERR<n>STATUS ${hex(view.getUint32(4, true))}, ERR<n>ADDR ${hex64(view.getBigUint64(8, true))}.`);
  }
  return said;
};

const NVIDIA_PAIRS = 32;
const NVIDIA_SHOWN = 8;

const nvidia: Say = view => {
  const signature = Array.from({ length: 16 }, (_, i) => view.getUint8(i))
    .filter(c => c >= 0x20 && c <= 0x7e)
    .map(c => String.fromCharCode(c))
    .join('');
  const count = view.getUint8(22);
  const there = Math.min(count, Math.floor((view.byteLength - NVIDIA_PAIRS) / 16), NVIDIA_SHOWN);
  const pairs = Array.from({ length: there }, (_, i) => {
    const at = NVIDIA_PAIRS + 16 * i;
    return `${hex64(view.getBigUint64(at, true))} = ${hex64(view.getBigUint64(at + 8, true))}`;
  });
  return [
    `${signature}: error type ${view.getUint16(16, true)}, instance ${view.getUint16(18, true)}, severity ${view.getUint8(20)}, socket ${view.getUint8(21)}, ${count} registers.`,
    ...(pairs.length === 0 ? [] : [`Registers: ${pairs.join('; ')}${count > there ? '; …' : ''}.`]),
  ];
};

const VENDORS: ReadonlyMap<string, Vendor> = new Map([
  [SECTION_CXL_MEDIA, { least: CXL_EVENT + 18, say: cxlMedia }],
  [SECTION_CXL_DRAM, { least: CXL_EVENT + 25, say: cxlDram }],
  [SECTION_AMPERE, { least: 4, say: ampere }],
  [SECTION_NVIDIA_GRACE, { least: NVIDIA_PAIRS, say: nvidia }],
]);

/**
 * What a section says that UEFI leaves to others, whole sentences; undefined for types of which nothing is public, and for
 * one that is too short.
 *
 * @example
 * vendorWords(SECTION_AMPERE, Uint8Array.of(3, 0, 1, 0x40)) // ['Type 3: link between the sockets (2P, Altra), …']
 */
export function vendorWords(type: string, data: Uint8Array): string[] | undefined {
  const vendor = VENDORS.get(type.toLowerCase());
  if (vendor === undefined || data.length < vendor.least) return undefined;
  return vendor.say(new DataView(data.buffer, data.byteOffset, data.byteLength));
}
