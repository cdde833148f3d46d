/**
 * @module The spool: what the agent has read is on the disk before anybody else hears of it, and stays there until the
 * controller has it on its own.
 *
 *   const spool = await Spool.open('/var/lib/syndrome/spool');
 *   const seq = spool.append('{…}');          // numbered at once, without holes
 *   await spool.durable(seq);                 // one fsync for all that came meanwhile
 *   const rows = await spool.read(from);      // durable rows only
 *   await spool.acknowledge(seq);             // the controller's durable watermark: what is behind it may go
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireOwnFolder } from '@syndrome/base/disk/own-folder.ts';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { lock } from './lock.ts';
import { headerLine, MAX_BODY, rowLine, type SpooledRow } from './line.ts';
import { type Cursor, readRows, scanSegment, type Segment } from './segment.ts';

export interface SpoolOptions {
  /** Above this many bytes nothing more is to be read from the sources. Default 64 MiB. */
  maxBytes?: number;
  /** A segment is closed at this size, and removed as a whole. Default 1 MiB. */
  segmentBytes?: number;
  /** The wall clock, ms UTC. */
  now?: () => number;
  /** What stands for a row that was damaged on the disk. */
  filler?: string;
  /** Between tries to write after the disk refused, ms. Default 1000. */
  retryMs?: number;
}

/** What `open` found on the disk beside good rows. */
interface Recovery {
  /** Bytes of an unfinished write that were cut off. */
  torn: number;
  /** Rows that are damaged; each is replaced by the filler. */
  damaged: number;
}

const NAME = /^seg-(\d{10})\.log$/;
const nameOf = (number: number): string => `seg-${String(number).padStart(10, '0')}.log`;
/** Longer than any first line of a segment, bytes. */
const MAX_HEADER = 128;
/** Rows in one answer of `read`. */
const BATCH = { maxBytes: 256 << 10, maxRows: 1000 };

type Waiter = { seq: number; resolve: () => void; reject: (error: Error) => void };

export class Spool {
  /**
   * Opens the spool of a folder, which is made with 0700 where there is none. What was not written whole is cut off.
   * @throws Error where others may write to the folder; the error of the file system
   */
  static async open(folder: string, options: SpoolOptions = {}): Promise<Spool> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    requireOwnFolder(folder);
    chmodSync(folder, 0o700);
    const unlock = lock(join(folder, 'lock'));
    const spool = new Spool(folder, options, unlock);
    try {
      await spool.#recover();
    } catch (error) {
      unlock();
      throw error;
    }
    return spool;
  }

  /** What `open` had to mend. */
  readonly recovery: Recovery = { torn: 0, damaged: 0 };
  readonly #folder: string;
  readonly #unlock: () => void;
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  readonly #now: () => number;
  readonly #filler: string;
  readonly #retryMs: number;
  readonly #ending = new AbortController();
  #id = randomUUID() as string;
  #known = 0;
  /** Oldest first; the last is written to. */
  #segments: Segment[] = [];
  #file: FileHandle | undefined;
  /** Of the newest segment. */
  #number = 0;
  #last = 0;
  #durable = 0;
  #cursor: Cursor | undefined;
  /** Numbered and not yet durable. */
  #queue: { seq: number; line: string }[] = [];
  #queueBytes = 0;
  #waiters: Waiter[] = [];
  #listeners = new Set<() => void>();
  #flushing: Promise<void> | undefined;
  #failure: string | undefined;
  #acknowledged = 0;
  #closed = false;

  private constructor(folder: string, options: SpoolOptions, unlock: () => void) {
    this.#folder = folder;
    this.#unlock = unlock;
    this.#maxBytes = options.maxBytes ?? 64 << 20;
    this.#segmentBytes = Math.min(options.segmentBytes ?? 1 << 20, Math.max(1, Math.floor(this.#maxBytes / 4)));
    this.#now = options.now ?? Date.now;
    this.#filler = options.filler ?? '';
    this.#retryMs = options.retryMs ?? 1000;
  }

  /** Made up with the spool; another one after `renew`. */
  get id(): string {
    return this.#id;
  }

  /** The highest seq that was given out; 0 before the first. */
  get lastSeq(): number {
    return this.#last;
  }

  /**
   * The highest seq that a controller can have: of what was on the disk when the spool was opened, and of what was read since. Where one has
   * more, the disk has lost rows that it had confirmed, and their numbers may be those of other rows now.
   */
  get knownSeq(): number {
    return this.#known;
  }

  /** The highest seq that is on the disk. */
  get durableSeq(): number {
    return this.#durable;
  }

  /** Rows that the controller has not acknowledged. */
  get waiting(): number {
    return this.#last - this.#acknowledged;
  }

  /** Bytes on the disk and on the way there. */
  get bytes(): number {
    return this.#segments.reduce((sum, s) => sum + s.bytes, this.#queueBytes);
  }

  /** How full it is: 1 is the bound. A disk that refuses makes it full. */
  get fill(): number {
    return this.#failure === undefined ? this.bytes / this.#maxBytes : Math.max(1, this.bytes / this.#maxBytes);
  }

  /** Why the disk took nothing at the last try; undefined when it did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Takes a row: from now on it is never dropped. What comes above the bound is taken too: whoever calls has to stop reading
   * when `fill` says so, and what is said of that has to fit.
   * @returns its seq
   */
  append(body: string): number {
    if (this.#closed) throw new SyndromeError('E_SPOOL_CLOSED', 'the spool is closed');
    if (body.includes('\n') || Buffer.byteLength(body) > MAX_BODY)
      throw new SyndromeError('E_SPOOL_ROW', `a row of the spool is one line of at most ${MAX_BODY} bytes`);
    const seq = ++this.#last;
    const line = rowLine({ seq, at: this.#now(), body });
    this.#queue.push({ seq, line });
    this.#queueBytes += Buffer.byteLength(line);
    // Behind what is being read just now, so that one fsync is for all of it.
    this.#flushing ??= Promise.resolve().then(() => this.#flush());
    return seq;
  }

  /** Resolves when the row is on the disk; rejects when the spool is closed before. */
  durable(seq: number): Promise<void> {
    if (seq <= this.#durable) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ seq, resolve, reject }));
  }

  /** Calls the listener whenever more rows are durable, or were removed. Returns what removes it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Durable rows from a seq on, in order and without holes, as many as fit a batch; empty where there are none yet. Rows that
   * were removed behind the watermark are passed over.
   */
  async read(from: number): Promise<SpooledRow[]> {
    const segment = this.#segments.find(s => s.last >= from);
    if (segment === undefined || this.#durable < from) return [];
    const start = Math.max(from, segment.first);
    const kept = this.#cursor;
    const cursor =
      kept?.path === segment.path && kept.next === start
        ? { ...kept }
        : { path: segment.path, offset: segment.start, next: segment.first };
    const rows: SpooledRow[] = [];
    while (rows.length === 0 && cursor.next <= segment.last) {
      const read = await readRows(segment, cursor, { ...BATCH, filler: this.#filler });
      if (read.length === 0) break;
      rows.push(...read.filter(r => r.seq >= start));
    }
    this.#cursor = cursor;
    this.#known = Math.max(this.#known, rows.at(-1)?.seq ?? 0);
    return rows;
  }

  /** The controller has everything up to `seq` durably: segments that are wholly behind it are removed. */
  async acknowledge(seq: number): Promise<void> {
    this.#acknowledged = Math.max(this.#acknowledged, Math.min(seq, this.#durable));
    const last = this.#segments.at(-1);
    if (last === undefined) return;
    // The last one stays: it says which seq comes next. A large one that is behind the watermark too makes room for a new one.
    if (last.bytes >= this.#segmentBytes && last.last <= this.#acknowledged && !this.#closed) {
      this.#flushing ??= this.#rotate();
      await this.#flushing;
    }
    const gone = this.#segments.slice(0, -1).filter(s => s.last <= this.#acknowledged);
    if (gone.length === 0) return;
    this.#segments = this.#segments.filter(s => !gone.includes(s));
    for (const { path } of gone) await rm(path, { force: true });
    this.#tell();
  }

  /** Writes what is on its way, and ends; what the disk still refuses is rejected to whoever waits. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#ending.abort();
    // A segment that is made just now is followed by what waits for it.
    while (this.#flushing !== undefined) await this.#flushing;
    await this.#file?.close();
    this.#file = undefined;
    this.#unlock();
    for (const waiter of this.#waiters.splice(0))
      waiter.reject(new SyndromeError('E_SPOOL_CLOSED', 'the spool was closed before the row was on the disk'));
  }

  /**
   * Goes on under another id, with all rows that the controller has not confirmed: for a controller that remembers more rows
   * of this spool than there are, since the disk has lost some. They may then come twice, and none is lost.
   */
  async renew(): Promise<void> {
    await this.#flushing;
    const acknowledged = this.#acknowledged;
    const queued = this.#queue.splice(0).map(({ line }) => bodyOf(line));
    this.#queueBytes = 0;
    await this.#file?.close();
    this.#file = undefined;
    const old = this.#segments.splice(0);
    this.#id = randomUUID();
    this.#last = this.#durable = this.#acknowledged = this.#known = 0;
    for (const body of queued) this.append(body);
    await this.#absorb(old, acknowledged);
  }

  /** Writes the rows of segments of another id anew, and removes those when they are durable. */
  async #absorb(old: readonly Segment[], acknowledged: number): Promise<void> {
    for (const segment of old) {
      const cursor: Cursor = { path: segment.path, offset: segment.start, next: segment.first };
      while (cursor.next <= segment.last) {
        const rows = await readRows(segment, cursor, { ...BATCH, filler: this.#filler });
        if (rows.length === 0) break;
        for (const row of rows) if (row.seq > acknowledged) this.append(row.body);
        await this.durable(this.#last);
      }
    }
    for (const { path } of old) await rm(path, { force: true });
  }

  async #recover(): Promise<void> {
    const names = (await readdir(this.#folder)).filter(name => NAME.test(name)).sort();
    const all: Segment[] = [];
    let isSeqKnown = true;
    for (const [index, name] of names.entries()) {
      const path = join(this.#folder, name);
      const isLast = index === names.length - 1;
      this.#number = Number(NAME.exec(name)?.[1]);
      const found = await scanSegment(path, this.#number);
      if (found === undefined) {
        // The last one may never have had a row: its first line was not finished. Any other is damaged, and kept for a person.
        if (isLast && (await stat(path)).size <= MAX_HEADER) await rm(path, { force: true });
        else {
          await rename(path, `${path}.damaged`);
          this.recovery.damaged++;
          isSeqKnown &&= !isLast;
        }
        continue;
      }
      if (found.torn > 0 && isLast) {
        const file = await open(path, 'r+');
        try {
          await file.truncate(found.segment.bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        this.recovery.torn += found.torn;
      }
      this.recovery.damaged += found.damaged;
      all.push(found.segment);
    }
    const last = all.at(-1);
    if (last === undefined) return;
    this.#id = last.spool;
    this.#segments = all.filter(s => s.spool === last.spool);
    for (const [i, segment] of this.#segments.entries()) {
      // One that lost its end is as long as the next one says; the fillers stand for what was there.
      const end = (this.#segments[i + 1]?.first ?? 0) - 1;
      if (segment.last >= end) continue;
      this.recovery.damaged += end - segment.last;
      segment.last = end;
    }
    this.#last = this.#durable = this.#known = last.last;
    this.#acknowledged = (this.#segments[0]?.first ?? 1) - 1;
    // A `renew` was not finished; or the newest rows cannot be read, so that nobody knows which seq comes next.
    await this.#absorb(
      all.filter(s => s.spool !== last.spool),
      0,
    );
    if (!isSeqKnown) await this.renew();
  }

  async #rotate(): Promise<void> {
    try {
      await this.#writable(this.#durable + 1);
    } catch {
      // The disk has no room for a new one: the old one stays.
    } finally {
      this.#flushing = undefined;
    }
    if (this.#queue.length > 0) this.#flushing ??= this.#flush();
  }

  /** So much of the queue as a segment takes. */
  #batch(): { seq: number; line: string }[] {
    let bytes = 0;
    let rows = 0;
    while (rows < this.#queue.length && (rows === 0 || bytes < this.#segmentBytes))
      bytes += this.#queue[rows++]?.line.length ?? 0;
    return this.#queue.splice(0, rows);
  }

  async #flush(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const batch = this.#batch();
        try {
          await this.#write(batch);
          this.#queueBytes -= batch.reduce((sum, { line }) => sum + Buffer.byteLength(line), 0);
          this.#failure = undefined;
        } catch (error) {
          // The rows stay; a part that reached the file is cut off, for after a failed fsync nobody knows what of it is there.
          this.#queue = [...batch, ...this.#queue];
          this.#failure = messageOf(error);
          await this.#abandonSegment();
          this.#tell();
          if (this.#closed) return;
          await sleep(this.#retryMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
          continue;
        }
        this.#tell();
      }
    } finally {
      this.#flushing = undefined;
    }
  }

  async #write(batch: { seq: number; line: string }[]): Promise<void> {
    const first = batch[0] as { seq: number };
    const segment = await this.#writable(first.seq);
    const data = Buffer.from(batch.map(b => b.line).join(''));
    await writeAll(this.#file as FileHandle, data, segment.bytes);
    await this.#file?.datasync();
    segment.bytes += data.length;
    segment.last = this.#durable = batch.at(-1)?.seq ?? this.#durable;
  }

  /** The segment to write to, open. */
  async #writable(seq: number): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.bytes < this.#segmentBytes) {
      this.#file ??= await open(last.path, 'r+');
      return last;
    }
    await this.#file?.close();
    this.#file = undefined;
    const number = this.#number + 1;
    const path = join(this.#folder, nameOf(number));
    const header = Buffer.from(headerLine(this.#id, seq));
    const file = await open(path, 'w', 0o600);
    try {
      await writeAll(file, header, 0);
      await file.datasync();
      await syncFolder(this.#folder);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    this.#file = file;
    this.#number = number;
    const made = {
      path,
      number,
      spool: this.#id,
      first: seq,
      last: seq - 1,
      bytes: header.length,
      start: header.length,
    };
    this.#segments.push(made);
    return made;
  }

  async #abandonSegment(): Promise<void> {
    const last = this.#segments.at(-1);
    try {
      if (last !== undefined) await this.#file?.truncate(last.bytes);
    } catch {
      // It is cut by its checksums when it is read again.
    }
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
  }

  #tell(): void {
    const reached = this.#waiters.filter(w => w.seq <= this.#durable);
    this.#waiters = this.#waiters.filter(w => w.seq > this.#durable);
    for (const waiter of reached) waiter.resolve();
    for (const listener of this.#listeners) listener();
  }
}

/** The body of a line of our own making. */
function bodyOf(line: string): string {
  return line.slice(0, -1).replace(/^\S+ \S+ \S+ /, '');
}

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await file.write(data, at, data.length - at, position + at);
    at += bytesWritten;
  }
}

/** The name of a new file is durable with its folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
