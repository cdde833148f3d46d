/** @module The field rows of one register of a machine check. */
import type { McaRegister } from '../mca/describe.ts';
import type { Register } from '../registers/register.ts';
import { Memo } from './memo.ts';
import type { DecodedField } from './record.ts';

/** Values that are kept for each layout. */
const MAX_VALUES = 256;
const NONE: readonly never[] = [];

/** The rows that one decoder made of the values it met. */
export class FieldRows {
  /** By member and layout: how many there are is fixed by the tables. */
  readonly #memos = new Map<McaRegister, Map<Register, Memo<bigint, readonly DecodedField[]>>>();

  /** The rows of a register. A frozen array is kept: the same for the same value. */
  of(member: McaRegister, register: Register | undefined, value: bigint | undefined): readonly DecodedField[] {
    if (register === undefined || value === undefined) return NONE;
    let byLayout = this.#memos.get(member);
    if (byLayout === undefined) this.#memos.set(member, (byLayout = new Map()));
    let memo = byLayout.get(register);
    if (memo === undefined) {
      const rows = (v: bigint): readonly DecodedField[] =>
        register.describe(v).map(row => ({ register: member, ...row }));
      memo = new Memo(MAX_VALUES, rows, Object.freeze);
      byLayout.set(register, memo);
    }
    return memo.get(value);
  }
}
