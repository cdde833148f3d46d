/** @module The PCIe error section. Source: UEFI 2.10 N.2.7. */
import { bytesOf, part, u16, u24, u32, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';

export const PCIE_PORT_TYPES: Readonly<Record<number, string>> = {
  0: 'PCIe endpoint',
  1: 'legacy PCI endpoint',
  4: 'root port',
  5: 'upstream switch port',
  6: 'downstream switch port',
  7: 'PCIe to PCI bridge',
  8: 'PCI to PCIe bridge',
  9: 'root complex integrated endpoint',
  10: 'root complex event collector',
};

const ID = { valid: 3 };

export const PCIE_LAYOUT: Layout = {
  name: 'PCIe section',
  source: 'UEFI 2.10 N.2.7',
  length: 208,
  validation: { at: 0, size: 8, shared: { 2: 'commandStatus', 3: 'deviceId', 5: 'bridgeControlStatus' } },
  fields: [
    u32('portType', 8, { valid: 0, values: PCIE_PORT_TYPES }),
    u32('version', 12, { valid: 1, meaning: 'PCIe version, major and minor in BCD' }),
    u16('command', 16, { valid: 2 }),
    u16('status', 18, { valid: 2 }),
    u16('vendorId', 24, ID),
    u16('deviceId', 26, ID),
    u24('classCode', 28, ID),
    u8('function', 31, ID),
    u8('device', 32, ID),
    u16('segment', 33, ID),
    u8('bus', 35, ID),
    u8('secondaryBus', 36, ID),
    part('slot', 37, 2, 15, 3, ID),
    u64('serialNumber', 40, { valid: 4 }),
    u16('bridgeSecondaryStatus', 48, { valid: 5 }),
    u16('bridgeControl', 50, { valid: 5 }),
    bytesOf('capability', 52, 60, { valid: 6 }),
    bytesOf('aer', 112, 96, { valid: 7 }),
  ],
};
