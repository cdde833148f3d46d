/** @module A record that is changed by hand: one bit, or one value, at the member that a register is from. */
import type { RawRecord } from '@syndrome/decode/decode/record.ts';

type Node = Record<string | number, unknown>;

/** `sections[0].body.errorStatus` → `['sections', 0, 'body', 'errorStatus']`. */
function stepsOf(member: string): (string | number)[] {
  return [...member.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) =>
    index === undefined ? (name ?? '') : Number(index),
  );
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** A copy of what lies on the way to a member, with another value there; the same where there is no such place. */
function replaced(node: unknown, [step, ...rest]: (string | number)[], value: bigint): unknown {
  if (step === undefined) return typeof node === 'number' ? Number(value) : value;
  // A member that was not reported may be given: only its place has to be there.
  if (!isNode(node) || (rest.length > 0 && !Object.hasOwn(node, step))) return node;
  const inner = replaced(node[step], rest, value);
  if (Array.isArray(node)) return node.map((item, i) => (i === step ? inner : item) as unknown);
  return { ...node, [step]: inner };
}

/**
 * The record with another value in one of its registers.
 * @param member path in the record, as `describe` names it
 * @example withValue({ kind: 'arm-sea', esr: 0x92000010n }, 'esr', 0x92000410n).esr // 0x92000410n
 */
export const withValue = (raw: RawRecord, member: string, value: bigint): RawRecord =>
  replaced(raw, stepsOf(member), value) as RawRecord;

/** What one bit is worth. */
const worth = (bit: number): bigint => 2n ** BigInt(bit);

/** Whether a bit is set. */
export const isSet = (value: bigint, bit: number): boolean => BigInt.asUintN(bit + 1, value) >= worth(bit);

/** A value with one bit the other way. */
export const flipped = (value: bigint, bit: number): bigint =>
  isSet(value, bit) ? value - worth(bit) : value + worth(bit);

/** The bits of 64 in which two values differ, lowest first. */
export const changedBits = (before: bigint, after: bigint): number[] =>
  Array.from({ length: 64 }, (_, bit) => bit).filter(bit => isSet(before, bit) !== isSet(after, bit));
