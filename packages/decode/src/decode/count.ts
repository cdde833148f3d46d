/** @module How many errors a record stands for, in words. */
import type { DecodedRecord } from './record.ts';

/** A number with commas between its thousands. */
export function thousands(n: number): string {
  return String(n).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `26,491 errors, threshold status yellow`; undefined for one error and nothing else to say. */
export function countText({ count, threshold }: Pick<DecodedRecord, 'count' | 'threshold'>): string | undefined {
  const errors = count === undefined || count === 1 ? [] : [`${thousands(count)} errors`];
  const status = threshold === undefined ? [] : [`threshold status ${threshold}`];
  const parts = [...errors, ...status];
  return parts.length === 0 ? undefined : parts.join(', ');
}
