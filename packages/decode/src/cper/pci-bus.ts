/** @module Sections of conventional PCI: a bus, and a component. Sources: UEFI 2.10 N.2.8 and N.2.9. */
import { SECTION_PCI_BUS, SECTION_PCI_COMPONENT } from './guid.ts';
import { flag, u16, u24, u32, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';
import { hex, numberOf, restOf, wideOf } from './tabled.ts';
import type { NamedRegister, Tabled } from './tabled.ts';
import { hex64 } from '../common/hex.ts';
import type { CperTabled } from './record.ts';

const BUS_ERRORS: Readonly<Record<number, string>> = {
  0: 'unknown or OEM specific error',
  1: 'data parity error',
  2: 'system error',
  3: 'master abort',
  4: 'bus timeout, or no device present (no DEVSEL#)',
  5: 'master data parity error',
  6: 'address parity error',
  7: 'command parity error',
};

const BUS_LAYOUT: Layout = {
  name: 'PCI or PCI-X bus section',
  source: 'UEFI 2.10 N.2.8',
  length: 72,
  validation: { at: 0, size: 8, shared: { 2: 'bus' } },
  fields: [
    u64('errorStatus', 8, { valid: 0 }),
    u16('errorType', 16, { valid: 1, values: BUS_ERRORS }),
    u8('bus', 18, { valid: 2 }),
    u8('segment', 19, { valid: 2 }),
    u64('busAddress', 24, { valid: 3 }),
    u64('busData', 32, { valid: 4 }),
    u64('busCommand', 40, { valid: 5 }),
    u64('requestorId', 48, { valid: 6 }),
    u64('completerId', 56, { valid: 7 }),
    u64('targetId', 64, { valid: 8 }),
  ],
};

const COMPONENT_LAYOUT: Layout = {
  name: 'PCI component section',
  source: 'UEFI 2.10 N.2.9',
  length: 40,
  validation: { at: 0, size: 8, shared: { 1: 'vendorId' } },
  fields: [
    u64('errorStatus', 8, { valid: 0 }),
    u16('vendorId', 16, { valid: 1 }),
    u16('deviceId', 18, { valid: 1 }),
    u24('classCode', 20, { valid: 1 }),
    u8('function', 23, { valid: 1 }),
    u8('device', 24, { valid: 1 }),
    u8('bus', 25, { valid: 1 }),
    u8('segment', 26, { valid: 1 }),
    u32('memoryNumber', 32, { valid: 2 }),
    u32('ioNumber', 36, { valid: 3 }),
    flag('registerPairs', 4, 'pairs of a register and what was read there follow'),
  ],
};

const two = (n: number | undefined, width = 2): string => (n ?? 0).toString(16).padStart(width, '0');

/** Pairs of an address and what was read there: of memory first, then of I/O. */
function pairs(body: CperTabled): NamedRegister[] {
  const view = restOf(body);
  const memory = numberOf(body, 'memoryNumber') ?? 0;
  const all = Math.min(memory + (numberOf(body, 'ioNumber') ?? 0), Math.floor(view.byteLength / 16));
  return Array.from({ length: all }, (_, i) => ({
    name: `${i < memory ? 'MMIO' : 'IO'}_${hex(view.getBigUint64(16 * i, true))}`,
    value: view.getBigUint64(16 * i + 8, true),
    end: 16 * i + 16,
  }));
}

export const PCI_BUS: Tabled = {
  type: SECTION_PCI_BUS,
  kind: 'pci-bus',
  layout: BUS_LAYOUT,
  least: BUS_LAYOUT.length,
  say(body) {
    const type = numberOf(body, 'errorType');
    const bus = numberOf(body, 'bus');
    const address = wideOf(body, 'busAddress');
    const what = type === undefined ? 'error' : (BUS_ERRORS[type] ?? `error of type ${hex(type)}`);
    const where = bus === undefined ? '' : ` on bus ${two(numberOf(body, 'segment'), 4)}:${two(bus)}`;
    return [`PCI bus: ${what}${where}${address === undefined ? '' : `, bus address ${hex64(address)}`}.`];
  },
};

export const PCI_COMPONENT: Tabled = {
  type: SECTION_PCI_COMPONENT,
  kind: 'pci-component',
  layout: COMPONENT_LAYOUT,
  least: COMPONENT_LAYOUT.length,
  say(body) {
    const vendor = numberOf(body, 'vendorId');
    const at =
      vendor === undefined
        ? ''
        : ` of ${two(numberOf(body, 'segment'), 4)}:${two(numberOf(body, 'bus'))}:${two(numberOf(body, 'device'))}.${(numberOf(body, 'function') ?? 0).toString(16)} (${two(vendor, 4)}:${two(numberOf(body, 'deviceId'), 4)})`;
    const count = pairs(body).length;
    return [`PCI component error${at}.`, ...(count === 0 ? [] : [`It carries ${count} registers of the device.`])];
  },
  registers: pairs,
};
