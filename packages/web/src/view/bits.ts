/** @module A register as rows of 32 bits, with the names of its fields over them. */
import type { Finding } from '@syndrome/decode/registers/finding.ts';
import type { RegisterView } from '@syndrome/decode/registers/view.ts';
import { isSet } from './edit.ts';

/** A name over some bits of one row. */
export interface BitName {
  name: string;
  /** Columns of the row, from 1 at its highest bit. */
  column: number;
  span: number;
  hi: number;
  lo: number;
  /** Not 0. */
  lit: boolean;
}
interface Bit {
  bit: number;
  set: boolean;
  /** Of which field; reserved where there is none. */
  field: string | undefined;
}
interface BitRow {
  high: number;
  low: number;
  names: BitName[];
  bits: Bit[];
}

const ROW = 32;

/** The rows of a register, the highest bits first. A field that crosses a row has its name over both parts. */
export function bitRows({ value, width, rows }: Pick<RegisterView, 'value' | 'width' | 'rows'>): BitRow[] {
  const out: BitRow[] = [];
  for (let low = (Math.ceil(width / ROW) - 1) * ROW; low >= 0; low -= ROW) {
    const high = Math.min(width, low + ROW) - 1;
    const names = rows
      .filter(row => row.hi >= low && row.lo <= high)
      .map((row): BitName => {
        const [hi, lo] = [Math.min(row.hi, high), Math.max(row.lo, low)];
        return {
          name: row.name,
          column: high - hi + 1,
          span: hi - lo + 1,
          hi: row.hi,
          lo: row.lo,
          lit: row.value !== 0n,
        };
      });
    const bits = Array.from({ length: high - low + 1 }, (_, i): Bit => {
      const bit = high - i;
      return { bit, set: isSet(value, bit), field: rows.find(row => bit <= row.hi && bit >= row.lo)?.name };
    });
    out.push({ high, low, names, bits });
  }
  return out;
}

/** The bits of a register that findings speak of. */
export function namedBits(findings: readonly Finding[], member: string): Set<number> {
  const bits = new Set<number>();
  for (const { bits: named = [] } of findings)
    for (const place of named)
      if (place.member === member) for (let bit = place.lo; bit <= place.hi; bit++) bits.add(bit);
  return bits;
}
