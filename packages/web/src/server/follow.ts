/**
 * @module A trace as it is written, as events for a page: whole lines, numbered by the place in the file where they end. Who
 * comes back with such a number goes on there, if it is still the same trace; else all of it comes anew.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, lstatSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerEvent } from '@syndrome/base/http/events.ts';
import type { OpenFile } from './catalog.ts';

/** How often the file is looked at, ms. */
const LOOK_MS = 200;
/** Bytes of one event, unless a line is longer. */
const PIECE = 1 << 18;
/** Of a line, which is read as a whole. */
const LONGEST = 1 << 26;
/** Of the header, which says when the run began: no two traces have the same. */
const HEAD = 1 << 12;
const PATIENCE_MS = 10_000;
/** Behind its last word, ms. */
const END_MS = 500;

/** What a run says last. */
const LAST_WORDS = /"name":"lab\.(?:end|error|skip)"/;

/** How the stream of a trace ends, as its last event says. */
type FollowEnd = 'ended' | 'gone';

const bytesAt = (fd: number, length: number, from: number): Buffer => {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, from));
};

/** The name of a trace by its first line; undefined while that is not whole. */
function markOf(fd: number): string | undefined {
  const head = bytesAt(fd, HEAD, 0);
  const end = head.indexOf(0x0a);
  if (end < 0 && head.length < HEAD) return undefined;
  return createHash('sha256')
    .update(end < 0 ? head : head.subarray(0, end))
    .digest('hex')
    .slice(0, 16);
}

const idOf = (mark: string, at: number): string => `${mark}.${at}`;

/** Where a page goes on that has everything up to an event; undefined where it has to begin anew. */
function placeOf(fd: number, mark: string, last: string): number | undefined {
  const [, of, digits] = /^([0-9a-f]{16})\.(\d{1,15})$/.exec(last) ?? [];
  const at = Number(digits);
  if (of !== mark || at > fstatSync(fd).size) return undefined;
  return at === 0 || bytesAt(fd, 1, at - 1)[0] === 0x0a ? at : undefined;
}

/** Whole lines from a place on; empty where there is none. Of a line that is longer than any its beginning. */
function linesAt(fd: number, at: number): Buffer {
  for (let length = PIECE; ; length *= 4) {
    const bytes = bytesAt(fd, length, at);
    const end = bytes.lastIndexOf(0x0a);
    if (end >= 0) return bytes.subarray(0, end + 1);
    if (length > LONGEST) return bytes;
    if (bytes.length < length) return Buffer.alloc(0);
  }
}

/** Whether the path still leads to the file that is open. */
function isThere({ fd, path }: OpenFile): boolean {
  const [open, there] = [fstatSync(fd), lstatSync(path, { throwIfNoEntry: false })];
  return there?.ino === open.ino && there.dev === open.dev;
}

const said = (event: string, data: string, id?: string): ServerEvent => ({
  event,
  data,
  ...(id === undefined ? {} : { id }),
});

/** Where a trace comes from. */
interface FollowSource {
  /** The file is closed by who follows it. @throws where it has gone */
  open: () => OpenFile;
  /** Whether some process is seen to write it. */
  isWritten: (path: string) => boolean;
  /** A run that nobody is seen to write may be written where that is not seen: how long it may say nothing, ms. */
  patienceMs?: number;
}

/**
 * The events of a trace: `lines` with text as a JSON string; `reset` where what the page has is of no use any more; `end` with
 * a {@link FollowEnd}, behind which nothing comes.
 * @param last the number of the last event that the page has
 */
export async function* follow(
  { open, isWritten, patienceMs = PATIENCE_MS }: FollowSource,
  last: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent, void> {
  let file: OpenFile;
  try {
    file = open();
  } catch {
    return yield said('end', 'gone' satisfies FollowEnd);
  }
  const { fd } = file;
  let [at, ended] = [0, false];
  let [mark, given]: (string | undefined)[] = [undefined, last];
  let grew = performance.now();
  try {
    while (!signal.aborted) {
      const now = markOf(fd);
      if (mark !== undefined && (now !== mark || fstatSync(fd).size < at)) {
        // Another run has taken the file.
        [mark, at, ended, given] = [undefined, 0, false, undefined];
        yield said('reset', '', '');
      }
      if (mark === undefined && now !== undefined) {
        const from = given === undefined ? 0 : placeOf(fd, now, given);
        if (from === undefined) yield said('reset', '', '');
        [mark, at] = [now, from ?? 0];
      }
      const lines = mark === undefined ? Buffer.alloc(0) : linesAt(fd, at);
      if (mark !== undefined && lines.length > 0) {
        at += lines.length;
        grew = performance.now();
        const text = lines.toString('utf8');
        ended ||= LAST_WORDS.test(text);
        yield said('lines', JSON.stringify(text), idOf(mark, at));
        continue;
      }
      if (!isThere(file)) return yield said('end', 'gone' satisfies FollowEnd);
      const quiet = performance.now() - grew;
      if (quiet > (ended ? END_MS : patienceMs) && !isWritten(file.path)) {
        // Of a run that was killed the last line has no end.
        const rest = bytesAt(fd, PIECE, at);
        if (rest.length > 0) yield said('lines', JSON.stringify(rest.toString('utf8')));
        return yield said('end', 'ended' satisfies FollowEnd);
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    closeSync(fd);
  }
}
