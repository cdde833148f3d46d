import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { openOutput } from '@syndrome/base/disk/output-file.ts';
import { ensureDir } from '../ensure-dir.ts';
import { LabError } from '../errors.ts';
import type { TraceEvent, TraceHeader } from '@syndrome/trace/event.ts';
import { TraceIndex } from '@syndrome/trace/trace-index.ts';

/** What is recorded: an event without its position and time, which the recorder gives. */
export type NewEvent = TraceEvent extends infer E ? (E extends TraceEvent ? Omit<E, 'seq' | 't'> : never) : never;

/** More of one source in one run is a flood: it is counted, not kept. */
const MAX_PER_SOURCE = 200_000;
/** And so is this much text of one source: long lines fill memory and disk before they are many. */
const MAX_TEXT_PER_SOURCE = 32 << 20;

/** The characters of an event that its source has chosen. */
function textOf({ raw, fields }: NewEvent): number {
  let sum = raw?.length ?? 0;
  for (const value of Object.values(fields ?? {})) if (typeof value === 'string') sum += value.length;
  return sum;
}

/** What was recorded until some time. */
export interface Recorded {
  events: readonly TraceEvent[];
  /** Nanoseconds since the start of the run. */
  lasted: number;
}

/** Records events in memory and, when a file is given, as NDJSON. Listeners see each event at once. */
export class TraceRecorder {
  readonly header: TraceHeader;
  readonly events: TraceEvent[] = [];
  readonly index: TraceIndex = new TraceIndex();
  #file: string | undefined;
  #start: bigint = process.hrtime.bigint();
  #listeners = new Set<(event: TraceEvent) => void>();
  #stream: Writable | undefined;
  #failure: Error | undefined;
  /** The run is over: what its machine still says is no part of it, but that it could not be written is. */
  #closed = false;
  #said = new Map<string, { lines: number; text: number; flood: boolean }>();

  /** @param before what has happened until now, in another recorder: its events are those of this one, too */
  constructor(header: TraceHeader, file?: string, before?: Recorded) {
    this.header = header;
    if (before) {
      this.#start -= BigInt(before.lasted);
      for (const event of before.events) {
        this.events.push(event);
        this.index.add(event);
      }
    }
    if (file !== undefined) this.writeTo(file);
  }

  /** Writes what is recorded so far to a file, and from now on what comes. @throws LabError E_LAB_TRACE_WRITE */
  writeTo(file: string): void {
    this.#file = file;
    try {
      ensureDir(dirname(file));
      this.#stream = openOutput(file);
    } catch (error) {
      throw writeError(file, error);
    }
    this.#stream.on('error', error => (this.#failure = error));
    for (const line of [this.header, ...this.events]) this.#stream.write(`${stringify(line)}\n`);
  }

  /** Nanoseconds since the start of the run. */
  now(): number {
    return Number(process.hrtime.bigint() - this.#start);
  }

  /** Records an event. Of a source that floods, events are counted and given back, but not kept. */
  record(event: NewEvent): TraceEvent {
    const full: TraceEvent = { seq: this.events.length + 1, t: this.now(), ...event };
    if (this.#closed && event.name !== 'lab.error') return full;
    if (event.source !== 'lab' && this.#floods(event)) return full;
    this.events.push(full);
    this.index.add(full);
    this.#stream?.write(`${stringify(full)}\n`);
    for (const listener of this.#listeners) listener(full);
    return full;
  }

  #floods(event: NewEvent): boolean {
    const key = `${event.layer} ${event.source}`;
    const said = this.#said.get(key) ?? { lines: 0, text: 0, flood: false };
    this.#said.set(key, said);
    if (said.flood) return true;
    said.lines++;
    said.text += textOf(event);
    const much =
      said.lines > MAX_PER_SOURCE
        ? `${MAX_PER_SOURCE} lines`
        : said.text > MAX_TEXT_PER_SOURCE
          ? `${MAX_TEXT_PER_SOURCE >> 20} MiB`
          : undefined;
    if (much === undefined) return false;
    said.flood = true;
    const text = `${key} has said ${much}; what more it says is not recorded`;
    this.record({ layer: 'lab', source: 'lab', name: 'lab.note', fields: { text, flood: event.source } });
    return true;
  }

  /** Calls `listener` for every event from now on; returns the way to stop. */
  listen(listener: (event: TraceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Flushes the file; throws a {@link LabError} if it could not be written. A pipe whose reader takes nothing is given up,
   * with `signal` soon after its abort.
   */
  async close(signal?: AbortSignal): Promise<void> {
    this.#closed = true;
    const stream = this.#stream;
    if (!stream) return;
    this.#stream = undefined;
    if (!this.#failure) {
      stream.end();
      await taken(stream, signal).catch((error: unknown) => (this.#failure = error as Error));
    }
    stream.destroy();
    if (this.#failure) throw writeError(this.#file ?? '', this.#failure);
  }
}

/** How long what reads a trace may take nothing of it, and after an interruption take at all. */
const STUCK_MS = 60_000;
const INTERRUPTED_MS = 500;

/** Waits until an ended stream is written. Throws when nobody takes what is in it. */
async function taken(stream: Writable, signal: AbortSignal | undefined): Promise<void> {
  const stuck = new AbortController();
  let left = stream.writableLength;
  let timer = setTimeout(function look() {
    if (stream.writableLength === left) return stuck.abort();
    left = stream.writableLength;
    timer = setTimeout(look, STUCK_MS);
  }, STUCK_MS);
  const onAbort = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stuck.abort(), INTERRUPTED_MS);
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await finished(stream, { signal: stuck.signal });
  } catch (error) {
    throw stuck.signal.aborted ? new Error('nobody takes what is written') : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function writeError(file: string, cause: unknown): LabError {
  return new LabError('E_LAB_TRACE_WRITE', `the trace ${file} cannot be written`, {
    cause,
    hint: 'Give another place with --trace FILE or SYNDROME_STATE, or free some space.',
  });
}
