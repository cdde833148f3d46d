/**
 * The libraries a 64-bit little-endian ELF file asks for (DT_NEEDED of its dynamic section), and the length of a core file.
 * Source: System V ABI, "Program Loading and Dynamic Linking"; ELF-64 Object File Format 1.5.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InitramfsError } from './errors.ts';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0n;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

/** PATH_MAX: what no loader opens is no name. */
const MAX_NAME = 4096;

const damaged = (what: string): InitramfsError => new InitramfsError('a damaged ELF file', what);

interface Segment {
  type: number;
  offset: number;
  vaddr: bigint;
  size: number;
}

function segments(view: DataView): Segment[] {
  const start = Number(view.getBigUint64(32, true));
  const [entry, count] = [view.getUint16(54, true), view.getUint16(56, true)];
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * entry;
    return {
      type: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      vaddr: view.getBigUint64(at + 16, true),
      size: Number(view.getBigUint64(at + 32, true)),
    };
  });
}

/** @throws InitramfsError */
function viewOf(file: Uint8Array): DataView {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1) return view;
  throw new InitramfsError('not a 64-bit little-endian ELF file');
}

/**
 * How long a core file is, by its headers, and how many segments of memory it has.
 * @param head its beginning, with all headers
 * @throws InitramfsError when it is no such file or damaged
 */
export function coreOf(head: Uint8Array): { bytes: number; segments: number } {
  try {
    const all = segments(viewOf(head));
    const bytes = Math.max(0, ...all.map(({ offset, size }) => offset + size));
    return { bytes, segments: all.filter(s => s.type === PT_LOAD).length };
  } catch (error) {
    if (error instanceof RangeError) throw damaged(String(error));
    throw error;
  }
}

/** Names of the libraries an ELF file needs. @throws InitramfsError when it is no such file or damaged. */
export function neededLibraries(file: Uint8Array): string[] {
  try {
    const view = viewOf(file);
    const all = segments(view);
    const dynamic = all.find(s => s.type === PT_DYNAMIC);
    if (!dynamic) return [];
    const names: number[] = [];
    let strtab: bigint | undefined;
    for (let at = dynamic.offset; at + 16 <= dynamic.offset + dynamic.size; at += 16) {
      const [tag, value] = [view.getBigUint64(at, true), view.getBigUint64(at + 8, true)];
      if (tag === DT_NULL) break;
      if (tag === DT_NEEDED) names.push(Number(value));
      else if (tag === DT_STRTAB) strtab = value;
    }
    const table = strtab;
    const home = all.find(
      s => s.type === PT_LOAD && table !== undefined && table >= s.vaddr && table < s.vaddr + BigInt(s.size),
    );
    if (names.length === 0) return [];
    if (table === undefined || !home) throw damaged('no table of strings');
    const base = home.offset + Number(table - home.vaddr);
    return names.map(name => {
      const end = file.indexOf(0, base + name);
      const length = end - base - name;
      if (end === -1 || length === 0 || length > MAX_NAME) throw damaged(`the name of a library at ${base + name}`);
      return Buffer.from(file.subarray(base + name, end)).toString('latin1');
    });
  } catch (error) {
    if (error instanceof RangeError) throw damaged(String(error));
    throw error;
  }
}

/**
 * All libraries that these files need, directly or not, as paths in `dirs` (the first that has it counts).
 * @throws InitramfsError naming a library that none of them has.
 */
export function libraryClosure(files: readonly string[], dirs: readonly string[]): string[] {
  const found = new Map<string, string>();
  const queue = [...files];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const name of neededLibraries(readFileSync(file))) {
      if (found.has(name)) continue;
      const path = dirs.map(dir => join(dir, name)).find(existsSync);
      if (path === undefined) throw new InitramfsError(`${file} needs ${name}, which is in none of ${dirs.join(', ')}`);
      found.set(name, path);
      queue.push(path);
    }
  }
  return [...found.values()].toSorted();
}
