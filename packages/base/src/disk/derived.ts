import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseObject } from '@syndrome/decode/common/json.ts';
import { sha256Fd } from './sha256.ts';
import { unfinishedName, writeWhole } from './write-whole.ts';

/** What a file was when it was made; kept beside it, since its name says only what it was made of. */
interface Note {
  bytes: number;
  /** Whole milliseconds. */
  mtimeMs: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Where the note of a file stands. */
const notePath = (path: string): string => `${path}.json`;

/** Is this the name of a file that {@link makeDerived} makes, and not of a note or of unfinished work? */
export const isDerivedName = (name: string): boolean => !/\.(?:json|new)$/.test(name);

function hashOf(path: string): Note {
  const fd = openSync(path, 'r');
  try {
    const sha256 = sha256Fd(fd);
    const { size, mtimeMs } = fstatSync(fd);
    return { bytes: size, mtimeMs: Math.floor(mtimeMs), sha256 };
  } finally {
    closeSync(fd);
  }
}

/** The text of a note; undefined when it is none. */
export function parseNote(text: string): Note | undefined {
  const { bytes, mtimeMs, sha256 } = parseObject(text) ?? {};
  if (typeof bytes !== 'number' || typeof mtimeMs !== 'number' || typeof sha256 !== 'string') return undefined;
  return Number.isFinite(mtimeMs) && Number.isFinite(bytes) ? { bytes, mtimeMs, sha256 } : undefined;
}

function readNote(path: string): Note | undefined {
  try {
    return parseNote(readFileSync(notePath(path), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with a file that {@link makeDerived} made; undefined when it is whole. Its hash is read where its time is
 * another than noted (a copied cache: the time is put back), or always when `full`.
 */
export function derivedDamage(path: string, options: { full?: boolean } = {}): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) return 'missing';
  const note = readNote(path);
  if (note === undefined) return 'nothing is noted of its content';
  if (stat.size !== note.bytes) return `${stat.size} bytes instead of ${note.bytes}`;
  // What sets a time gives it as a fraction of seconds, and rounds.
  const sameTime = Math.abs(stat.mtimeMs - note.mtimeMs) < 2;
  if (sameTime && !options.full) return undefined;
  if (hashOf(path).sha256 !== note.sha256) return 'another content than noted';
  if (!sameTime) {
    try {
      utimesSync(path, note.mtimeMs / 1000, note.mtimeMs / 1000);
    } catch {
      // A read-only cache: only slower.
    }
  }
  return undefined;
}

/**
 * Puts a file that is derived from others in place together with a note of its content, unless it is there and whole. Safe in
 * several processes at once: each makes its own and renames it.
 * @param make writes the file under the path it is given
 * @throws what `make` throws, or the error of the file system; nothing is left behind then
 */
export async function makeDerived(path: string, make: (fresh: string) => void | Promise<void>): Promise<void> {
  if (derivedDamage(path) === undefined) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = unfinishedName(path);
  try {
    await make(fresh);
    const fd = openSync(fresh, 'r');
    fsyncSync(fd);
    closeSync(fd);
    const note = hashOf(fresh);
    renameSync(fresh, path);
    writeWhole(notePath(path), JSON.stringify(note));
  } finally {
    rmSync(fresh, { force: true });
  }
}
