/** @module The field rows of one register of a machine check. */
import type { RegisterView } from '../mca/describe.ts';
import type { Register } from '../registers/register.ts';
import { Memo } from './memo.ts';
import type { DecodedField } from './record.ts';

type Member = RegisterView['member'];

/** Values that are kept for each layout. */
const MAX_VALUES = 256;
const NONE: readonly never[] = [];

/** By member and layout: how many there are is fixed by the tables. */
const memos = new Map<Member, Map<Register, Memo<bigint, readonly DecodedField[]>>>();

/** The rows of a register; the same array for the same value as long as it is kept. */
export function fieldsOfRegister(
  member: Member,
  register: Register | undefined,
  value: bigint | undefined,
): readonly DecodedField[] {
  if (register === undefined || value === undefined) return NONE;
  let byLayout = memos.get(member);
  if (byLayout === undefined) memos.set(member, (byLayout = new Map()));
  let memo = byLayout.get(register);
  if (memo === undefined) {
    memo = new Memo(MAX_VALUES, v => register.describe(v).map(row => ({ register: member, ...row })));
    byLayout.set(register, memo);
  }
  return memo.get(value);
}
