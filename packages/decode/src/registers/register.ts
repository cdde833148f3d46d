/** @module Registers as field tables over bigint: declare once; decode, encode and describe follow. */
import type { AskedBits, Bits } from './asked.ts';
import { SyndromeError } from '../common/errors.ts';
import { hex64 } from '../common/hex.ts';
import { lowHalf, maskOf } from './field.ts';

/** A single-bit field; decodes to a boolean. */
export interface BitField<N extends string = string> {
  readonly kind: 'bit';
  readonly name: N;
  readonly hi: number;
  readonly lo: number;
  /** What a set bit says, in a few words. */
  readonly meaning: string | undefined;
  readonly values?: undefined;
}

/** A field of several bits; decodes to a bigint shifted down to bit 0. */
export interface BitsField<N extends string = string> {
  readonly kind: 'bits';
  readonly name: N;
  readonly hi: number;
  readonly lo: number;
  readonly meaning: string | undefined;
  /** Meaning per value, where the manual enumerates them. */
  readonly values: Readonly<Record<number, string>> | undefined;
}

export type Field = BitField | BitsField;

/** Declares bit `position`; `meaning` is what it says when set. */
export function bit<const N extends string>(position: number, name: N, meaning?: string): BitField<N> {
  return { kind: 'bit', name, hi: position, lo: position, meaning };
}

/** Declares bits `hi`:`lo`; `values` names the enumerated values. */
export function bits<const N extends string>(
  hi: number,
  lo: number,
  name: N,
  meaning?: string,
  values?: Readonly<Record<number, string>>,
): BitsField<N> {
  return { kind: 'bits', name, hi, lo, meaning, values };
}

/** The decoded value: one member per field, and every bit no field names in `reserved`, in its place. */
type Decoded<F extends readonly Field[]> = {
  readonly [K in F[number] as K['name']]: K extends BitField ? boolean : bigint;
} & { readonly reserved: bigint };

/** The bits of every field, in their place. */
type Masks<F extends readonly Field[]> = { readonly [K in F[number] as K['name']]: bigint };

/** One line of a described register. */
export interface FieldRow {
  name: string;
  hi: number;
  lo: number;
  value: bigint;
  /** Set when the value means something that the table knows. */
  meaning?: string;
}

export interface Register<F extends readonly Field[] = readonly Field[]> {
  readonly name: string;
  readonly width: number;
  /** Manual and section the table was made from. */
  readonly source: string;
  readonly fields: F;
  /**
   * The bits of each field in its place, for the one flag that is asked of many values.
   * @example const { ADDRV } = MCI_STATUS_INTEL.masks; // (status & ADDRV) !== 0n
   */
  readonly masks: Masks<F>;
  /** Splits a u64. Never fails: bits outside the fields (and above `width`) come back in `reserved`. */
  decode(value: bigint): Decoded<F>;
  /**
   * The same members, each taken out of the value when it is asked for: for rules, which look at a few of many. It is no
   * plain data: to print, compare or hand on a value there is {@link decode}.
   * @example if (MCI_STATUS_INTEL.read(status).PCC) return 'fatal';
   */
  read(value: Bits): Decoded<F>;
  /** Joins fields; missing ones are 0. Throws {@link RegisterError} for a value that does not fit or an unknown name. */
  encode(fields: Partial<Decoded<F>>): bigint;
  /** All fields from the highest bit down, with rows named `reserved` for set bits that no field names. */
  describe(value: bigint): FieldRow[];
}

/** A register table or an encode call is wrong. */
export class RegisterError extends SyndromeError {}

const U64 = (1n << 64n) - 1n;

const STRAY = 'bits without a defined meaning';

const HALF = 32n;
const LOW_HALF = (1n << HALF) - 1n;

/**
 * Takes one field out of a value. Records are decoded by the hundred thousand, and shifting 64-bit bigints costs an
 * allocation each: a field that lies in one half is read with number arithmetic instead.
 */
function readerOf(f: Field): { name: string; of: (v: bigint, high: number, low: number) => bigint | boolean } {
  const { name, hi, lo } = f;
  const inHigh = lo >= 32;
  const shift = inHigh ? lo - 32 : lo;
  if (f.kind === 'bit') return { name, of: (_, high, low) => (((inHigh ? high : low) >>> shift) & 1) === 1 };
  if (!inHigh && hi >= 32) {
    const mask = maskOf(hi, lo);
    return { name, of: v => (v & mask) >> BigInt(lo) };
  }
  const limit = 2 ** (hi - lo + 1);
  return { name, of: (_, high, low) => BigInt(((inHigh ? high : low) >>> shift) % limit) };
}

/** Makes the class of values of one register, which take out their members when they are asked for by `bits`. */
function readOf<V>(
  fields: readonly Field[],
  unknown: bigint,
  bits: (value: V, mask: bigint) => bigint,
): new (
  value: V,
) => object {
  class Read {
    readonly #value: V;
    constructor(value: V) {
      this.#value = value;
    }
    get reserved(): bigint {
      return bits(this.#value, unknown);
    }
    static {
      for (const { name, kind, hi, lo } of fields) {
        const mask = maskOf(hi, lo);
        const shift = BigInt(lo);
        const get =
          kind === 'bit'
            ? function (this: Read): boolean {
                return bits(this.#value, mask) !== 0n;
              }
            : function (this: Read): bigint {
                return bits(this.#value, mask) >> shift;
              };
        Object.defineProperty(this.prototype, name, { get });
      }
    }
  }
  return Read;
}

/** From the highest bit down: the fields, and the gaps between them, where stray bits show. */
type Walk = readonly { field: Field | undefined; hi: number; lo: number; of: ReturnType<typeof readerOf>['of'] }[];

function walkOf(fields: readonly Field[]): Walk {
  const walk: Walk[number][] = [];
  let next = 63;
  const gap = (hi: number, lo: number): void => {
    if (hi >= lo) walk.push({ field: undefined, hi, lo, of: readerOf(bits(hi, lo, 'reserved')).of });
  };
  for (const f of fields.toSorted((a, b) => b.hi - a.hi)) {
    gap(next, f.hi + 1);
    walk.push({ field: f, hi: f.hi, lo: f.lo, of: readerOf(f).of });
    next = f.lo - 1;
  }
  gap(next, 0);
  return walk;
}

/** Builds a register from its field table; throws {@link RegisterError} when fields overlap or leave the register. */
export function defineRegister<const F extends readonly Field[]>(spec: {
  name: string;
  width: number;
  source: string;
  fields: F;
}): Register<F> {
  const { name, width, source, fields } = spec;
  let known = 0n;
  const names = new Set<string>(['reserved']);
  for (const f of fields) {
    if (f.lo < 0 || f.hi < f.lo || f.hi >= width || width > 64) {
      throw new RegisterError('E_REGISTER_TABLE', `${name}.${f.name}: bits ${f.hi}:${f.lo} are outside the register`);
    }
    if ((known & maskOf(f.hi, f.lo)) !== 0n || names.has(f.name)) {
      throw new RegisterError('E_REGISTER_TABLE', `${name}.${f.name}: overlaps another field or repeats its name`);
    }
    known |= maskOf(f.hi, f.lo);
    names.add(f.name);
  }
  const masks = Object.fromEntries(fields.map(f => [f.name, maskOf(f.hi, f.lo)])) as Masks<F>;
  const unknown = U64 & ~known;
  // Of most registers a program asks for nothing: what reads them is made when it is first needed.
  let readers: ReturnType<typeof readerOf>[] | undefined;
  let walk: Walk | undefined;
  let Read: ReturnType<typeof readOf<bigint>> | undefined;
  let ReadAsked: ReturnType<typeof readOf<AskedBits>> | undefined;

  function decode(value: bigint): Decoded<F> {
    const v = value & U64;
    const high = Number(v >> HALF);
    const low = Number(v & LOW_HALF);
    const out: Record<string, bigint | boolean> = {};
    readers ??= fields.map(readerOf);
    for (const read of readers) out[read.name] = read.of(v, high, low);
    out['reserved'] = v & unknown;
    return out as Decoded<F>;
  }

  function read(value: Bits): Decoded<F> {
    if (typeof value === 'bigint') {
      Read ??= readOf<bigint>(fields, unknown, (bits, mask) => bits & mask);
      return new Read(value) as Decoded<F>;
    }
    ReadAsked ??= readOf<AskedBits>(fields, unknown, (bits, mask) => bits.and(mask));
    return new ReadAsked(value) as Decoded<F>;
  }

  function encode(values: Partial<Decoded<F>>): bigint {
    const given = values as Readonly<Record<string, bigint | boolean | undefined>>;
    for (const key of Object.keys(given)) {
      if (!names.has(key)) throw new RegisterError('E_REGISTER_FIELD', `${name} has no field ${key}`);
    }
    const rest = given['reserved'] ?? 0n;
    if (typeof rest !== 'bigint' || rest < 0n || rest > U64 || (rest & known) !== 0n) {
      throw new RegisterError('E_REGISTER_RANGE', `${name}.reserved: may only hold bits that no field names`);
    }
    let value = rest;
    for (const f of fields) {
      const raw = given[f.name];
      if (raw === undefined) continue;
      const part = typeof raw === 'boolean' ? (raw ? 1n : 0n) : raw;
      const limit = maskOf(f.hi, f.lo) >> BigInt(f.lo);
      if (part < 0n || part > limit) {
        throw new RegisterError('E_REGISTER_RANGE', `${name}.${f.name}: ${part} does not fit in bits ${f.hi}:${f.lo}`, {
          hint: `The largest value is ${hex64(limit)}.`,
        });
      }
      value |= part << BigInt(f.lo);
    }
    return value;
  }

  function describe(value: bigint): FieldRow[] {
    const v = value & U64;
    const high = Number(v >> HALF);
    const low = Number(v & LOW_HALF);
    const rows: FieldRow[] = [];
    walk ??= walkOf(fields);
    for (const { field, hi, lo, of } of walk) {
      const read = of(v, high, low);
      const part = typeof read === 'bigint' ? read : read ? 1n : 0n;
      if (field === undefined) {
        if (part !== 0n) rows.push({ name: 'reserved', hi, lo, value: part, meaning: STRAY });
        continue;
      }
      const { name, kind, meaning } = field;
      const says = kind === 'bit' ? (part === 1n ? meaning : undefined) : (field.values?.[Number(part)] ?? meaning);
      rows.push(says === undefined ? { name, hi, lo, value: part } : { name, hi, lo, value: part, meaning: says });
    }
    return rows;
  }

  return { name, width, source, fields, masks, decode, read, encode, describe };
}

/**
 * What takes a field out of a register of at most 32 bits that is there as a number: for rules that ask again and again, and
 * would make a bigint each time.
 *
 * @example wordField(CPUID_1_EAX, 'FAMILY')(0x00a20f10) // 0xf
 */
export function wordField<const N extends string>(
  { fields }: { readonly fields: readonly (Field & { readonly name: N })[] },
  name: N,
): (word: number) => number {
  const field = fields.find(f => f.name === name);
  const { hi, lo } = field ?? { hi: 0, lo: 0 };
  const mask = lowHalf(maskOf(hi, lo));
  return word => (word & mask) >>> lo;
}
