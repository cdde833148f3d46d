/**
 * @module The CXL protocol error section, with the RAS capability behind it. Sources: UEFI 2.10 N.2.13; CXL 3.1, 8.2.4.17 "CXL RAS
 * Capability Structure".
 */
import { hex64 } from '../common/hex.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import { pcieRegisters } from './aer.ts';
import { SECTION_CXL_PROTOCOL } from './guid.ts';
import { bytesOf, part, u16, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';
import type { CperTabled } from './record.ts';
import { meaningsOf, numberOf, restOf, wideOf } from './tabled.ts';
import type { NamedRegister, Tabled } from './tabled.ts';

const AGENTS: Readonly<Record<number, string>> = {
  0: 'restricted CXL device (CXL 1.1)',
  1: 'downstream port of a restricted CXL host (CXL 1.1)',
  2: 'CXL device',
  3: 'CXL logical device',
  4: 'CXL logical device of a fabric manager',
  5: 'CXL root port',
  6: 'CXL downstream switch port',
  7: 'CXL upstream switch port',
};
/** Its address is that of its registers (RCRB), and no bus address. */
const RCH_PORT = 1;

const LAYOUT: Layout = {
  name: 'CXL protocol error section',
  source: 'UEFI 2.10 N.2.13',
  length: 116,
  validation: { at: 0, size: 8, shared: { 2: 'vendorId' } },
  fields: [
    u8('agentType', 8, { valid: 0, values: AGENTS }),
    u64('agentAddress', 16, {
      valid: 1,
      meaning: 'function, device, bus and segment; of a host port the base of its registers',
    }),
    u16('vendorId', 24, { valid: 2 }),
    u16('deviceId', 26, { valid: 2 }),
    u16('subsystemVendorId', 28, { valid: 2 }),
    u16('subsystemId', 30, { valid: 2 }),
    u16('class', 32, { valid: 2 }),
    part('slot', 34, 2, 15, 3, { valid: 2 }),
    u64('serialNumber', 40, { valid: 3 }),
    bytesOf('capability', 48, 60, { valid: 4 }),
    u16('dvsecLength', 108, { valid: 5 }),
    u16('errorLogLength', 110, { valid: 6 }),
  ],
};

const AGENT_ADDRESS = defineRegister({
  name: 'CXL agent address',
  width: 64,
  source: 'UEFI 2.10 N.2.13, CXL agent address',
  fields: [bits(39, 24, 'SEGMENT'), bits(23, 16, 'BUS'), bits(15, 8, 'DEVICE'), bits(7, 0, 'FUNCTION')],
});

const UNCORRECTABLE = [
  bit(16, 'IDE_RECEIVE', 'IDE receive error'),
  bit(15, 'IDE_TRANSMIT', 'IDE transmit error'),
  bit(14, 'INTERNAL', 'component specific error'),
  bit(11, 'RECEIVER_OVERFLOW', 'receiver overflow'),
  bit(10, 'POISON_RECEIVED', 'poison received from the peer'),
  bit(9, 'RESERVED_ENCODING', 'reserved encoding received'),
  bit(8, 'REINIT_THRESHOLD', 'retrain threshold reached'),
  bit(7, 'MEM_DATA_ECC', 'uncorrectable ECC error in CXL.mem data'),
  bit(6, 'MEM_BE_PARITY', 'parity error of byte enables in CXL.mem'),
  bit(5, 'MEM_ADDRESS_PARITY', 'parity error of an address in CXL.mem'),
  bit(4, 'MEM_DATA_PARITY', 'parity error in CXL.mem data'),
  bit(3, 'CACHE_DATA_ECC', 'uncorrectable ECC error in CXL.cache data'),
  bit(2, 'CACHE_BE_PARITY', 'parity error of byte enables in CXL.cache'),
  bit(1, 'CACHE_ADDRESS_PARITY', 'parity error of an address in CXL.cache'),
  bit(0, 'CACHE_DATA_PARITY', 'parity error in CXL.cache data'),
] as const;
const CORRECTABLE = [
  bit(6, 'PHYSICAL_LAYER', 'error of the physical layer'),
  bit(5, 'MEM_POISON_RECEIVED', 'poison received on CXL.mem'),
  bit(4, 'CACHE_POISON_RECEIVED', 'poison received on CXL.cache'),
  bit(3, 'RETRY_THRESHOLD', 'retry threshold reached'),
  bit(2, 'CRC_THRESHOLD', 'CRC threshold reached'),
  bit(1, 'MEM_DATA_ECC', 'corrected ECC error in CXL.mem data'),
  bit(0, 'CACHE_DATA_ECC', 'corrected ECC error in CXL.cache data'),
] as const;

const source = 'CXL 3.1, 8.2.4.17';
export const CXL_UNCORRECTABLE_STATUS = defineRegister({
  name: 'CXL Uncorrectable Error Status',
  width: 32,
  source,
  fields: UNCORRECTABLE,
});
export const CXL_CORRECTABLE_STATUS = defineRegister({
  name: 'CXL Correctable Error Status',
  width: 32,
  source,
  fields: CORRECTABLE,
});
const CONTROL = defineRegister({
  name: 'CXL Error Capabilities and Control',
  width: 32,
  source,
  fields: [
    bit(13, 'POISON_ENABLED'),
    bit(9, 'MULTIPLE_HEADERS'),
    bits(5, 0, 'FIRST_ERROR', 'bit of the first uncorrectable error'),
  ],
});
/** Status, mask and severity of the uncorrectable ones, status and mask of the correctable ones, control. */
const RAS_REGISTERS = [
  ['CXL_UNCORRECTABLE_STATUS', CXL_UNCORRECTABLE_STATUS],
  ['CXL_UNCORRECTABLE_MASK', CXL_UNCORRECTABLE_STATUS],
  ['CXL_UNCORRECTABLE_SEVERITY', CXL_UNCORRECTABLE_STATUS],
  ['CXL_CORRECTABLE_STATUS', CXL_CORRECTABLE_STATUS],
  ['CXL_CORRECTABLE_MASK', CXL_CORRECTABLE_STATUS],
  ['CXL_ERROR_CONTROL', CONTROL],
] as const;
const HEADER_LOG = 16;

/** The RAS capability, which follows the DVSEC. */
function rasRegisters(body: CperTabled): NamedRegister[] {
  const view = restOf(body);
  const first = numberOf(body, 'dvsecLength') ?? 0;
  const length = Math.min(numberOf(body, 'errorLogLength') ?? 0, view.byteLength - first);
  const word = (i: number): bigint => BigInt(view.getUint32(first + 4 * i, true));
  const named = RAS_REGISTERS.filter((_, i) => 4 * i + 4 <= length).map(([name, table], i) => ({
    name,
    value: word(i),
    table,
  }));
  const from = RAS_REGISTERS.length;
  const log = Array.from({ length: HEADER_LOG }, (_, i) => i).filter(i => 4 * (from + i) + 4 <= length);
  return [...named, ...log.map(i => ({ name: `CXL_HEADER_LOG_${i}`, value: word(from + i) }))];
}

function agent(body: CperTabled): string {
  const type = numberOf(body, 'agentType');
  const address = wideOf(body, 'agentAddress');
  const what = type === undefined ? 'CXL agent' : (AGENTS[type] ?? `agent of type ${type}`);
  if (address === undefined) return what;
  if (type === RCH_PORT) return `${what}, registers at ${hex64(address)}`;
  const { SEGMENT, BUS, DEVICE, FUNCTION } = AGENT_ADDRESS.read(address);
  const two = (n: bigint, width = 2): string => n.toString(16).padStart(width, '0');
  return `${what} ${two(SEGMENT, 4)}:${two(BUS)}:${two(DEVICE)}.${FUNCTION.toString(16)}`;
}

export const CXL_PROTOCOL: Tabled = {
  type: SECTION_CXL_PROTOCOL,
  kind: 'cxl-protocol',
  layout: LAYOUT,
  least: LAYOUT.length,
  say(body) {
    const registers = new Map(rasRegisters(body).map(r => [r.name, r.value]));
    const uncorrectable = meaningsOf(CXL_UNCORRECTABLE_STATUS, registers.get('CXL_UNCORRECTABLE_STATUS') ?? 0n);
    const corrected = meaningsOf(CXL_CORRECTABLE_STATUS, registers.get('CXL_CORRECTABLE_STATUS') ?? 0n);
    return [
      `CXL protocol error of ${agent(body)}.`,
      ...(uncorrectable.length === 0 ? [] : [`Uncorrectable: ${uncorrectable.join(', ')}.`]),
      ...(corrected.length === 0 ? [] : [`Corrected: ${corrected.join(', ')}.`]),
      ...(registers.size === 0 ? ['It holds no RAS registers.'] : []),
    ];
  },
  registers: body => [
    ...pcieRegisters(body['capability'] instanceof Uint8Array ? body['capability'] : undefined),
    ...rasRegisters(body),
  ],
};
