/**
 * @module Bytes out of a dump: `hexdump -C`, `hexdump`, `xxd`, `od -x`, `od -t x1` to `x8`, the kernel's print_hex_dump().
 * Offsets are checked, so that no other text passes for one.
 */

interface Row {
  offset: string;
  colon: boolean;
  groups: string[];
}

const MAX_BYTES = 1 << 20;
const ROW = /^([0-9a-fA-F]{6,16})(:?)(?: +|$)(.*)$/;
const GROUP = /^(?:[0-9a-fA-F]{2}){1,8}$/;

/** The groups of a row, without the characters that some programs print behind them. */
function groupsOf(colon: boolean, rest: string): string[] | undefined {
  let text = rest;
  const bar = /(?: {2,}|^)(?:\|.{0,64}\||>.{0,64}<)$/.exec(rest);
  if (bar !== null) text = rest.slice(0, bar.index);
  else if (colon) text = rest.split('  ', 1)[0] ?? '';
  const groups = text.split(/ +/).filter(g => g !== '');
  return groups.length <= 32 && groups.every(g => GROUP.test(g)) ? groups : undefined;
}

/** `*` stands for rows equal to the one before. */
function rowsOf(text: string): (Row | '*')[] | undefined {
  const rows: (Row | '*')[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    if (trimmed === '*') {
      rows.push('*');
      continue;
    }
    const m = ROW.exec(trimmed);
    const groups = m === null ? undefined : groupsOf(m[2] === ':', m[3] ?? '');
    if (m === null || groups === undefined) return undefined;
    rows.push({ offset: m[1] ?? '', colon: m[2] === ':', groups });
  }
  return rows;
}

function bytesOf(groups: readonly string[], words: boolean): number[] {
  return groups.flatMap(g => {
    const bytes = (g.match(/../g) ?? []).map(d => Number.parseInt(d, 16));
    return words ? bytes.toReversed() : bytes;
  });
}

/** The bytes of all rows when the offsets, read to this base, say that they follow each other. */
function assemble(rows: readonly (Row | '*')[], base: 8 | 10 | 16, words: boolean): Uint8Array | undefined {
  const out: number[] = [];
  let start: number | undefined;
  let last: number[] = [];
  let repeat = false;
  for (const row of rows) {
    if (row === '*') {
      if (last.length === 0) return undefined;
      repeat = true;
      continue;
    }
    if ((base === 8 && /[89a-f]/i.test(row.offset)) || (base === 10 && /[a-f]/i.test(row.offset))) return undefined;
    const offset = Number.parseInt(row.offset, base);
    start ??= offset;
    const at = offset - start;
    if (at > MAX_BYTES) return undefined;
    if (repeat) while (out.length < at) out.push(...last);
    repeat = false;
    if (out.length < at) return undefined;
    if (out.length > at) {
      // od fills the last word up; the offset behind it is that of the end.
      if (row.groups.length > 0 || out.length - at >= 8) return undefined;
      out.length = at;
    }
    last = bytesOf(row.groups, words);
    for (const byte of last) out.push(byte);
  }
  return Uint8Array.from(out);
}

/**
 * The bytes of a text that is a dump and nothing else, in the ways its groups of digits can be read, the likelier first:
 * as bytes in their order (xxd, and every dump of single bytes), as little-endian numbers (od, hexdump, the kernel).
 */
export function hexDump(text: string): Uint8Array[] {
  const rows = rowsOf(text) ?? [];
  const first = rows[0];
  if (rows.length < 2 || first === undefined || first === '*' || first.groups.length < 2) return [];
  const digits = first.groups[0]?.length ?? 0;
  const words = digits > 2 && !(first.colon && digits === 4);
  for (const base of [16, 8, 10] as const) {
    const read = [assemble(rows, base, words), assemble(rows, base, !words)].filter(b => b !== undefined);
    if (read.length === 2) return read;
  }
  return [];
}
