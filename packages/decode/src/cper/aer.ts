/**
 * @module The registers of PCI Express that firmware copies into its records: command and status, the PCI Express capability, and
 * Advanced Error Reporting. Source: PCI Express Base Specification 6.0, 7.5.1, 7.5.3 and 7.8.4.
 */
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { Register } from '../registers/register.ts';
import type { NamedRegister } from './tabled.ts';

const PCI_STATUS_BITS = [
  bit(15, 'DETECTED_PARITY_ERROR', 'parity error detected, or a poisoned packet received'),
  bit(14, 'SYSTEM_ERROR', 'system error signalled'),
  bit(13, 'RECEIVED_MASTER_ABORT', 'unsupported request received (master abort)'),
  bit(12, 'RECEIVED_TARGET_ABORT', 'completer abort received (target abort)'),
  bit(11, 'SIGNALLED_TARGET_ABORT', 'completer abort signalled (target abort)'),
  bit(8, 'MASTER_DATA_PARITY_ERROR', 'data parity error as master'),
] as const;

export const PCI_STATUS = defineRegister({
  name: 'PCI Status',
  width: 16,
  source: 'PCIe 6.0, 7.5.1.1.4',
  fields: [...PCI_STATUS_BITS, bit(4, 'CAPABILITIES', 'has a list of capabilities'), bit(3, 'INTERRUPT')],
});

export const PCI_SECONDARY_STATUS = defineRegister({
  name: 'Secondary Status',
  width: 16,
  source: 'PCIe 6.0, 7.5.1.3.7',
  fields: [
    ...PCI_STATUS_BITS.slice(0, 1),
    bit(14, 'RECEIVED_SYSTEM_ERROR', 'system error received'),
    ...PCI_STATUS_BITS.slice(2),
  ],
});

export const BRIDGE_CONTROL = defineRegister({
  name: 'Bridge Control',
  width: 16,
  source: 'PCIe 6.0, 7.5.1.3.13',
  fields: [
    bit(11, 'DISCARD_TIMER_SERR'),
    bit(10, 'DISCARD_TIMER_STATUS', 'a discard timer expired'),
    bit(6, 'SECONDARY_BUS_RESET', 'the secondary bus is held in reset'),
    bit(5, 'MASTER_ABORT_MODE'),
    bit(4, 'VGA_16_BIT'),
    bit(3, 'VGA'),
    bit(2, 'ISA'),
    bit(1, 'SERR', 'system errors are forwarded'),
    bit(0, 'PARITY_RESPONSE', 'parity errors are answered'),
  ],
});

export const DEVICE_STATUS = defineRegister({
  name: 'Device Status',
  width: 16,
  source: 'PCIe 6.0, 7.5.3.5',
  fields: [
    bit(6, 'EMERGENCY_POWER_REDUCTION'),
    bit(5, 'TRANSACTIONS_PENDING', 'transactions are pending'),
    bit(4, 'AUX_POWER'),
    bit(3, 'UNSUPPORTED_REQUEST', 'unsupported request detected'),
    bit(2, 'FATAL_ERROR', 'fatal error detected'),
    bit(1, 'NON_FATAL_ERROR', 'non-fatal error detected'),
    bit(0, 'CORRECTABLE_ERROR', 'correctable error detected'),
  ],
});

/** Status, mask and severity have the same bits. */
const UNCORRECTABLE_BITS = [
  bit(30, 'PCRC_CHECK_FAILED', 'PCRC check failed'),
  bit(29, 'MISROUTED_IDE_TLP', 'misrouted IDE TLP'),
  bit(28, 'IDE_CHECK_FAILED', 'IDE check failed'),
  bit(27, 'DMWR_BLOCKED', 'DMWr request blocked at egress'),
  bit(26, 'POISONED_TLP_EGRESS_BLOCKED', 'poisoned TLP blocked at egress'),
  bit(25, 'TLP_PREFIX_BLOCKED', 'TLP prefix blocked'),
  bit(24, 'ATOMIC_OP_EGRESS_BLOCKED', 'AtomicOp blocked at egress'),
  bit(23, 'MC_BLOCKED_TLP', 'multicast TLP blocked'),
  bit(22, 'INTERNAL_ERROR', 'uncorrectable internal error'),
  bit(21, 'ACS_VIOLATION', 'ACS violation'),
  bit(20, 'UNSUPPORTED_REQUEST', 'unsupported request'),
  bit(19, 'ECRC_ERROR', 'ECRC error'),
  bit(18, 'MALFORMED_TLP', 'malformed TLP'),
  bit(17, 'RECEIVER_OVERFLOW', 'receiver overflow'),
  bit(16, 'UNEXPECTED_COMPLETION', 'unexpected completion'),
  bit(15, 'COMPLETER_ABORT', 'completer abort'),
  bit(14, 'COMPLETION_TIMEOUT', 'completion timeout'),
  bit(13, 'FLOW_CONTROL_PROTOCOL', 'flow control protocol error'),
  bit(12, 'POISONED_TLP', 'poisoned TLP received'),
  bit(5, 'SURPRISE_DOWN', 'link went down by surprise'),
  bit(4, 'DATA_LINK_PROTOCOL', 'data link protocol error'),
] as const;

const uncorrectable = (name: string, section: string): Register =>
  defineRegister({ name, width: 32, source: `PCIe 6.0, ${section}`, fields: UNCORRECTABLE_BITS });
export const AER_UNCORRECTABLE_STATUS = defineRegister({
  name: 'Uncorrectable Error Status',
  width: 32,
  source: 'PCIe 6.0, 7.8.4.2',
  fields: UNCORRECTABLE_BITS,
});
const AER_UNCORRECTABLE_MASK = uncorrectable('Uncorrectable Error Mask', '7.8.4.3');
const AER_UNCORRECTABLE_SEVERITY = uncorrectable('Uncorrectable Error Severity', '7.8.4.4');

const CORRECTABLE_BITS = [
  bit(15, 'HEADER_LOG_OVERFLOW', 'header log overflow'),
  bit(14, 'CORRECTED_INTERNAL_ERROR', 'corrected internal error'),
  bit(13, 'ADVISORY_NON_FATAL', 'advisory non-fatal error'),
  bit(12, 'REPLAY_TIMER_TIMEOUT', 'replay timer timeout'),
  bit(8, 'REPLAY_NUM_ROLLOVER', 'replay number rollover'),
  bit(7, 'BAD_DLLP', 'bad DLLP'),
  bit(6, 'BAD_TLP', 'bad TLP'),
  bit(0, 'RECEIVER_ERROR', 'receiver error'),
] as const;
export const AER_CORRECTABLE_STATUS = defineRegister({
  name: 'Correctable Error Status',
  width: 32,
  source: 'PCIe 6.0, 7.8.4.5',
  fields: CORRECTABLE_BITS,
});
const AER_CORRECTABLE_MASK = defineRegister({
  name: 'Correctable Error Mask',
  width: 32,
  source: 'PCIe 6.0, 7.8.4.6',
  fields: CORRECTABLE_BITS,
});

export const AER_CONTROL = defineRegister({
  name: 'Advanced Error Capabilities and Control',
  width: 32,
  source: 'PCIe 6.0, 7.8.4.7',
  fields: [
    bit(12, 'COMPLETION_TIMEOUT_LOG'),
    bit(11, 'TLP_PREFIX_LOG_PRESENT'),
    bit(10, 'MULTIPLE_HEADERS_ENABLED'),
    bit(9, 'MULTIPLE_HEADERS_CAPABLE'),
    bit(8, 'ECRC_CHECK_ENABLED'),
    bit(7, 'ECRC_CHECK_CAPABLE'),
    bit(6, 'ECRC_GENERATION_ENABLED'),
    bit(5, 'ECRC_GENERATION_CAPABLE'),
    bits(4, 0, 'FIRST_ERROR', 'bit of the first uncorrectable error'),
  ],
});

export const ROOT_ERROR_STATUS = defineRegister({
  name: 'Root Error Status',
  width: 32,
  source: 'PCIe 6.0, 7.8.4.10',
  fields: [
    bits(31, 27, 'INTERRUPT_MESSAGE'),
    bit(6, 'FATAL_MESSAGES', 'fatal error messages received'),
    bit(5, 'NON_FATAL_MESSAGES', 'non-fatal error messages received'),
    bit(4, 'FIRST_FATAL', 'the first uncorrectable error is fatal'),
    bit(3, 'MULTIPLE_UNCORRECTABLE', 'several uncorrectable error messages received'),
    bit(2, 'UNCORRECTABLE', 'uncorrectable error message received'),
    bit(1, 'MULTIPLE_CORRECTABLE', 'several correctable error messages received'),
    bit(0, 'CORRECTABLE', 'correctable error message received'),
  ],
});

type Place = readonly [name: string, at: number, size: 2 | 4, table?: Register];

const AER: readonly Place[] = [
  ['AER_HEADER', 0x00, 4],
  ['UNCORRECTABLE_ERROR_STATUS', 0x04, 4, AER_UNCORRECTABLE_STATUS],
  ['UNCORRECTABLE_ERROR_MASK', 0x08, 4, AER_UNCORRECTABLE_MASK],
  ['UNCORRECTABLE_ERROR_SEVERITY', 0x0c, 4, AER_UNCORRECTABLE_SEVERITY],
  ['CORRECTABLE_ERROR_STATUS', 0x10, 4, AER_CORRECTABLE_STATUS],
  ['CORRECTABLE_ERROR_MASK', 0x14, 4, AER_CORRECTABLE_MASK],
  ['ADVANCED_ERROR_CONTROL', 0x18, 4, AER_CONTROL],
  ['HEADER_LOG_0', 0x1c, 4],
  ['HEADER_LOG_1', 0x20, 4],
  ['HEADER_LOG_2', 0x24, 4],
  ['HEADER_LOG_3', 0x28, 4],
  ['ROOT_ERROR_COMMAND', 0x2c, 4],
  ['ROOT_ERROR_STATUS', 0x30, 4, ROOT_ERROR_STATUS],
  ['CORRECTABLE_ERROR_SOURCE', 0x34, 2],
  ['UNCORRECTABLE_ERROR_SOURCE', 0x36, 2],
  ['TLP_PREFIX_LOG_0', 0x38, 4],
  ['TLP_PREFIX_LOG_1', 0x3c, 4],
  ['TLP_PREFIX_LOG_2', 0x40, 4],
  ['TLP_PREFIX_LOG_3', 0x44, 4],
];

const CAPABILITY: readonly Place[] = [
  ['PCIE_CAPABILITIES', 0x02, 2],
  ['DEVICE_CAPABILITIES', 0x04, 4],
  ['DEVICE_CONTROL', 0x08, 2],
  ['DEVICE_STATUS', 0x0a, 2, DEVICE_STATUS],
  ['LINK_CAPABILITIES', 0x0c, 4],
  ['LINK_CONTROL', 0x10, 2],
  ['LINK_STATUS', 0x12, 2],
  ['SLOT_CAPABILITIES', 0x14, 4],
  ['SLOT_CONTROL', 0x18, 2],
  ['SLOT_STATUS', 0x1a, 2],
  ['ROOT_CONTROL', 0x1c, 2],
  ['ROOT_CAPABILITIES', 0x1e, 2],
  ['ROOT_STATUS', 0x20, 4],
  ['DEVICE_CAPABILITIES_2', 0x24, 4],
  ['DEVICE_CONTROL_2', 0x28, 2],
  ['DEVICE_STATUS_2', 0x2a, 2],
  ['LINK_CAPABILITIES_2', 0x2c, 4],
  ['LINK_CONTROL_2', 0x30, 2],
  ['LINK_STATUS_2', 0x32, 2],
];

function registersIn(data: Uint8Array | undefined, places: readonly Place[]): NamedRegister[] {
  if (data === undefined) return [];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return places
    .filter(([, at, size]) => at + size <= data.length)
    .map(([name, at, size, table]) => {
      const value = BigInt(size === 2 ? view.getUint16(at, true) : view.getUint32(at, true));
      return table === undefined ? { name, value } : { name, value, table };
    });
}

/** Ports that receive error messages: the others have no root registers, and firmware copies whatever stands there. */
const ROOT_PORTS: readonly number[] = [4, 10];
const ofRoot = (name: string): boolean => name.startsWith('ROOT_') || name.endsWith('_ERROR_SOURCE');

/** The registers of an AER capability structure of a port. A structure that firmware left empty has none. */
export function aerRegisters(data: Uint8Array | undefined, portType: number | undefined): NamedRegister[] {
  if (data?.every(b => b === 0) === true) return [];
  const all = registersIn(data, AER);
  const control = all.find(r => r.name === 'ADVANCED_ERROR_CONTROL')?.value ?? 0n;
  const isRoot = portType !== undefined && ROOT_PORTS.includes(portType);
  const hasPrefix = AER_CONTROL.read(control).TLP_PREFIX_LOG_PRESENT;
  return all.filter(({ name }) => (isRoot || !ofRoot(name)) && (hasPrefix || !name.startsWith('TLP_PREFIX')));
}

/** The registers of a PCI Express capability structure. A structure that firmware left empty has none. */
export const pcieRegisters = (data: Uint8Array | undefined): NamedRegister[] =>
  data?.every(b => b === 0) === true ? [] : registersIn(data, CAPABILITY);
