import { InitramfsError } from './errors.ts';

/** One entry of a cpio archive. `mode` holds permission bits only; paths are relative, with `/` between parts. */
export type CpioEntry =
  | { type: 'file'; path: string; data: Uint8Array; mode?: number }
  | { type: 'directory'; path: string; mode?: number }
  | { type: 'symlink'; path: string; target: string }
  | { type: 'character' | 'block'; path: string; major: number; minor: number; mode?: number };

const MAGIC = '070701';
export const TRAILER = 'TRAILER!!!';
/** Archives are padded to this, so that several can be laid one behind the other (initramfs buffer format). */
const BLOCK = 512;
export const MAX_NAME = 4096;

/** File types in c_mode (stat(2), S_IFMT). */
export const TYPES = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
} as const;

const DEFAULT_MODES = { file: 0o644, directory: 0o755, symlink: 0o777, character: 0o600, block: 0o600 } as const;

/**
 * Writes a cpio "newc" archive (Documentation/driver-api/early-userspace/buffer-format.rst). The same entries give the
 * same bytes in any order: sorted by path, inode numbers counted from 1, owner 0, time 0; missing parent directories are
 * added. Throws {@link InitramfsError} on a bad path, a path given twice, or a size the format cannot hold.
 */
export function writeNewc(entries: Iterable<CpioEntry>): Uint8Array {
  const sorted = withParents(entries);
  const parts: Uint8Array[] = [];
  let size = 0;
  const push = (bytes: Uint8Array): void => {
    parts.push(bytes);
    const padding = (4 - (bytes.length % 4)) % 4;
    if (padding > 0) parts.push(new Uint8Array(padding));
    size += bytes.length + padding;
  };
  sorted.forEach((entry, index) => {
    const data = contentOf(entry);
    if (data.length > 0xffffffff) throw new InitramfsError(`${entry.path}: larger than 4 GiB`);
    push(
      header({
        name: entry.path,
        inode: index + 1,
        mode: TYPES[entry.type] | modeOf(entry),
        links: entry.type === 'directory' ? 2 : 1,
        size: data.length,
        major: 'major' in entry ? entry.major : 0,
        minor: 'minor' in entry ? entry.minor : 0,
      }),
    );
    push(data);
  });
  push(header({ name: TRAILER, inode: 0, mode: 0, links: 1, size: 0, major: 0, minor: 0 }));
  const archive = new Uint8Array(Math.ceil(size / BLOCK) * BLOCK);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function withParents(entries: Iterable<CpioEntry>): CpioEntry[] {
  const byPath = new Map<string, CpioEntry>();
  for (const entry of entries) {
    checkPath(entry.path);
    if (byPath.has(entry.path)) throw new InitramfsError(`${entry.path}: given twice`);
    byPath.set(entry.path, entry);
  }
  for (const path of Array.from(byPath.keys())) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      const there = byPath.get(parent);
      if (there === undefined) byPath.set(parent, { type: 'directory', path: parent });
      else if (there.type !== 'directory') throw new InitramfsError(`${path}: ${parent} is not a directory`);
    }
  }
  return Array.from(byPath.values()).sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function checkPath(path: string): void {
  const parts = path.split('/');
  // A folder of the trailer's name would be the end of the archive.
  const isTrailer = parts[0] === TRAILER;
  if (path.includes('\0') || parts.some(part => part === '' || part === '.' || part === '..') || isTrailer)
    throw new InitramfsError(`${JSON.stringify(path)} is not a path an initramfs can hold`);
  if (Buffer.byteLength(path) >= MAX_NAME) throw new InitramfsError(`${path.slice(0, 60)}…: path too long`);
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.type === 'file') return entry.data;
  if (entry.type === 'symlink') return Buffer.from(entry.target);
  return new Uint8Array(0);
}

function modeOf(entry: CpioEntry): number {
  return (('mode' in entry ? entry.mode : undefined) ?? DEFAULT_MODES[entry.type]) & 0o7777;
}

function header(h: {
  name: string;
  inode: number;
  mode: number;
  links: number;
  size: number;
  major: number;
  minor: number;
}): Uint8Array {
  const name = Buffer.from(`${h.name}\0`);
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const fields = [h.inode, h.mode, 0, 0, h.links, 0, h.size, 0, 0, h.major, h.minor, name.length, 0];
  return Buffer.concat([Buffer.from(MAGIC + fields.map(v => v.toString(16).padStart(8, '0')).join('')), name]);
}
