/** @module The texts within a line of CSV or XML: what carries logs puts its lines there, under whatever name. */
import { OUTER, unescaped } from './markup.ts';

const MAX_TEXTS = 512;

/** A quoted field of CSV (RFC 4180). */
const FIELD = /(?:^|[,;\t])"((?:[^"]|""){8,8192})"(?=[,;\t\r]|$)/g;
/** The text of an element. */
const ELEMENT = />([^<>]{8,8192})</g;

/** Events of node-problem-detector in its own log: when, and the line of the kernel that made each. */
const PROBLEM =
  /\bTimestamp:(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: [+-]\d{4})?)[^{}]{0,64}? Reason:\w{1,64} Message:(.{1,4096}?)\}(?=\]| \{)/g;

/** The messages that node-problem-detector quotes in a line, each with its time. */
export function problemsIn(line: string): { time: string; message: string }[] {
  if (!line.includes(' Reason:')) return [];
  return Array.from(line.matchAll(PROBLEM), m => ({ time: m[1] ?? '', message: m[2] ?? '' }));
}

/** The quoted fields and the texts of elements in a line, up to a bound. */
export function cellsOf(line: string): string[] {
  const out: string[] = [];
  for (const m of line.matchAll(FIELD)) if (out.length < MAX_TEXTS) out.push((m[1] ?? '').replaceAll('""', '"'));
  for (const m of line.matchAll(ELEMENT)) {
    if (out.length >= MAX_TEXTS) break;
    out.push(unescaped(m[1] ?? ''));
  }
  return out;
}

/** What a line of CSV or XML may hold of a log, where it is none that begins as one does: its fields, or what stands between tags. */
export function partsOf(line: string): string[] {
  if (!/^<[a-zA-Z?/]|^"|[,;\t]"|>\s{0,4}$/.test(line)) return [];
  const within = line.replaceAll(OUTER, '');
  const cells = cellsOf(line);
  const text = within === line || within === '' ? undefined : unescaped(within);
  // Of one element alone both are the same text.
  return text === undefined || cells.includes(text) ? cells : [...cells, text];
}
