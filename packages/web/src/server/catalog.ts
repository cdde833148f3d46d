/**
 * @module The files that a server offers. They are found by walking its folders, and asked for by the name they were given
 * then: no path of a request is ever looked up in the file system.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { basename, join } from 'node:path';
import { look } from '@syndrome/base/disk/look.ts';
import { LISTING_VERSION, type ListedFile, type Listing } from '../view/listing.ts';
import { refuseFile } from './errors.ts';
import { lookInto, type Seen } from './look-into.ts';
import { Writers } from './writers.ts';

/** A folder, or a file, that is offered. */
export interface Root {
  /** What its files are called by; of several no two have the same. */
  name: string;
  path: string;
  /** It need not be there yet. */
  optional?: boolean;
}

/** A file that was opened for a page; whoever gets it closes it. */
export interface OpenFile {
  fd: number;
  size: number;
  /** Without links. */
  path: string;
}

/** A file as the walk has found it. */
interface Found {
  name: string;
  path: string;
  stats: Stats;
  /** It was named itself: whatever it is, it is listed. */
  named: boolean;
}

const MAX_LISTED = 1000;
/** Files beyond these are not even counted. */
const MAX_FOUND = 50_000;
const MAX_DEPTH = 6;
/** A page holds no more. */
const MAX_SIZE = 512 << 20;
/** How long a listing may look into files that it has not seen yet, ms; the next one goes on. */
const LOOK_MS = 150;
/** What was last written before is not asked of the processes. */
const RECENT_MS = 3_600_000;
/** What was written after is being written. */
const JUST_MS = 2000;
/** Listings that are asked for at once are one, ms. */
const SAME_MS = 400;

/** What the lab calls its files; others may be called otherwise. */
const IS_NAMED = /\.(?:nd)?json$/;

export class Catalog {
  readonly #roots: readonly Root[];
  readonly #seen = new Map<string, { key: string; seen: Seen | undefined }>();
  readonly #writers = new Writers();
  #files = new Map<string, Found>();
  #last: { at: number; listing: Listing } | undefined;

  constructor(roots: readonly Root[]) {
    this.#roots = roots;
  }

  /** What there is now. Of many new files some may be `unread` yet. */
  list(): Listing {
    const now = performance.now();
    if (this.#last !== undefined && now - this.#last.at < SAME_MS) return this.#last.listing;
    const folders = this.#walk();
    const found = [...this.#files.values()].toSorted((a, b) => b.stats.mtimeMs - a.stats.mtimeMs);
    const until = now + LOOK_MS;
    const files: ListedFile[] = [];
    let at = 0;
    for (; at < found.length && files.length < MAX_LISTED; at++) {
      const file = found[at];
      const listed = file && this.#listed(file, performance.now() < until);
      if (listed) files.push(listed);
    }
    for (const name of this.#seen.keys()) if (!this.#files.has(name)) this.#seen.delete(name);
    const listing = { schemaVersion: LISTING_VERSION, folders, files, more: found.length - at };
    this.#last = { at: performance.now(), listing };
    return listing;
  }

  /**
   * Opens a file of the list. What it was found as is what is opened: no link is followed, and nothing is waited for.
   * @throws Refusal E_WEB_FILE, E_WEB_GONE, E_WEB_LARGE
   */
  open(name: string): OpenFile {
    if (!this.#files.has(name)) this.#walk();
    const file = this.#files.get(name);
    if (file === undefined)
      throw refuseFile(404, 'E_WEB_FILE', 'there is no such file in the list', 'Look at the list again.');
    const fd = this.#opened(file);
    if (fd === undefined)
      throw refuseFile(410, 'E_WEB_GONE', 'the file has gone, or something else lies there', 'Look at the list again.');
    const { size } = fstatSync(fd);
    if (size <= MAX_SIZE) return { fd, size, path: file.path };
    closeSync(fd);
    throw refuseFile(
      413,
      'E_WEB_LARGE',
      `the file has ${size} bytes; a page holds no more than ${MAX_SIZE}`,
      '`syndrome show` reads it in the terminal.',
    );
  }

  /** Whether a running process writes a file of the list. */
  isWritten(path: string): boolean {
    return this.#writers.has(path, () => this.#realRoots());
  }

  #realRoots(): string[] {
    return this.#roots.flatMap(({ path }) => {
      try {
        return [realpathSync(path)];
      } catch {
        return [];
      }
    });
  }

  #opened({ path }: Found): number | undefined {
    try {
      const fd = look(
        path,
        ({ kind, open }) => (kind === 'regular file' ? open(constants.O_RDONLY) : undefined),
        constants.O_NOFOLLOW,
      );
      // A folder on the way may be a link by now.
      if (fd === undefined || readlinkSync(`/proc/self/fd/${fd}`) === path) return fd;
      closeSync(fd);
    } catch {
      // It has gone.
    }
    return undefined;
  }

  #listed(file: Found, time: boolean): ListedFile | undefined {
    const { name, stats, named } = file;
    const seen = this.#look(file, time);
    if (seen === undefined && !named) return undefined;
    const base = { name, size: stats.size, changed: Math.round(stats.mtimeMs) };
    return { ...base, ...(seen ?? { kind: 'other', state: 'read', scenario: '', about: '' }) };
  }

  /** What is known of a file, or is found out now; undefined for what is neither a trace nor a matrix. */
  #look(file: Found, time: boolean): Seen | undefined {
    const { name, path, stats } = file;
    const key = [stats.dev, stats.ino, stats.size, stats.mtimeMs].join(' ');
    const known = this.#seen.get(name);
    // Unpacked files and other clocks have times ahead: nobody writes there.
    const quiet = Math.abs(Date.now() - stats.mtimeMs);
    const runs = (): boolean => quiet < JUST_MS || (quiet < RECENT_MS && this.isWritten(path));
    if (known?.key === key && !(known.seen?.state === 'cut' && runs())) return known.seen;
    // A run that goes on has no verdict yet, and is not read again for each of its lines.
    const head = (known?.seen === undefined || known.seen.kind === 'trace') && runs();
    // What is not known yet is listed where its name is that of a trace or a matrix; what it is, its beginning says.
    const unread: Seen | undefined = IS_NAMED.test(name)
      ? { kind: 'other', state: 'unread', scenario: '', about: '' }
      : undefined;
    if (!time && !head) return known ? known.seen : unread;
    const fd = this.#opened(file);
    if (fd === undefined) return undefined;
    const seen = lookInto(fd, basename(name), stats.size, head ? 'head' : undefined);
    if (head && seen?.kind === 'trace') return { ...seen, state: seen.state === 'unread' ? 'running' : seen.state };
    this.#seen.set(name, { key, seen });
    return seen;
  }

  /** Finds the files. @returns the folders, and what is wrong with them */
  #walk(): Listing['folders'] {
    const files = new Map<string, Found>();
    const folders = this.#roots.map(({ name, path, optional }): Listing['folders'][number] => {
      try {
        const real = realpathSync(path);
        const stats = lstatSync(real);
        if (stats.isDirectory()) this.#into(files, name, real, 0);
        else if (stats.isFile()) files.set(name, { name, path: real, stats, named: true });
        else return { name, path, problem: 'it is neither a folder nor a file' };
        return { name, path };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' && optional === true) return { name, path };
        return { name, path, problem: code === 'ENOENT' ? 'it is not there' : `it cannot be read (${code})` };
      }
    });
    this.#files = files;
    return folders;
  }

  /** Regular files below a folder. Links are passed over: what they lead to is not in it. */
  #into(files: Map<string, Found>, name: string, folder: string, depth: number): void {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (files.size >= MAX_FOUND) return;
      const [path, inner] = [join(folder, entry.name), `${name}/${entry.name}`];
      if (entry.isDirectory() && depth < MAX_DEPTH) {
        try {
          this.#into(files, inner, path, depth + 1);
        } catch {
          // It cannot be read, or has gone: the others can.
        }
      } else if (entry.isFile()) {
        const stats = lstatSync(path, { throwIfNoEntry: false });
        if (stats?.isFile() === true) files.set(inner, { name: inner, path, stats, named: false });
      }
    }
  }
}
