/**
 * @module Structures of fixed fields as tables: declare once; reading, writing and describing follow. What no member
 * says (reserved bytes, values whose validation bit is clear, padding) is kept beside the members, so that a structure
 * that was read is written back byte for byte.
 */
import { CperError } from './error.ts';
import type { CperDiagnostic } from './error.ts';
import { fits } from '../registers/address.ts';
import { fieldOf, hasBit, maskOf, placed, readLittleEndian, writeLittleEndian } from '../registers/field.ts';
import { guidFromBytes, guidToBytes } from './guid.ts';

interface Common {
  readonly name: string;
  /** Byte offset. */
  readonly at: number;
  /** Bytes. */
  readonly size: number;
  /** Validation bit; a field without one is always there. */
  readonly valid?: number;
  readonly meaning?: string;
}

/** Bits `hi`:`lo` of a little endian integer; a number up to 32 bits, a bigint for 64. */
interface IntegerField extends Common {
  readonly kind: 'integer';
  readonly hi: number;
  readonly lo: number;
  readonly values?: Readonly<Record<number, string>>;
}
interface BytesField extends Common {
  readonly kind: 'bytes';
}
/** GUID in its text form. */
interface GuidField extends Common {
  readonly kind: 'guid';
}
/** ASCII, NUL terminated unless it fills its place. */
interface TextField extends Common {
  readonly kind: 'text';
}
/** A validation bit with no place of its own. */
interface FlagField extends Common {
  readonly kind: 'flag';
}
export type LayoutField = IntegerField | BytesField | GuidField | TextField | FlagField;

export interface Layout {
  readonly name: string;
  /** Manual and section. */
  readonly source: string;
  /** Length as specified. */
  readonly length: number;
  /** Where the validation bits stand, and what a bit is called that several members share. */
  readonly validation?: {
    readonly at: number;
    readonly size: 1 | 2 | 4 | 8;
    readonly shared?: Readonly<Record<number, string>>;
  };
  readonly fields: readonly LayoutField[];
}

/** Bytes that no member speaks for: the runs that are not zero, and the length where it is not the specified one. */
export interface CperKept {
  length?: number;
  bytes?: { at: number; hex: string }[];
}

type Options = { valid?: number; meaning?: string; values?: Readonly<Record<number, string>> };

const integer =
  (size: number) =>
  (name: string, at: number, options: Options = {}): IntegerField => ({
    kind: 'integer',
    name,
    at,
    size,
    hi: 8 * size - 1,
    lo: 0,
    ...options,
  });
export const u8 = integer(1);
export const u16 = integer(2);
export const u24 = integer(3);
export const u32 = integer(4);
export const u64 = integer(8);
/** Bits `hi`:`lo` of the integer of `size` bytes at `at`. */
export function part(
  name: string,
  at: number,
  size: number,
  hi: number,
  lo: number,
  options: Options = {},
): IntegerField {
  return { kind: 'integer', name, at, size, hi, lo, ...options };
}
export function bytesOf(name: string, at: number, size: number, options: Omit<Options, 'values'> = {}): BytesField {
  return { kind: 'bytes', name, at, size, ...options };
}
export function guid(name: string, at: number, options: Omit<Options, 'values'> = {}): GuidField {
  return { kind: 'guid', name, at, size: 16, ...options };
}
export function text(name: string, at: number, size: number, options: Omit<Options, 'values'> = {}): TextField {
  return { kind: 'text', name, at, size, ...options };
}
export function flag(name: string, valid: number, meaning: string): FlagField {
  return { kind: 'flag', name, at: 0, size: 0, valid, meaning };
}

export type Note = (code: CperDiagnostic['code'], message: string, offset: number) => void;
export type Members = Record<string, unknown>;

/** The largest structure that is written: a `kept.length` from outside must not allocate without bound. */
const MAX_LENGTH = 1 << 26;
/** Zero bytes between two kept runs that are cheaper to keep than to split. */
const MERGE = 8;

const isWide = (field: IntegerField): boolean => field.hi - field.lo >= 32;
const printable = (c: number): boolean => c >= 0x20 && c <= 0x7e;
/** The text with every byte that is not printable ASCII as a question mark. */
function asText(bytes: Uint8Array): string {
  return Array.from(bytes, c => (printable(c) ? String.fromCharCode(c) : '?')).join('');
}

/** The name of the member that holds the bytes of a text that is not printable ASCII. */
export const textBytesName = (name: string): string => `${name}Bytes`;

/** The member that holds the validation bits of a structure as they were read. */
export const VALIDATION_MEMBER = 'validationBits';

/** The validation bits of a structure as they stand; 0 where there are none. */
export function validationBits(layout: Layout, bytes: Uint8Array): bigint {
  const v = layout.validation;
  return v === undefined || v.at + v.size > bytes.length ? 0n : readLittleEndian(bytes, v.at, v.size);
}

/** Whether the validation bit of a member is set. */
export function isMarked(layout: Layout, bytes: Uint8Array, name: string): boolean {
  const valid = layout.fields.find(f => f.name === name)?.valid;
  return valid !== undefined && hasBit(validationBits(layout, bytes), valid);
}

/**
 * Reads a structure from `bytes`, which are all of it. Members whose validation bit is clear or that lie behind the end
 * are missing. `base` is added to the offsets of notes. Never throws.
 */
export function readLayout(layout: Layout, bytes: Uint8Array, base: number, note: Note): Members {
  const value: Members = {};
  const v = layout.validation;
  if (v !== undefined && v.at + v.size <= bytes.length) value[VALIDATION_MEMBER] = validationBits(layout, bytes);
  const owned = new Uint8Array(bytes.length);
  const own = (at: number, size: number, mask: bigint): void => {
    const before = readLittleEndian(owned, at, size);
    writeLittleEndian(owned, at, size, before | mask);
  };
  const valid = validationBits(layout, bytes);
  for (const field of layout.fields) {
    if (field.valid !== undefined && !hasBit(valid, field.valid)) continue;
    if (field.at + field.size > bytes.length) {
      const marked = field.valid === undefined ? '' : 'is marked valid but ';
      note('E_CPER_TRUNCATED', `${field.name} ${marked}lies behind the end of the ${layout.name}`, base + field.at);
      continue;
    }
    if (field.valid !== undefined && v !== undefined) own(v.at, v.size, placed(1n, field.valid));
    switch (field.kind) {
      case 'integer': {
        const mask = maskOf(field.hi, field.lo);
        const raw = fieldOf(readLittleEndian(bytes, field.at, field.size), field.hi, field.lo);
        value[field.name] = isWide(field) ? raw : Number(raw);
        own(field.at, field.size, mask);
        break;
      }
      case 'guid':
        value[field.name] = guidFromBytes(bytes, field.at);
        owned.fill(0xff, field.at, field.at + field.size);
        break;
      case 'bytes':
        value[field.name] = bytes.slice(field.at, field.at + field.size);
        owned.fill(0xff, field.at, field.at + field.size);
        break;
      case 'text': {
        const all = bytes.subarray(field.at, field.at + field.size);
        const nul = all.indexOf(0);
        const raw = nul < 0 ? all : all.subarray(0, nul);
        value[field.name] = asText(raw);
        if (!raw.every(printable)) {
          note('W_CPER_TEXT', `${field.name} is not printable ASCII`, base + field.at);
          value[textBytesName(field.name)] = raw.slice();
        }
        owned.fill(0xff, field.at, field.at + raw.length);
        break;
      }
      case 'flag':
        value[field.name] = true;
    }
  }
  const kept = keep(bytes, owned, layout.length);
  if (kept !== undefined) value['kept'] = kept;
  return value;
}

/** What is left of `bytes` when the owned bits are taken out; undefined when nothing is. */
export function keep(bytes: Uint8Array, owned: Uint8Array, specified: number): CperKept | undefined {
  const runs: { at: number; hex: string }[] = [];
  let start = -1;
  let last = -1;
  const rest = (i: number): number => (bytes[i] ?? 0) & ~(owned[i] ?? 0);
  const close = (): void => {
    if (start < 0) return;
    let hex = '';
    for (let i = start; i <= last; i++) hex += rest(i).toString(16).padStart(2, '0');
    runs.push({ at: start, hex });
    start = -1;
  };
  for (let i = 0; i < bytes.length; i++) {
    if (rest(i) === 0) continue;
    if (start >= 0 && i - last > MERGE) close();
    if (start < 0) start = i;
    last = i;
  }
  close();
  if (runs.length === 0 && bytes.length === specified) return undefined;
  return {
    ...(bytes.length === specified ? {} : { length: bytes.length }),
    ...(runs.length === 0 ? {} : { bytes: runs }),
  };
}

function range(layout: Layout, name: string, what: string): CperError {
  return new CperError('E_CPER_RANGE', `${layout.name}: ${name} ${what}`);
}

/** The bytes of `kept` in an otherwise empty structure. */
export function keptBytes(name: string, kept: CperKept | undefined, specified: number): Uint8Array {
  const length = kept?.length ?? specified;
  if (!Number.isInteger(length) || length < 0 || length > MAX_LENGTH) {
    throw new CperError('E_CPER_RANGE', `${name}: kept.length does not fit`, { hint: `At most ${MAX_LENGTH} bytes.` });
  }
  const bytes = new Uint8Array(length);
  for (const run of kept?.bytes ?? []) {
    const data = hexToBytes(run.hex);
    if (data === undefined || !Number.isInteger(run.at) || run.at < 0 || run.at + data.length > length) {
      throw new CperError('E_CPER_RANGE', `${name}: a run of kept.bytes does not fit`, {
        hint: '`at` is a byte offset inside the structure, `hex` an even number of hex digits.',
      });
    }
    bytes.set(data, run.at);
  }
  return bytes;
}

/**
 * The bytes of a structure. Validation bits follow from the members that are there; from those that are given only what marks
 * no member is taken, so that a record which was read can be changed and written. `more` names members that the caller writes
 * itself. Throws {@link CperError} for a value that does not fit and for a member it does not know.
 */
export function writeLayout(layout: Layout, value: object, more: readonly string[] = []): Uint8Array {
  const given = value as Members;
  const known = new Set(['kind', 'kept', ...(layout.validation === undefined ? [] : [VALIDATION_MEMBER]), ...more]);
  for (const f of layout.fields) {
    known.add(f.name);
    if (f.kind === 'text') known.add(textBytesName(f.name));
  }
  for (const name of Object.keys(given)) {
    if (!known.has(name)) {
      throw new CperError('E_CPER_FIELD', `${layout.name} has no member ${name.slice(0, 64)}`, {
        hint: `Members are ${layout.fields.map(f => f.name).join(', ')}.`,
      });
    }
  }
  const bytes = keptBytes(layout.name, given['kept'] as CperKept | undefined, layout.length);
  let valid = givenValidation(layout, given[VALIDATION_MEMBER]);
  for (const field of layout.fields) {
    const member = given[field.name];
    if (member === undefined) continue;
    if (field.at + field.size > bytes.length) {
      throw range(layout, field.name, `does not fit its field: the structure has ${bytes.length} bytes`);
    }
    if (field.valid !== undefined && (field.kind !== 'flag' || member === true)) valid |= placed(1n, field.valid);
    writeField(layout, field, member, given, bytes);
  }
  const v = layout.validation;
  if (v !== undefined && v.at + v.size <= bytes.length) {
    writeLittleEndian(bytes, v.at, v.size, readLittleEndian(bytes, v.at, v.size) | valid);
  }
  return bytes;
}

/** The bits of {@link VALIDATION_MEMBER} that are written: those of no member, for of the others the members decide. */
function givenValidation(layout: Layout, given: unknown): bigint {
  if (given === undefined || layout.validation === undefined) return 0n;
  if (typeof given !== 'bigint' || !fits(given, 8 * layout.validation.size)) {
    throw range(layout, VALIDATION_MEMBER, `does not fit its field: a value of ${layout.validation.size} bytes`);
  }
  return strayValidation(layout, given);
}

function writeField(layout: Layout, field: LayoutField, member: unknown, given: Members, bytes: Uint8Array): void {
  switch (field.kind) {
    case 'integer': {
      const mask = maskOf(field.hi, field.lo);
      const limit = fieldOf(mask, field.hi, field.lo);
      const right = isWide(field) ? typeof member === 'bigint' : Number.isInteger(member);
      const n = right ? BigInt(member as number | bigint) : -1n;
      if (n < 0n || n > limit) throw range(layout, field.name, `does not fit its field: an integer from 0 to ${limit}`);
      const before = readLittleEndian(bytes, field.at, field.size);
      writeLittleEndian(bytes, field.at, field.size, (before & ~mask) | placed(n, field.lo));
      return;
    }
    case 'guid':
      if (typeof member !== 'string') throw range(layout, field.name, 'is not a GUID');
      bytes.set(guidToBytes(member), field.at);
      return;
    case 'bytes':
      if (!(member instanceof Uint8Array) || member.length !== field.size) {
        throw range(layout, field.name, `needs ${field.size} bytes`);
      }
      bytes.set(member, field.at);
      return;
    case 'text': {
      if (typeof member !== 'string' || member.length > field.size || !/^[\x20-\x7e]*$/.test(member)) {
        throw new CperError('E_CPER_RANGE', `${layout.name}: ${field.name} does not fit`, {
          hint: `At most ${field.size} printable ASCII characters.`,
        });
      }
      const raw = given[textBytesName(field.name)];
      // The bytes as they were read, as long as the text was not changed since.
      const data =
        raw instanceof Uint8Array && asText(raw) === member ? raw : Uint8Array.from(member, c => c.charCodeAt(0));
      bytes.set(data, field.at);
      if (data.length < field.size) bytes[field.at + data.length] = 0;
      return;
    }
    case 'flag':
      if (typeof member !== 'boolean') throw range(layout, field.name, 'is true or missing');
  }
}

/** The bytes of an even number of hex digits; undefined for other text. */
export function hexToBytes(hex: string): Uint8Array | undefined {
  if (typeof hex !== 'string' || hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return undefined;
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Hex digits of bytes, without separators. */
export function bytesToHex(bytes: Uint8Array): string {
  let hex = '';
  for (const b of bytes) hex += b.toString(16).padStart(2, '0');
  return hex;
}

/** Validation bits of the table. */
export function knownValidationBits(layout: Layout): bigint {
  return layout.fields.reduce((sum, f) => (f.valid === undefined ? sum : sum | placed(1n, f.valid)), 0n);
}

/** The validation bits that members speak for, and the counts that stand between them. */
function spokenFor(layout: Layout): bigint {
  return layout.fields.reduce(
    (mask, f) =>
      f.kind === 'integer' && f.valid === undefined && f.at === layout.validation?.at
        ? mask | maskOf(f.hi, f.lo)
        : mask,
    knownValidationBits(layout),
  );
}

/** The validation bits that were read and mark no member. */
export function strayValidation(layout: Layout, bits: bigint): bigint {
  return bits & ~spokenFor(layout);
}

/** One member of a structure, for a table on a screen. */
export interface MemberRow {
  name: string;
  value: string;
  meaning?: string;
}

/** The members that are there, in the order of the table, with what their values mean. */
export function describeLayout(layout: Layout, value: object): MemberRow[] {
  const given = value as Members;
  const rows: MemberRow[] = [];
  for (const field of layout.fields) {
    const member = given[field.name];
    if (member === undefined) continue;
    const row: MemberRow = { name: field.name, value: show(field, member) };
    const named = field.kind === 'integer' ? field.values?.[Number(member)] : undefined;
    const reserved = field.kind === 'integer' && field.values !== undefined ? 'reserved' : undefined;
    const meaning = named ?? reserved ?? field.meaning;
    if (meaning !== undefined) row.meaning = meaning;
    rows.push(row);
  }
  return rows;
}

function show(field: LayoutField, member: unknown): string {
  if (member instanceof Uint8Array) return bytesToHex(member);
  if (field.kind === 'integer')
    return `0x${BigInt(member as number | bigint)
      .toString(16)
      .padStart(Math.ceil((field.hi - field.lo + 1) / 4), '0')}`;
  return String(member);
}
