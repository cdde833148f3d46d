/**
 * @module Sections that are one structure, perhaps with rows of another behind it: what a specification or a vendor published of
 * them is a table, and reading, writing, JSON and words follow. Bytes behind what the table knows are kept.
 */
import { hex64 } from '../common/hex.ts';
import type { Register } from '../registers/register.ts';
import type { CperDiagnostic } from './error.ts';
import { CperError } from './error.ts';
import { readLayout, writeLayout } from './layout.ts';
import type { Layout, Members, Note } from './layout.ts';
import type { CperTabled, CperTabledKind } from './record.ts';
import { concat } from './x86.ts';

/** A register within a section, under the name that its architecture gives it. */
export interface NamedRegister {
  readonly name: string;
  readonly value: bigint;
  /** Its bits, where a table has them. */
  readonly table?: Register;
  /** It is a member of the structure, under another name. */
  readonly isMember?: true;
  /** Bytes behind the structure up to its end, where the registers fill them from the first byte on. */
  readonly end?: number;
}

/** Structures of one kind behind a first one, which counts them. */
interface Rows {
  /** The member of the body that holds them. */
  readonly member: string;
  readonly layout: Layout;
  /** The members of the first structure that say how many there are and, where it says so, from which byte. */
  readonly count: string;
  readonly at?: string;
}

export interface Tabled {
  readonly type: string;
  readonly kind: CperTabledKind;
  readonly layout: Layout;
  /** Bytes without which it is no such section. */
  readonly least: number;
  /** Lengths that it had in older versions: members behind the end of one are missing, and no fault of it. */
  readonly lengths?: readonly number[];
  readonly rows?: Rows;
  /** What it says, in whole sentences. */
  readonly say: (body: CperTabled) => string[];
  readonly registers?: (body: CperTabled) => NamedRegister[];
  /** Physical addresses that it names. */
  readonly addresses?: (body: CperTabled) => bigint[];
}

/** Of one section; its first structure counts in up to 32 bits. */
const MAX_ROWS = 4096;

/** Reads a section; undefined when it is shorter than the table says. Never throws. */
export function decodeTabled(
  table: Tabled,
  bytes: Uint8Array,
  base: number,
): { value: CperTabled | undefined; diagnostics: CperDiagnostic[] } {
  const { layout, least, rows, kind, lengths } = table;
  const diagnostics: CperDiagnostic[] = [];
  const note: Note = (code, message, offset) => {
    diagnostics.push({ code, message, offset });
  };
  if (bytes.length < least) {
    note('E_CPER_TRUNCATED', `a ${layout.name} of ${bytes.length} bytes is too short, ${least} is the least`, base);
    return { value: undefined, diagnostics };
  }
  let isShort = lengths?.includes(bytes.length) === true;
  // Said once, for the members behind the end may be many.
  const head: Note = (code, message, offset) => {
    if (code !== 'E_CPER_TRUNCATED') note(code, message, offset);
    else if (!isShort) {
      isShort = true;
      note(code, `${message}, and so do those behind it`, base + bytes.length);
    }
  };
  const value: CperTabled = { kind, ...readLayout(layout, bytes.subarray(0, layout.length), base, head) };
  let at = Math.min(layout.length, bytes.length);
  if (rows !== undefined) {
    const list: Members[] = [];
    const count = numberOf(value, rows.count) ?? 0;
    const first = at;
    const from = rows.at === undefined ? first : (numberOf(value, rows.at) ?? first);
    const size = rows.layout.length;
    if (from !== first && count > 0)
      note('W_CPER_LENGTH', `its ${rows.member} begin at byte ${from}, not behind it`, base);
    while (from === first && list.length < Math.min(count, MAX_ROWS) && at + size <= bytes.length) {
      list.push(readLayout(rows.layout, bytes.subarray(at, at + size), base + at, note));
      at += size;
    }
    value[rows.member] = list;
    if (list.length !== count) {
      note('E_CPER_TRUNCATED', `${count} ${rows.member} are counted, ${list.length} were read`, base);
    }
  }
  if (at < bytes.length) value.trailing = bytes.slice(at);
  return { value, diagnostics };
}

/** The bytes of a section. Throws {@link CperError} for values that do not fit. */
export function encodeTabled(table: Tabled, body: CperTabled): Uint8Array {
  const { layout, rows } = table;
  const { trailing, ...given } = body;
  const list = rows === undefined ? [] : given[rows.member];
  if (!Array.isArray(list)) throw new CperError('E_CPER_FIELD', `${layout.name}: ${rows?.member} is no list`);
  const first: Members = { ...given };
  if (rows !== undefined) {
    delete first[rows.member];
    if (list.length > 0) first[rows.count] ??= list.length;
  }
  const parts = [writeLayout(layout, first)];
  for (const row of list) parts.push(writeLayout((rows as Rows).layout, row as object));
  if (trailing !== undefined) parts.push(trailing);
  return concat(parts);
}

/** A member that is a number of up to 32 bits. */
export function numberOf(body: Members | CperTabled, name: string): number | undefined {
  const value = (body as Members)[name];
  return typeof value === 'number' ? value : undefined;
}

/** A member that is a 64-bit value. */
export function wideOf(body: Members | CperTabled, name: string): bigint | undefined {
  const value = (body as Members)[name];
  return typeof value === 'bigint' ? value : undefined;
}

/** A member that is text; empty where it is missing. */
export function textOf(body: Members | CperTabled, name: string): string {
  const value = (body as Members)[name];
  return typeof value === 'string' ? value : '';
}

/** The rows of a section. */
export function rowsOf(body: CperTabled, member: string): readonly Members[] {
  const value = body[member];
  return Array.isArray(value) ? (value as readonly Members[]) : [];
}

/** The bytes behind the structures that are known, as a view. */
export function restOf({ trailing }: CperTabled): DataView {
  return trailing === undefined
    ? new DataView(new ArrayBuffer(0))
    : new DataView(trailing.buffer, trailing.byteOffset, trailing.byteLength);
}

export const hex = (n: number | bigint): string => `0x${n.toString(16)}`;

/** `channel 3, rank 33`: members that are there, in words. */
export function placesOf(body: CperTabled, words: readonly (readonly [member: string, word: string])[]): string {
  return words
    .flatMap(([member, word]) => (numberOf(body, member) === undefined ? [] : [`${word} ${numberOf(body, member)}`]))
    .join(', ');
}

/** `NAME 0x…; NAME 0x…`, up to a bound. */
export function registersInWords(registers: readonly NamedRegister[], most = 12): string[] {
  if (registers.length === 0) return [];
  const shown = registers.slice(0, most).map(r => `${r.name} ${hex64(r.value)}`);
  return [`Registers: ${shown.join('; ')}${more(registers.length - most)}.`];
}

/** `; and 5 more`: what is not shown. */
export const more = (count: number): string => (count > 0 ? `; and ${count} more` : '');

/** The meanings of the bits that are set in a register. */
export function meaningsOf(table: Register, value: bigint): string[] {
  return table
    .describe(value)
    .filter(r => r.hi === r.lo && r.value === 1n && r.meaning !== undefined)
    .map(r => r.meaning ?? r.name);
}

/** Members of the first structure as registers. */
export function membersAsRegisters(body: CperTabled, names: Readonly<Record<string, string>>): NamedRegister[] {
  return Object.entries(names).flatMap(([member, name]) => {
    const value = wideOf(body, member) ?? numberOf(body, member);
    return value === undefined ? [] : [{ name, value: BigInt(value), isMember: true as const }];
  });
}
