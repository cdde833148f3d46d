import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  type Dirent,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256Fd } from './sha256.ts';
import { writeWhole } from './write-whole.ts';

/** A line of the file of known digests. */
const LINE = /^([0-9a-f]{64}) (\d+ \d+ \d+ -?\d+ -?\d+)$/;
/** Of all parts that a cache has, a few hundred are looked at by one run; a line has some 140 bytes. */
const MAX_KNOWN = 4096;
const MAX_BYTES = 1 << 20;

/**
 * A file that was changed so short a time ago may be changed again within the same tick of the clock that its times are from:
 * 10 ms at most on Linux, 2 s on FAT.
 */
const SETTLED_MS = 3000n;

/**
 * What tells this content of a file from any other: its place on the disk, its size, and both its times to the nanosecond.
 * Whoever writes to a file may set its mtime back; its ctime only the kernel sets (stat(2), inode(7)).
 */
const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;

const isSettled = ({ ctimeNs }: BigIntStats): boolean => ctimeNs < (BigInt(Date.now()) - SETTLED_MS) * 1_000_000n;

/** All that lies below a folder, in an order that is the same everywhere. Node's own walk follows links to folders. */
function* entriesBelow(folder: string): Generator<[path: string, entry: Dirent]> {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    yield [path, entry];
    if (entry.isDirectory()) yield* entriesBelow(path);
  }
}

function leadsToFile(link: string): boolean {
  try {
    return statSync(link).isFile();
  } catch {
    // To nothing, or in a circle.
    return false;
  }
}

/**
 * SHA-256 of files, each read once as long as nobody changes it: what was read is known to later processes by a file of
 * digests. That file is bounded and written whole; of processes that write it at once one may lose what it has read, and
 * reads it again. A damaged one, or none, costs time only.
 * @example
 * const digests = new FileDigests('/cache/digests/sha256');
 * digests.of('/boot/vmlinuz'); // '9f86d081884c7d65…', 64 hex digits
 * digests.keep();
 */
export class FileDigests {
  readonly #file: string;
  /** Stamp → digest. */
  readonly #known: Map<string, string>;
  /** Those that this process has asked for. */
  readonly #used = new Map<string, string>();
  #isFresh = false;

  /** @param file what keeps them; only this user may be able to write to it */
  constructor(file: string) {
    this.#file = file;
    this.#known = this.#read();
  }

  /** SHA-256 of a regular file, or of what a link leads to, as 64 hex digits. @throws the error of the file system */
  of(path: string): string {
    const stats = statSync(path, { bigint: true });
    const known = stats.isFile() ? this.#use(stampOf(stats)) : undefined;
    return known ?? this.#hash(path);
  }

  /**
   * SHA-256 of all that lies below a folder: the path of each file in it with that of its content. A link counts as what it
   * leads to, and one that leads to no file as its text; folders and modes are nothing to it.
   * @throws the error of the file system
   */
  ofTree(folder: string): string {
    const hash = createHash('sha256');
    for (const [path, entry] of entriesBelow(folder)) {
      const file = entry.isFile() || (entry.isSymbolicLink() && leadsToFile(path));
      if (!file && !entry.isSymbolicLink()) continue;
      hash.update(JSON.stringify([path.slice(folder.length), file ? this.of(path) : readlinkSync(path)]));
    }
    return hash.digest('hex');
  }

  /** Lets later processes know what this one has read. */
  keep(): void {
    if (!this.#isFresh) return;
    // Another process may have written meanwhile. What is asked for comes last, and what nobody asks for falls out.
    const others = [...this.#read()].filter(([stamp]) => !this.#used.has(stamp));
    const all = [...others, ...this.#used].slice(-MAX_KNOWN);
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      writeWhole(this.#file, all.map(([stamp, sha256]) => `${sha256} ${stamp}\n`).join(''));
      this.#isFresh = false;
    } catch {
      // A read-only cache, or a full disk: only slower.
    }
  }

  #use(stamp: string): string | undefined {
    const digest = this.#used.get(stamp) ?? this.#known.get(stamp);
    if (digest !== undefined) this.#used.set(stamp, digest);
    return digest;
  }

  #hash(path: string): string {
    const fd = openSync(path, 'r');
    try {
      const before = fstatSync(fd, { bigint: true });
      const [stamp, settled] = [stampOf(before), isSettled(before)];
      const digest = sha256Fd(fd);
      // Of a file that is written to meanwhile there is no better one, but it is not kept.
      if (settled && stamp === stampOf(fstatSync(fd, { bigint: true }))) {
        this.#used.set(stamp, digest);
        this.#isFresh = true;
      }
      return digest;
    } finally {
      closeSync(fd);
    }
  }

  #read(): Map<string, string> {
    const known = new Map<string, string>();
    try {
      if (statSync(this.#file).size > MAX_BYTES) return known;
      for (const line of readFileSync(this.#file, 'latin1').split('\n')) {
        const [, sha256, stamp] = LINE.exec(line) ?? [];
        if (sha256 !== undefined && stamp !== undefined) known.set(stamp, sha256);
      }
    } catch {
      // None yet.
    }
    return known;
  }
}
