/** @module How many errors a record stands for, in words. */
import type { DecodedRecord } from './record.ts';

/** A number with commas between its thousands. */
export function thousands(n: number): string {
  return String(n).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** `3 s`, `12 min`, `5 h`, `9 days`: how long something was watched. */
export function durationText(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  if (seconds < 2 * MINUTE) return `${seconds < 10 ? Number(seconds.toPrecision(2)) : Math.round(seconds)} s`;
  if (seconds < 2 * HOUR) return `${Math.round(seconds / MINUTE)} min`;
  return seconds < 2 * DAY ? `${Math.round(seconds / HOUR)} h` : `${Math.round(seconds / DAY)} days`;
}

/** `26,491 errors, threshold status yellow`; undefined for one error and nothing else to say. */
export function countText({ count, threshold }: Pick<DecodedRecord, 'count' | 'threshold'>): string | undefined {
  const errors = count === undefined || count === 1 ? [] : [`${thousands(count)} errors`];
  const status = threshold === undefined ? [] : [`threshold status ${threshold}`];
  const parts = [...errors, ...status];
  return parts.length === 0 ? undefined : parts.join(', ');
}
