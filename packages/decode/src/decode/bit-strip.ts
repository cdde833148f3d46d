/** @module A register as a strip of bits with a letter under each that names its field in the table below. */
import { fits } from '../registers/address.ts';
import type { FieldRow } from '../registers/register.ts';
import type { RegisterView } from '../registers/view.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Fields of one register, each with the letter it has in the strip. */
interface Strip<Row> {
  lines: string[];
  letters: ReadonlyMap<Row, string>;
}

/** A row of a table; one that is no bit field has no range. */
interface Range {
  readonly hi?: number;
  readonly lo?: number;
}

/** Blanks between groups of eight. */
function grouped(cells: string): string {
  let out = cells.slice(0, 8);
  for (let i = 8; i < cells.length; i += 8) out += ` ${cells.slice(i, i + 8)}`;
  return out;
}

/** Columns of 32 bits in groups of eight, and the blank behind them. */
const HALF = 36;

/** The strip in two pieces of 32 bits, where 64 do not fit. */
export function halved(lines: readonly string[]): string[] {
  if (lines.every(line => line.length < HALF)) return [...lines];
  return [...lines.map(line => line.slice(0, HALF).trimEnd()), ...lines.map(line => line.slice(HALF))];
}

/**
 * Three lines: bit numbers, bits, letters. A bit of no field has a dot. Plain ASCII, 81 columns for 64 bits; the
 * upper half is left out when it is 0 and holds no field.
 */
export function bitStrip<Row extends Range>(value: bigint, fields: readonly Row[]): Strip<Row> {
  const wide = !fits(value, 32) || fields.some(f => (f.hi ?? 0) >= 32);
  const width = wide ? 64 : 32;
  const bits = BigInt.asUintN(64, value).toString(2).padStart(width, '0');
  const cells = Array.from('.'.repeat(width));
  const letters = new Map<Row, string>();
  let next = 0;
  for (const field of fields) {
    if (field.hi === undefined || field.lo === undefined || field.hi >= width) continue;
    const letter = LETTERS[next] ?? '?';
    next++;
    letters.set(field, letter);
    cells.fill(letter, width - 1 - field.hi, width - field.lo);
  }
  const heads: string[] = [];
  for (let i = width - 1; i > 0; i -= 8) heads.push(String(i).padEnd(8));
  return { lines: [heads.join(' ').trimEnd(), grouped(bits), grouped(cells.join(''))], letters };
}

/**
 * The strip of a register of any kind of record: see {@link bitStrip}.
 *
 * @example
 * const [esr] = describe({ kind: 'arm-sea', esr: 0x92000010n });
 * stripOf(esr).lines[1].slice(-35) // '10010010 00000000 00000000 00010000'
 */
export function stripOf({ value, rows }: RegisterView): Strip<FieldRow> {
  return bitStrip(value, rows);
}
