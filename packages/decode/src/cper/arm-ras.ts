/**
 * @module The RAS registers of an Arm node: the section of the Arm specification, and Windows' own. Sources: Arm DEN0085 (ACPI for
 * the Armv8 RAS extensions), Arm RAS section; Arm DDI 0587 (RAS system architecture) for the registers; Microsoft WDK, ntddk.h
 * WHEA_ARM_RAS_NODE_SECTION.
 */
import { hex64 } from '../common/hex.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import { SECTION_ARM_RAS, SECTION_WHEA_ARM_RAS } from './guid.ts';
import { bytesOf, text, u16, u32, u64, u8 } from './layout.ts';
import type { Layout, Members } from './layout.ts';
import type { CperTabled } from './record.ts';
import { hex, numberOf, restOf, rowsOf, textOf, wideOf } from './tabled.ts';
import type { NamedRegister, Tabled } from './tabled.ts';

const COMPONENTS: Readonly<Record<number, string>> = {
  0: 'processor',
  1: 'memory',
  2: 'SMMU',
  3: 'vendor defined node',
  4: 'GIC',
  5: 'PCI Express',
  6: 'proxy',
};
const INSTANCE_FORMATS: Readonly<Record<number, string>> = {
  0: 'MPIDR_EL1',
  1: 'system physical address',
  2: 'address space of the SoC and base address',
  3: 'identifier of the SoC',
};

const HEADER = 80;
const NODE_LAYOUT: Layout = {
  name: 'Arm RAS section',
  source: 'Arm DEN0085, Arm RAS section',
  length: HEADER,
  fields: [
    u32('revision', 0),
    u8('componentType', 4, { values: COMPONENTS }),
    u32('recordCount', 8),
    u16('recordOffset', 12),
    u16('auxiliaryOffset', 14),
    u8('instanceFormat', 16, { values: INSTANCE_FORMATS }),
    u8('typeFormat', 17, {
      values: { 0: 'MIDR_EL1, REVIDR_EL1, AIDR_EL1', 1: 'SMMU IIDR and AIDR', 2: 'GIC IIDR', 3: 'PIDR' },
    }),
    u64('instanceLow', 24),
    u64('instanceHigh', 32),
    bytesOf('ipType', 40, 24),
    text('userData', 64, 16),
  ],
};

const RECORD_LAYOUT: Layout = {
  name: 'Arm RAS error record',
  source: 'Arm DEN0085, Arm RAS section, error record descriptor',
  length: 72,
  fields: [
    u32('index', 0),
    u8('extensionRevision', 4),
    u64('errFr', 8),
    u64('errCtlr', 16),
    u64('errStatus', 24),
    u64('errAddr', 32),
    u64('errMisc0', 40),
    u64('errMisc1', 48),
    u64('errMisc2', 56),
    u64('errMisc3', 64),
  ],
};

/** SERR: what kind of error it was. */
const ERRORS: Readonly<Record<number, string>> = {
  0: 'no error',
  1: 'implementation defined error',
  2: 'data of an internal memory',
  3: 'implementation defined pin',
  4: 'assertion failure',
  5: 'internal data path',
  6: 'data of an associative memory',
  7: 'address or control value of an associative memory',
  8: 'data of a TLB',
  9: 'address or control value of a TLB',
  10: 'data from a producer',
  11: 'address or control value from a producer',
  12: 'data of an external memory',
  13: 'illegal address (software fault)',
  14: 'illegal access (software fault)',
  15: 'illegal state (software fault)',
  16: 'internal data register',
  17: 'internal control register',
  18: 'error response of a completer',
  19: 'external timeout',
  20: 'internal timeout',
  21: 'deferred error of a completer that the requester does not support',
  22: 'deferred error of a requester that the completer does not support',
  23: 'deferred error of a completer, passed through',
  24: 'deferred error of a requester, passed through',
  25: 'recorded by a PCI Express error log',
  26: 'other internal error',
};

export const ERR_STATUS = defineRegister({
  name: 'ERR<n>STATUS',
  width: 64,
  source: 'RAS, ERR<n>STATUS',
  fields: [
    bit(31, 'AV', 'the address is valid'),
    bit(30, 'V', 'the record is valid'),
    bit(29, 'UE', 'uncorrected error'),
    bit(28, 'ER', 'error reported to the requester'),
    bit(27, 'OF', 'overflow: an error was lost'),
    bit(26, 'MV', 'the miscellaneous registers are valid'),
    bits(25, 24, 'CE', 'corrected error', { 0: 'none', 1: 'transient', 2: 'corrected', 3: 'persistent' }),
    bit(23, 'DE', 'deferred error'),
    bit(22, 'PN', 'poison'),
    bits(21, 20, 'UET', 'kind of uncorrected error', {
      0: 'uncontainable',
      1: 'unrecoverable',
      2: 'latent or restartable',
      3: 'signalled or recoverable',
    }),
    bit(19, 'CI', 'critical error interrupt'),
    bit(18, 'RV', 'the reset counter is valid'),
    bits(15, 8, 'IERR', 'implementation defined error code'),
    bits(7, 0, 'SERR', 'architecturally defined error code', ERRORS),
  ],
});

export const ERR_ADDR = defineRegister({
  name: 'ERR<n>ADDR',
  width: 64,
  source: 'RAS, ERR<n>ADDR',
  fields: [
    bit(63, 'NS', 'not secure'),
    bit(62, 'SI', 'the security state is not known'),
    bit(61, 'AI', 'the address is incomplete or wrong'),
    bit(60, 'VA', 'a virtual address'),
    bit(59, 'NSE'),
    bits(55, 0, 'PADDR', 'address'),
  ],
});

const NAMES = [
  ['errFr', 'FR'],
  ['errCtlr', 'CTLR'],
  ['errStatus', 'STATUS'],
  ['errAddr', 'ADDR'],
  ['errMisc0', 'MISC0'],
  ['errMisc1', 'MISC1'],
  ['errMisc2', 'MISC2'],
  ['errMisc3', 'MISC3'],
] as const;

/** The registers of one error record by the names of the architecture: `ERR2STATUS`. */
function recordRegisters(record: Members | CperTabled, index: number): NamedRegister[] {
  return NAMES.flatMap(([member, name]) => {
    const value = wideOf(record, member);
    if (value === undefined) return [];
    const table = member === 'errStatus' ? ERR_STATUS : member === 'errAddr' ? ERR_ADDR : undefined;
    return [{ name: `ERR${index}${name}`, value, isMember: true, ...(table === undefined ? {} : { table }) }];
  });
}

/** The physical address of an error record, where it says that it has one. */
export function armRasAddress(status: bigint, addr: bigint): bigint | undefined {
  const { V, AV } = ERR_STATUS.read(status);
  const { AI, VA, PADDR } = ERR_ADDR.read(addr);
  return V && AV && !AI && !VA ? PADDR : undefined;
}

/** `record 2: uncorrected, …` */
export function armRasWords(status: bigint, addr: bigint | undefined): string {
  const { V, UE, UET, CE, DE, OF, PN, SERR, AV } = ERR_STATUS.read(status);
  if (!V) return 'not valid';
  const uncorrected = ['uncontainable', 'unrecoverable', 'latent or restartable', 'signalled or recoverable'][
    Number(UET)
  ];
  const parts = [
    ...(UE ? [`uncorrected (${uncorrected})`] : []),
    ...(DE ? ['deferred'] : []),
    ...(CE === 0n ? [] : [`corrected${CE === 1n ? ' (transient)' : CE === 3n ? ' (persistent)' : ''}`]),
    ERRORS[Number(SERR)] ?? `error code ${hex(SERR)}`,
    ...(PN ? ['poison'] : []),
    ...(OF ? ['an error was lost'] : []),
  ];
  const at = addr === undefined ? undefined : armRasAddress(status, addr);
  const where =
    at !== undefined
      ? `, physical address ${hex64(at)}`
      : AV && addr !== undefined
        ? `, address register ${hex64(addr)}`
        : '';
  return `${parts.join(', ')}${where}`;
}

const indexOf = (record: Members, i: number): number => numberOf(record, 'index') ?? i;

function instance(body: CperTabled): string {
  const low = wideOf(body, 'instanceLow') ?? 0n;
  switch (numberOf(body, 'instanceFormat')) {
    case 0:
      return ` with MPIDR ${hex(low)}`;
    case 1:
      return ` at system physical address ${hex64(low)}`;
    case 2:
      return ` at ${hex64(wideOf(body, 'instanceHigh') ?? 0n)} of address space ${hex(low)}`;
    default:
      return '';
  }
}

/** Memory mapped registers of the auxiliary data: by their addresses. Arm DEN0085, auxiliary data. */
const AUXILIARY_HEADER = 16;
const AUXILIARY_CONTEXT = 16;
const MAX_AUXILIARY = 256;

function auxiliary(body: CperTabled): NamedRegister[] {
  const offset = numberOf(body, 'auxiliaryOffset') ?? 0;
  const before = HEADER + RECORD_LAYOUT.length * rowsOf(body, 'records').length;
  const view = restOf(body);
  const start = offset - before;
  if (offset === 0 || start < 0 || start + AUXILIARY_HEADER > view.byteLength) return [];
  const out: NamedRegister[] = [];
  const contexts = view.getUint16(start + 2, true);
  let at = start + AUXILIARY_HEADER;
  for (let c = 0; c < contexts && at + AUXILIARY_CONTEXT <= view.byteLength; c++) {
    const length = view.getUint32(at, true);
    const isLocal = view.getUint8(at + 4) % 2 === 1;
    const count = view.getUint16(at + 6, true);
    const space = isLocal ? `LOCAL_${hex(view.getUint16(at + 8, true))}` : 'MMIO';
    for (let r = 0; r < count && out.length < MAX_AUXILIARY; r++) {
      const entry = at + AUXILIARY_CONTEXT + 16 * r;
      if (entry + 16 > view.byteLength) return out;
      out.push({ name: `${space}_${hex(view.getBigUint64(entry, true))}`, value: view.getBigUint64(entry + 8, true) });
    }
    if (length < AUXILIARY_CONTEXT) return out;
    at += length;
  }
  return out;
}

export const ARM_RAS: Tabled = {
  type: SECTION_ARM_RAS,
  kind: 'arm-ras',
  layout: NODE_LAYOUT,
  least: HEADER,
  rows: { member: 'records', layout: RECORD_LAYOUT, count: 'recordCount', at: 'recordOffset' },
  say(body) {
    const component = numberOf(body, 'componentType') ?? -1;
    const records = rowsOf(body, 'records');
    const user = textOf(body, 'userData');
    const aux = auxiliary(body).length;
    return [
      `RAS node of ${COMPONENTS[component] ?? `component type ${component}`}${instance(body)}${user === '' ? '' : ` ("${user}")`}.`,
      ...records.map(
        (r, i) => `Error record ${indexOf(r, i)}: ${armRasWords(wideOf(r, 'errStatus') ?? 0n, wideOf(r, 'errAddr'))}.`,
      ),
      ...(aux === 0 ? [] : [`It carries ${aux} more registers of the device, by their addresses.`]),
    ];
  },
  registers: body => [
    ...rowsOf(body, 'records').flatMap((r, i) => recordRegisters(r, indexOf(r, i))),
    ...auxiliary(body),
  ],
  addresses: body =>
    rowsOf(body, 'records').flatMap(r => armRasAddress(wideOf(r, 'errStatus') ?? 0n, wideOf(r, 'errAddr') ?? 0n) ?? []),
};

const WHEA_LAYOUT: Layout = {
  name: 'Arm RAS node section of Windows',
  source: 'Microsoft WDK, ntddk.h WHEA_ARM_RAS_NODE_SECTION',
  length: 80,
  fields: [
    u32('fieldCount', 0),
    u32('index', 4),
    u8('interfaceType', 8),
    u8('componentType', 9, { values: COMPONENTS }),
    ...NAMES.map(([member], i) => u64(member, 16 + 8 * i)),
  ],
};

export const WHEA_ARM_RAS: Tabled = {
  type: SECTION_WHEA_ARM_RAS,
  kind: 'whea-arm-ras',
  layout: WHEA_LAYOUT,
  least: WHEA_LAYOUT.length,
  say: body => [
    `RAS node ${numberOf(body, 'index') ?? 0} of ${COMPONENTS[numberOf(body, 'componentType') ?? -1] ?? 'an unknown component'}: ${armRasWords(wideOf(body, 'errStatus') ?? 0n, wideOf(body, 'errAddr'))}.`,
  ],
  registers: body => recordRegisters(body, numberOf(body, 'index') ?? 0),
  addresses: body => {
    const at = armRasAddress(wideOf(body, 'errStatus') ?? 0n, wideOf(body, 'errAddr') ?? 0n);
    return at === undefined ? [] : [at];
  },
};
