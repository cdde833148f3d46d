/** @module One file of the spool, as it is found again after whatever has happened to it. */
import { open, type FileHandle } from 'node:fs/promises';
import { readHeader, readRow, type SpooledRow } from './line.ts';

export interface Segment {
  path: string;
  /** The number in its name: grows with each one that is made. */
  number: number;
  spool: string;
  /** The seq of its first row, and of its last; `last` is `first - 1` while it has none. */
  first: number;
  last: number;
  /** Its durable length, bytes: nothing behind it is read. */
  bytes: number;
  /** Where its first row begins. */
  start: number;
}

const NEWLINE = 0x0a;
const CHUNK = 256 << 10;

/** What a scan of a segment found beside its rows. */
interface Found {
  segment: Segment;
  /** Bytes behind the last good line: a write that was not finished. */
  torn: number;
  /** Lines before the last good one whose checksum does not hold. */
  damaged: number;
}

/** Scans a segment; undefined where its first line does not hold, which is durable before any row is written. */
export async function scanSegment(path: string, number: number): Promise<Found | undefined> {
  const file = await open(path, 'r');
  try {
    let segment: Segment | undefined;
    let damaged = 0;
    let bad = 0;
    for await (const { line, end } of lines(file, 0, Number.POSITIVE_INFINITY)) {
      if (segment === undefined) {
        const header = readHeader(line);
        if (header === undefined) return undefined;
        segment = { path, number, ...header, last: header.first - 1, bytes: end, start: end };
        continue;
      }
      const row = readRow(line);
      if (row === undefined || row.seq <= segment.last) bad++;
      else {
        damaged += bad;
        bad = 0;
        segment.last = row.seq;
        segment.bytes = end;
      }
    }
    if (segment === undefined) return undefined;
    const { size } = await file.stat();
    return { segment, torn: size - segment.bytes, damaged };
  } finally {
    await file.close();
  }
}

/** The whole lines of a file between two offsets, with the offset behind each. Memory is bounded by the longest line. */
async function* lines(file: FileHandle, from: number, to: number): AsyncGenerator<{ line: string; end: number }> {
  let rest = Buffer.alloc(0);
  let offset = from;
  const chunk = Buffer.alloc(CHUNK);
  while (offset < to) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK, to - offset), offset);
    if (bytesRead === 0) return;
    const data = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    const base = offset - rest.length;
    offset += bytesRead;
    let at = 0;
    for (let end = data.indexOf(NEWLINE, at); end >= 0; end = data.indexOf(NEWLINE, at)) {
      yield { line: data.toString('utf8', at, end), end: base + end + 1 };
      at = end + 1;
    }
    rest = data.subarray(at);
  }
}

/** Where a reader stands in a segment. */
export interface Cursor {
  path: string;
  offset: number;
  /** The seq that is to come next. */
  next: number;
}

/**
 * Rows from a cursor on, until about `maxBytes` or `maxRows` are there; moves the cursor. For a row that is damaged there is
 * `filler`: its seq is not lost, and what it said is known to be.
 */
export async function readRows(
  segment: Segment,
  cursor: Cursor,
  { maxBytes, maxRows, filler }: { maxBytes: number; maxRows: number; filler: string },
): Promise<SpooledRow[]> {
  const rows: SpooledRow[] = [];
  // It may grow meanwhile.
  const { bytes: size, last } = segment;
  let at = 0;
  const fill = (to: number): void => {
    while (cursor.next < to) rows.push({ seq: cursor.next++, at, body: filler });
  };
  const file = await open(segment.path, 'r');
  try {
    let bytes = 0;
    for await (const { line, end } of lines(file, cursor.offset, size)) {
      const row = readRow(line);
      cursor.offset = end;
      if (row === undefined || row.seq < cursor.next) continue;
      at = row.at;
      fill(row.seq);
      rows.push(row);
      cursor.next = row.seq + 1;
      bytes += row.body.length;
      if (bytes >= maxBytes || rows.length >= maxRows) return rows;
    }
    fill(last + 1);
    return rows;
  } finally {
    await file.close();
  }
}
