/**
 * @module DMA remapping errors: generic, of Intel VT-d, of AMD's IOMMU. Sources: UEFI 2.10 N.2.11; VT-d specification 4.1, 11.4;
 * AMD I/O Virtualization Technology specification, 2.5.
 */
import { hex64 } from '../common/hex.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import { SECTION_DMAR, SECTION_DMAR_AMD, SECTION_DMAR_VTD } from './guid.ts';
import { bytesOf, u16, u32, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';
import { hex, membersAsRegisters, numberOf, wideOf } from './tabled.ts';
import type { Tabled } from './tabled.ts';

const REASONS: Readonly<Record<number, string>> = {
  1: 'the domain mapping table entry is not present',
  2: 'the domain mapping table entry is invalid',
  3: 'access to the domain mapping table failed',
  4: 'a reserved bit is set in the domain mapping table',
  5: 'the address is beyond the width of device addresses',
  6: 'read or write is not allowed',
  7: 'the device request is invalid',
  8: 'access to the address translation table failed',
  9: 'a reserved bit is set in the address translation table',
  10: 'illegal command',
  11: 'access to the command buffer failed',
};
const ACCESS: Readonly<Record<number, string>> = { 0: 'DMA write', 1: 'DMA read' };

const GENERIC_LAYOUT: Layout = {
  name: 'DMAr section',
  source: 'UEFI 2.10 N.2.11.1',
  length: 32,
  fields: [
    u16('requester', 0, { meaning: 'bus, device and function' }),
    u16('segment', 2),
    u8('faultReason', 4, { values: REASONS }),
    u8('accessType', 5, { values: ACCESS }),
    u8('addressType', 6, { values: { 0: 'untranslated request', 1: 'translation request' } }),
    u8('architecture', 7, { values: { 0: 'VT-d', 1: 'IOMMU' } }),
    u64('deviceAddress', 8),
  ],
};

const REQUESTER = defineRegister({
  name: 'Requester ID',
  width: 16,
  source: 'PCIe 6.0, 2.2.6.2',
  fields: [bits(15, 8, 'BUS'), bits(7, 3, 'DEVICE'), bits(2, 0, 'FUNCTION')],
});

/** `0000:3a:00.1`. */
function deviceName(segment: number, requester: number | bigint): string {
  const { BUS, DEVICE, FUNCTION } = REQUESTER.read(BigInt(requester));
  const two = (n: bigint): string => n.toString(16).padStart(2, '0');
  return `${segment.toString(16).padStart(4, '0')}:${two(BUS)}:${two(DEVICE)}.${FUNCTION}`;
}

export const DMAR: Tabled = {
  type: SECTION_DMAR,
  kind: 'dmar',
  layout: GENERIC_LAYOUT,
  least: 16,
  say(body) {
    const reason = numberOf(body, 'faultReason') ?? 0;
    const access = ACCESS[numberOf(body, 'accessType') ?? -1] ?? 'DMA request';
    const who = deviceName(numberOf(body, 'segment') ?? 0, numberOf(body, 'requester') ?? 0);
    return [
      `${access} of device ${who} to device address ${hex64(wideOf(body, 'deviceAddress') ?? 0n)}: ${REASONS[reason] ?? `fault reason ${hex(reason)}`}.`,
    ];
  },
};

const TABLES = ['pte6', 'pte5', 'pte4', 'pte3', 'pte2', 'pte1'] as const;
const tables = (at: number): ReturnType<typeof u64>[] => TABLES.map((name, i) => u64(name, at + 8 * i));
const TABLE_NAMES = Object.fromEntries(TABLES.map(name => [name, name.toUpperCase()]));

const VTD_LAYOUT: Layout = {
  name: 'VT-d section',
  source: 'UEFI 2.10 N.2.11.2',
  length: 144,
  fields: [
    u8('version', 0),
    u8('revision', 1),
    bytesOf('oemId', 2, 6),
    u64('capabilities', 8),
    u64('extendedCapabilities', 16),
    u32('globalCommand', 24),
    u32('globalStatus', 28),
    u32('faultStatus', 32),
    u64('faultRecordLow', 48),
    u64('faultRecordHigh', 56),
    u64('rootEntryLow', 64),
    u64('rootEntryHigh', 72),
    u64('contextEntryLow', 80),
    u64('contextEntryHigh', 88),
    ...tables(96),
  ],
};

/** The upper half of a fault recording register. */
export const VTD_FAULT_RECORD = defineRegister({
  name: 'FRCD_REG[127:64]',
  width: 64,
  source: 'VT-d 4.1, 11.4.14',
  fields: [
    bit(63, 'F', 'a fault is recorded'),
    bit(62, 'T1', 'type of the request, bit 0'),
    bits(61, 60, 'AT', 'address type'),
    bits(59, 40, 'PV', 'process address space id'),
    bits(39, 32, 'FR', 'fault reason'),
    bit(31, 'PP', 'the process address space id is valid'),
    bit(30, 'EXE', 'execute was requested'),
    bit(29, 'PRIV', 'supervisor privilege was requested'),
    bit(28, 'T2', 'type of the request, bit 1'),
    bits(15, 0, 'SID', 'source id'),
  ],
});

export const DMAR_VTD: Tabled = {
  type: SECTION_DMAR_VTD,
  kind: 'dmar-vtd',
  layout: VTD_LAYOUT,
  least: VTD_LAYOUT.length,
  say(body) {
    const high = wideOf(body, 'faultRecordHigh') ?? 0n;
    const { F, FR, SID } = VTD_FAULT_RECORD.read(high);
    if (!F) return ['No fault is recorded in its fault recording register.'];
    const address = wideOf(body, 'faultRecordLow') ?? 0n;
    return [
      `Fault ${hex(FR)} of device ${deviceName(0, SID)} (segment not told), fault information ${hex64(address)}.`,
    ];
  },
  registers: body => [
    ...membersAsRegisters(body, {
      capabilities: 'CAP_REG',
      extendedCapabilities: 'ECAP_REG',
      globalCommand: 'GCMD_REG',
      globalStatus: 'GSTS_REG',
      faultStatus: 'FSTS_REG',
      faultRecordLow: 'FRCD_REG[63:0]',
    }),
    { name: 'FRCD_REG[127:64]', value: wideOf(body, 'faultRecordHigh') ?? 0n, table: VTD_FAULT_RECORD, isMember: true },
    ...membersAsRegisters(body, TABLE_NAMES),
  ],
};

const IOMMU_LAYOUT: Layout = {
  name: 'IOMMU section',
  source: 'UEFI 2.10 N.2.11.3',
  length: 144,
  fields: [
    u8('revision', 0),
    u64('iommuControl', 8),
    u64('iommuStatus', 16),
    u64('eventLogLow', 32),
    u64('eventLogHigh', 40),
    u64('deviceTable0', 64),
    u64('deviceTable1', 72),
    u64('deviceTable2', 80),
    u64('deviceTable3', 88),
    ...tables(96),
  ],
};

const EVENTS: Readonly<Record<number, string>> = {
  1: 'illegal device table entry',
  2: 'I/O page fault',
  3: 'hardware error of the device table',
  4: 'hardware error of a page table',
  5: 'illegal command',
  6: 'hardware error of the command buffer',
  7: 'invalidation of the IOTLB timed out',
  8: 'invalid device request',
};

export const IOMMU_EVENT = defineRegister({
  name: 'EventLog[63:0]',
  width: 64,
  source: 'AMD-Vi, 2.5',
  fields: [bits(63, 60, 'CODE', 'event', EVENTS), bits(47, 32, 'DOMAIN', 'domain'), bits(15, 0, 'DEVICE', 'device')],
});

export const DMAR_IOMMU: Tabled = {
  type: SECTION_DMAR_AMD,
  kind: 'dmar-iommu',
  layout: IOMMU_LAYOUT,
  least: IOMMU_LAYOUT.length,
  say(body) {
    const low = wideOf(body, 'eventLogLow') ?? 0n;
    if (low === 0n) return ['Its event log entry is empty.'];
    const { CODE, DEVICE } = IOMMU_EVENT.read(low);
    const address = hex64(wideOf(body, 'eventLogHigh') ?? 0n);
    return [
      `Event: ${EVENTS[Number(CODE)] ?? `event ${hex(CODE)}`}, device ${deviceName(0, DEVICE)} (segment not told), second half of the entry ${address}.`,
    ];
  },
  registers: body => [
    ...membersAsRegisters(body, { iommuControl: 'IOMMU_CONTROL', iommuStatus: 'IOMMU_STATUS' }),
    { name: 'EVENT_LOG[63:0]', value: wideOf(body, 'eventLogLow') ?? 0n, table: IOMMU_EVENT, isMember: true },
    ...membersAsRegisters(body, {
      eventLogHigh: 'EVENT_LOG[127:64]',
      deviceTable0: 'DTE[63:0]',
      deviceTable1: 'DTE[127:64]',
      deviceTable2: 'DTE[191:128]',
      deviceTable3: 'DTE[255:192]',
      ...TABLE_NAMES,
    }),
  ],
};
