/** @module A register as a strip of bits with a letter under each that names its field in the table below. */
import type { DecodedField } from './record.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Fields of one register, each with the letter it has in the strip. */
export interface Strip {
  lines: string[];
  letters: ReadonlyMap<DecodedField, string>;
}

function grouped(cells: readonly string[]): string {
  const groups: string[] = [];
  for (let i = 0; i < cells.length; i += 8) groups.push(cells.slice(i, i + 8).join(''));
  return groups.join(' ');
}

/**
 * Three lines: bit numbers, bits, letters. A bit of no field has a dot. Plain ASCII, 81 columns for 64 bits; the
 * upper half is left out when it is 0 and holds no field.
 */
export function bitStrip(value: bigint, fields: readonly DecodedField[]): Strip {
  const wide = value >> 32n !== 0n || fields.some(f => (f.hi ?? 0) >= 32);
  const width = wide ? 64 : 32;
  const bits: string[] = [];
  for (let i = width - 1; i >= 0; i--) bits.push(((value >> BigInt(i)) & 1n) === 1n ? '1' : '0');
  const cells = bits.map(() => '.');
  const letters = new Map<DecodedField, string>();
  let next = 0;
  for (const field of fields) {
    if (field.hi === undefined || field.lo === undefined || field.hi >= width) continue;
    const letter = LETTERS[next] ?? '?';
    next++;
    letters.set(field, letter);
    for (let i = field.lo; i <= field.hi; i++) cells[width - 1 - i] = letter;
  }
  const heads: string[] = [];
  for (let i = width - 1; i > 0; i -= 8) heads.push(String(i).padEnd(8));
  return { lines: [heads.join(' ').trimEnd(), grouped(bits), grouped(cells)], letters };
}
