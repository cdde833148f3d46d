/**
 * @module The lines of a segment of the spool: what is written, and what may be believed when it is read again.
 *
 * A segment begins with `syndrome-spool 1 <spool id> <first seq>`; each further line is `<crc32> <seq> <at> <body>`, the
 * checksum over everything behind its blank. A body is text without line ends.
 */
import { crc32 } from 'node:zlib';

/** One row as the spool keeps it: what it says is text to the spool. */
export interface SpooledRow {
  seq: number;
  /** When it was written, ms UTC. */
  at: number;
  body: string;
}

/** Longest body, bytes: rows are small, and a line that is longer is none of ours. */
export const MAX_BODY = 1 << 20;

const HEADER = /^syndrome-spool 1 ([0-9a-f-]{8,64}) ([1-9]\d{0,15})$/;
const ROW = /^([0-9a-f]{8}) (([1-9]\d{0,15}) (\d{1,16}) (.*))$/s;

export const headerLine = (spool: string, first: number): string => `syndrome-spool 1 ${spool} ${first}\n`;

export function readHeader(line: string): { spool: string; first: number } | undefined {
  const [, spool, first] = HEADER.exec(line) ?? [];
  return spool === undefined ? undefined : { spool, first: Number(first) };
}

/** @example rowLine({ seq: 1, at: 0, body: '{}' }) // 'c1f5c4f6 1 0 {}\n' */
export function rowLine({ seq, at, body }: SpooledRow): string {
  const rest = `${seq} ${at} ${body}`;
  return `${crc32(rest).toString(16).padStart(8, '0')} ${rest}\n`;
}

/** The row of a line without its line end; undefined where the checksum does not hold. */
export function readRow(line: string): SpooledRow | undefined {
  const [, sum, rest, seq, at, body] = ROW.exec(line) ?? [];
  if (sum === undefined || rest === undefined || body === undefined) return undefined;
  return crc32(rest) === Number.parseInt(sum, 16) ? { seq: Number(seq), at: Number(at), body } : undefined;
}
