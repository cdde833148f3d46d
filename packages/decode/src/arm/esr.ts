/**
 * @module ESR_ELx and its syndromes as field tables. Source: Arm ARM DDI 0487, D24.2.40 "ESR_EL1", D24.2.41 "ESR_EL2":
 * ISS and ISS2 encodings for a Data Abort, an Instruction Abort and an SError; "HPFAR_EL2" and "PFAR_EL1".
 */
import { addressOf, pfnOf } from '../registers/address.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { FieldRow, Register } from '../registers/register.ts';
import { EXCEPTION_CLASSES, exceptionClass } from './exception-class.ts';
import { FAULT_STATUS, hasLoadStoreType } from './fault-status.ts';

const EC_TEXT = Object.fromEntries(EXCEPTION_CLASSES.map(c => [c.value, `${c.name}: ${c.text}`]));
const FSC_TEXT = Object.fromEntries(FAULT_STATUS.map(f => [f.code, f.text]));
const IFSC_TEXT = Object.fromEntries(FAULT_STATUS.filter(f => !f.dataOnly).map(f => [f.code, f.text]));

/** SET, the state of the PE after a synchronous external abort (needs FEAT_RAS). */
export const SET_STATES = {
  0: 'UER: recoverable (or FEAT_RAS is not implemented)',
  2: 'UC: uncontainable',
  3: 'UEO: restartable',
} as const;

/** AET, the state of the PE after an SError. */
export const AET_STATES = {
  0: 'UC: uncontainable',
  1: 'UEU: unrecoverable',
  2: 'UEO: restartable',
  3: 'UER: recoverable',
  6: 'CE: corrected',
} as const;

const WU = bits(17, 16, 'WU', 'whether a store updated the location (FEAT_RASv2)', {
  0: 'not a store, or the location may have been updated',
  2: 'a store that did not update the location',
  3: 'a store that updated the location',
});

/** The register: bits 63:56 are reserved. */
export const ESR = defineRegister({
  name: 'ESR_ELx',
  width: 64,
  source: 'DDI 0487 D24.2.40',
  fields: [
    bits(55, 32, 'ISS2', 'second syndrome of the class'),
    bits(31, 26, 'EC', 'exception class', EC_TEXT),
    bit(25, 'IL', '32-bit instruction, or a class without one'),
    bits(24, 0, 'ISS', 'syndrome of the class'),
  ],
});

const DATA_ABORT_COMMON = [
  bit(13, 'VNCR', 'access through VNCR_EL2 made by EL1'),
  bits(12, 11, 'SET', 'state of the PE', SET_STATES),
  bit(10, 'FnV', 'FAR does not hold the address'),
  bit(9, 'EA', 'external abort type, IMPLEMENTATION DEFINED'),
  bit(8, 'CM', 'cache maintenance or address translation instruction'),
  bit(7, 'S1PTW', 'fault on the stage 2 translation of a stage 1 walk'),
  bit(6, 'WnR', 'write'),
  bits(5, 0, 'DFSC', 'fault status code', FSC_TEXT),
] as const;

/** ISS of a data abort whose ISV is 0. */
export const ISS_DATA_ABORT = defineRegister({
  name: 'ISS (data abort)',
  width: 25,
  source: 'DDI 0487 D24.2.40, ISS encoding for a Data Abort',
  fields: [
    bit(24, 'ISV', 'bits 23:14 describe the instruction'),
    WU,
    bit(15, 'FnP', 'FAR is not precise'),
    bit(14, 'PFV', 'PFAR holds the physical address'),
    ...DATA_ABORT_COMMON,
  ],
});

/** ISS of a data abort whose ISV is 1: bits 23:14 describe the instruction. */
export const ISS_DATA_ABORT_ISV = defineRegister({
  name: 'ISS (data abort, ISV)',
  width: 25,
  source: 'DDI 0487 D24.2.40, ISS encoding for a Data Abort',
  fields: [
    bit(24, 'ISV', 'bits 23:14 describe the instruction'),
    bits(23, 22, 'SAS', 'access size', { 0: 'byte', 1: 'halfword', 2: 'word', 3: 'doubleword' }),
    bit(21, 'SSE', 'sign extended'),
    bits(20, 16, 'SRT', 'register transferred'),
    bit(15, 'SF', '64-bit register'),
    bit(14, 'AR', 'acquire or release'),
    ...DATA_ABORT_COMMON,
  ],
});

/** ISS of an instruction abort. */
export const ISS_INSTRUCTION_ABORT = defineRegister({
  name: 'ISS (instruction abort)',
  width: 25,
  source: 'DDI 0487 D24.2.40, ISS encoding for an Instruction Abort',
  fields: [
    bit(14, 'PFV', 'PFAR holds the physical address'),
    bits(12, 11, 'SET', 'state of the PE', SET_STATES),
    bit(10, 'FnV', 'FAR does not hold the address'),
    bit(9, 'EA', 'external abort type, IMPLEMENTATION DEFINED'),
    bit(7, 'S1PTW', 'fault on the stage 2 translation of a stage 1 walk'),
    bits(5, 0, 'IFSC', 'fault status code', IFSC_TEXT),
  ],
});

/** ISS of an SError in the architected format (IDS is 0). */
export const ISS_SERROR = defineRegister({
  name: 'ISS (SError)',
  width: 25,
  source: 'DDI 0487 D24.2.40, ISS encoding for an SError',
  fields: [
    bit(24, 'IDS', 'IMPLEMENTATION DEFINED syndrome'),
    WU,
    bit(15, 'VFV', 'FAR holds the virtual address'),
    bit(14, 'PFV', 'PFAR holds the physical address'),
    bit(13, 'IESB', 'taken at an implicit error synchronization event'),
    bits(12, 10, 'AET', 'state of the PE', AET_STATES),
    bit(9, 'EA', 'external abort type, IMPLEMENTATION DEFINED'),
    bit(7, 'WnRV', 'WnR is valid'),
    bit(6, 'WnR', 'write'),
    bits(5, 0, 'DFSC', 'fault status code', { 0: 'uncategorized error', 0x11: 'asynchronous SError' }),
  ],
});

/** ISS of an SError in a format of the implementation (IDS is 1). */
export const ISS_SERROR_IDS = defineRegister({
  name: 'ISS (SError, IDS)',
  width: 25,
  source: 'DDI 0487 D24.2.40, ISS encoding for an SError',
  fields: [bit(24, 'IDS', 'IMPLEMENTATION DEFINED syndrome'), bits(23, 0, 'IMPDEF', 'IMPLEMENTATION DEFINED')],
});

/** ISS2 of a data abort, ESR bits 55:32. */
export const ISS2_DATA_ABORT = defineRegister({
  name: 'ISS2 (data abort)',
  width: 24,
  source: 'DDI 0487 D24.2.41, ISS2 encoding for a Data Abort',
  fields: [
    bit(11, 'HDBSSF', 'caused by the dirty state structure'),
    bit(10, 'TnD', 'tag, not data'),
    bit(9, 'TagAccess', 'permission to access tags'),
    bit(8, 'GCS', 'guarded control stack access'),
    bit(7, 'AssuredOnly', 'AssuredOnly permission'),
    bit(6, 'Overlay', 'overlay permission'),
    bit(5, 'DirtyBit', 'dirty state'),
    bits(4, 0, 'Xs', 'register of a 64-byte store'),
  ],
});

/** ISS2 of an instruction abort, ESR bits 55:32. */
export const ISS2_INSTRUCTION_ABORT = defineRegister({
  name: 'ISS2 (instruction abort)',
  width: 24,
  source: 'DDI 0487 D24.2.41, ISS2 encoding for an Instruction Abort',
  fields: [bit(7, 'AssuredOnly', 'AssuredOnly permission'), bit(6, 'Overlay', 'overlay permission')],
});

/** ISS2 of a class without a second syndrome. */
export const ISS2_NONE = defineRegister({ name: 'ISS2', width: 24, source: 'DDI 0487 D24.2.41', fields: [] });

/** Hypervisor IPA fault address. */
export const HPFAR = defineRegister({
  name: 'HPFAR_EL2',
  width: 64,
  source: 'DDI 0487 D24.2, HPFAR_EL2',
  fields: [bit(63, 'NS', 'Non-secure address space'), bits(47, 4, 'FIPA', 'bits 55:12 of the faulting IPA')],
});

/** Physical fault address (FEAT_PFAR). */
export const PFAR = defineRegister({
  name: 'PFAR_ELx',
  width: 64,
  source: 'DDI 0487 D24.2, PFAR_EL1',
  fields: [bit(63, 'NS', 'Non-secure'), bit(62, 'NSE', 'NS extension'), bits(55, 0, 'PA', 'physical address')],
});

/** The fault status code of an abort: DFSC and IFSC are the same bits. */
export function faultCodeOf(iss: bigint): number {
  return Number(ISS_DATA_ABORT.read(iss).DFSC);
}

/** The page of the faulting intermediate physical address in HPFAR_EL2. */
export function ipaOf(hpfar: bigint): bigint {
  return addressOf(HPFAR.read(hpfar).FIPA);
}

const FIPA_BITS = 44;

/** HPFAR_EL2 for an intermediate physical address (bits 55:12 of it). */
export function hpfarOf(ipa: bigint): bigint {
  return HPFAR.encode({ FIPA: BigInt.asUintN(FIPA_BITS, pfnOf(ipa)) });
}

const ISS_OTHER = defineRegister({ name: 'ISS', width: 25, source: '', fields: [bits(24, 0, 'ISS', 'syndrome')] });

/** The field tables that apply to an ESR: of its ISS and of its ISS2. */
export function syndromeTables(esr: bigint): { iss: Register; iss2: Register } {
  const { EC, ISS } = ESR.read(esr);
  const top = ISS_DATA_ABORT.read(ISS).ISV;
  // ISV and IDS are the same bit.
  switch (exceptionClass(Number(EC))?.iss) {
    case 'data-abort':
      return { iss: top ? ISS_DATA_ABORT_ISV : ISS_DATA_ABORT, iss2: ISS2_DATA_ABORT };
    case 'instruction-abort':
      return { iss: ISS_INSTRUCTION_ABORT, iss2: ISS2_INSTRUCTION_ABORT };
    case 'serror':
      return { iss: top ? ISS_SERROR_IDS : ISS_SERROR, iss2: ISS2_NONE };
    default:
      return { iss: ISS_OTHER, iss2: ISS2_NONE };
  }
}

/** Every field of an ESR from the highest bit down, the syndromes taken apart, positions as in the 64-bit register. */
export function describeEsr(esr: bigint): FieldRow[] {
  const v = BigInt.asUintN(64, esr);
  const tables = syndromeTables(v);
  const { ISS, ISS2 } = ESR.read(v);
  // A row of stray bits at the top reaches to bit 63 in its own table; here it ends where the syndrome ends.
  const moved = (table: Register, value: bigint, by: number): FieldRow[] =>
    table.describe(value).map(r => ({ ...r, hi: Math.min(r.hi, table.width - 1) + by, lo: r.lo + by }));
  const iss = moved(tables.iss, ISS, 0).map(row => {
    if (row.name !== 'SET' || !hasLoadStoreType(faultCodeOf(ISS)) || tables.iss === ISS_INSTRUCTION_ABORT) return row;
    return { name: 'LST', hi: row.hi, lo: row.lo, value: row.value, meaning: 'load or store type of a 64-byte access' };
  });
  return [
    ...ESR.describe(v).filter(r => r.lo >= 56),
    ...moved(tables.iss2, ISS2, 32),
    ...ESR.describe(v).filter(r => r.name === 'EC' || r.name === 'IL'),
    ...iss,
  ];
}
