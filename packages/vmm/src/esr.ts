/**
 * The syndrome of an abort: the fields of ESR_ELx that a VMM acts on (Arm ARM DDI 0487, D24.2.40: ISS encoding for Data
 * and Instruction Aborts). Pure.
 */

/** Exception classes that a synchronous external abort can have. */
export const EC = { IABT_LOW: 0x20, IABT_CUR: 0x21, DABT_LOW: 0x24, DABT_CUR: 0x25 } as const;

export const IL_BIT = 1n << 25n;
export const FNV_BIT = 1n << 10n;
/** Fault status code: synchronous external abort, not on a translation table walk. */
export const FSC_EXTABT = 0x10n;

export interface AbortSyndrome {
  ec: number;
  ecName: string;
  abort: 'data' | 'instruction' | 'other';
  fsc: number;
  fscName: string;
  /** Level of the table walk that was aborted, -1 to 3; undefined when it was not a walk. */
  walkLevel: number | undefined;
  /** The fault address register does not hold the address of the access. */
  fnv: boolean;
  /** External abort type, IMPLEMENTATION DEFINED. */
  ea: boolean;
  cm: boolean;
  /** A fault on the stage 2 translation of an address that a stage 1 walk wanted. */
  s1ptw: boolean;
  /** Data aborts: the access was a write. */
  wnr: boolean;
  /** Synchronous error type with FEAT_RAS: 0 recoverable (UER), 2 uncontainable (UC), 3 restartable (UEO). */
  set: number;
}

const EC_NAMES: Readonly<Record<number, string>> = {
  [EC.IABT_LOW]: 'IABT_LOW',
  [EC.IABT_CUR]: 'IABT_CUR',
  [EC.DABT_LOW]: 'DABT_LOW',
  [EC.DABT_CUR]: 'DABT_CUR',
};

/** Decodes an ESR value of an abort; other classes keep their number and are `other`. */
export function decodeAbort(esr: bigint): AbortSyndrome {
  const bits = (high: number, low: number): number =>
    Number((esr >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
  const bit = (index: number): boolean => bits(index, index) === 1;
  const ec = bits(31, 26);
  const fsc = bits(5, 0);
  const walkLevel = levelOf(fsc);
  return {
    ec,
    ecName: EC_NAMES[ec] ?? `EC_0x${ec.toString(16)}`,
    abort:
      ec === EC.DABT_LOW || ec === EC.DABT_CUR
        ? 'data'
        : ec === EC.IABT_LOW || ec === EC.IABT_CUR
          ? 'instruction'
          : 'other',
    fsc,
    fscName: fscName(fsc, walkLevel),
    walkLevel,
    fnv: bit(10),
    ea: bit(9),
    cm: bit(8),
    s1ptw: bit(7),
    wnr: bit(6),
    set: bits(12, 11),
  };
}

function levelOf(fsc: number): number | undefined {
  if (fsc >= 0x13 && fsc <= 0x17) return fsc - 0x14;
  if (fsc >= 0x1b && fsc <= 0x1f) return fsc - 0x1c;
  return undefined;
}

function fscName(fsc: number, level: number | undefined): string {
  if (fsc === 0x10) return 'synchronous external abort';
  if (fsc === 0x18) return 'synchronous parity or ECC error';
  if (level === undefined) return `fault status 0x${fsc.toString(16).padStart(2, '0')}`;
  const kind = fsc < 0x18 ? 'synchronous external abort' : 'synchronous parity or ECC error';
  return `${kind} on translation table walk, level ${level}`;
}
