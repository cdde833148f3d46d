/**
 * @module Fault status codes of aborts (DFSC and IFSC).
 * Source: Arm ARM DDI 0487, D24.2.40 "ESR_EL1", ISS encodings for a Data Abort and for an Instruction Abort.
 */

type FaultKind =
  | 'address-size'
  | 'translation'
  | 'access-flag'
  | 'permission'
  | 'external-abort'
  | 'external-abort-walk'
  | 'parity'
  | 'parity-walk'
  | 'tag-check'
  | 'alignment'
  | 'granule-protection'
  | 'granule-protection-walk'
  | 'tlb-conflict'
  | 'atomic-update'
  | 'implementation-defined';

export interface FaultStatus {
  code: number;
  kind: FaultKind;
  text: string;
  /** Level of the table walk, -2 to 3; missing where the fault is not on a level. */
  level?: number;
  /** Feature the code needs. */
  needs?: string;
  /** The code only exists without FEAT_RAS: with it, parity and ECC errors are external aborts. */
  withoutRas?: true;
  /** Not a code of instruction aborts. */
  dataOnly?: true;
}

const TEXT: Readonly<Record<FaultKind, string>> = {
  'address-size': 'address size fault',
  translation: 'translation fault',
  'access-flag': 'access flag fault',
  permission: 'permission fault',
  'external-abort': 'synchronous external abort, not on a translation table walk',
  'external-abort-walk': 'synchronous external abort on a translation table walk',
  parity: 'synchronous parity or ECC error, not on a translation table walk',
  'parity-walk': 'synchronous parity or ECC error on a translation table walk',
  'tag-check': 'synchronous tag check fault',
  alignment: 'alignment fault',
  'granule-protection': 'granule protection fault, not on a translation table walk',
  'granule-protection-walk': 'granule protection fault on a translation table walk',
  'tlb-conflict': 'TLB conflict abort',
  'atomic-update': 'unsupported atomic hardware update',
  'implementation-defined': 'IMPLEMENTATION DEFINED fault',
};

type Extra = Pick<FaultStatus, 'needs' | 'withoutRas' | 'dataOnly'>;

const flat = (code: number, kind: FaultKind, extra: Extra = {}): FaultStatus => ({
  code,
  kind,
  text: TEXT[kind],
  ...extra,
});
const at = (code: number, kind: FaultKind, level: number, extra: Extra = {}): FaultStatus => ({
  code,
  kind,
  text: `${TEXT[kind]}, level ${level}`,
  level,
  ...(level === -1 ? { needs: 'FEAT_LPA2' } : level === -2 ? { needs: 'FEAT_D128' } : {}),
  ...extra,
});
const levels = (first: number, kind: FaultKind, extra: Extra = {}): FaultStatus[] =>
  [0, 1, 2, 3].map(level => at(first + level, kind, level, extra));

/** DFSC and IFSC of a synchronous external abort of the access itself. */
export const SEA = 0x10n;

/** Every architected code; the others are reserved. */
export const FAULT_STATUS: readonly FaultStatus[] = [
  ...levels(0x00, 'address-size'),
  ...levels(0x04, 'translation'),
  at(0x08, 'access-flag', 0, { needs: 'FEAT_LPA2' }),
  at(0x09, 'access-flag', 1),
  at(0x0a, 'access-flag', 2),
  at(0x0b, 'access-flag', 3),
  at(0x0c, 'permission', 0, { needs: 'FEAT_LPA2' }),
  at(0x0d, 'permission', 1),
  at(0x0e, 'permission', 2),
  at(0x0f, 'permission', 3),
  flat(0x10, 'external-abort'),
  flat(0x11, 'tag-check', { needs: 'FEAT_MTE2', dataOnly: true }),
  at(0x12, 'external-abort-walk', -2),
  at(0x13, 'external-abort-walk', -1),
  ...levels(0x14, 'external-abort-walk'),
  flat(0x18, 'parity', { withoutRas: true }),
  at(0x1b, 'parity-walk', -1, { withoutRas: true }),
  ...levels(0x1c, 'parity-walk', { withoutRas: true }),
  flat(0x21, 'alignment', { dataOnly: true }),
  at(0x22, 'granule-protection-walk', -2),
  at(0x23, 'granule-protection-walk', -1),
  ...levels(0x24, 'granule-protection-walk', { needs: 'FEAT_RME' }),
  flat(0x28, 'granule-protection', { needs: 'FEAT_RME' }),
  at(0x29, 'address-size', -1),
  at(0x2a, 'translation', -2),
  at(0x2b, 'translation', -1),
  at(0x2c, 'address-size', -2),
  flat(0x30, 'tlb-conflict'),
  flat(0x31, 'atomic-update', { needs: 'FEAT_HAFDBS' }),
  flat(0x34, 'implementation-defined', { dataOnly: true }),
  flat(0x35, 'implementation-defined', { dataOnly: true }),
];

const BY_CODE = new Map(FAULT_STATUS.map(f => [f.code, f]));

/** The fault of a DFSC or IFSC value; undefined when the code is reserved (some are for instruction aborts only). */
export function faultStatus(code: number, abort: 'data' | 'instruction' = 'data'): FaultStatus | undefined {
  const fault = BY_CODE.get(code);
  return fault?.dataOnly && abort === 'instruction' ? undefined : fault;
}

/** Whether bits 12:11 of a data abort are LST (FEAT_LS64) and not SET: translation, access flag, permission, 0x35. */
export function hasLoadStoreType(code: number): boolean {
  return (code >= 0x04 && code <= 0x0f) || code === 0x2a || code === 0x2b || code === 0x35;
}

/** Faults that report a memory error. */
export function isMemoryError(kind: FaultKind): boolean {
  return kind.startsWith('external-abort') || kind.startsWith('parity');
}
