import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { stringify } from '../../common/hex.ts';
import { LabError } from '../errors.ts';
import type { TraceEvent, TraceHeader } from './event.ts';

/** What is recorded: an event without its position and time, which the recorder gives. */
export type NewEvent = Omit<TraceEvent, 'seq' | 't'>;

/** Records events in memory and, when a file is given, as NDJSON. Listeners see each event at once. */
export class TraceRecorder {
  readonly header: TraceHeader;
  readonly events: TraceEvent[] = [];
  readonly file: string | undefined;
  #start = process.hrtime.bigint();
  #listeners = new Set<(event: TraceEvent) => void>();
  #stream: WriteStream | undefined;
  #failure: Error | undefined;

  constructor(header: TraceHeader, file?: string) {
    this.header = header;
    this.file = file;
    if (file !== undefined) {
      mkdirSync(dirname(file), { recursive: true });
      this.#stream = createWriteStream(file, { mode: 0o600 });
      this.#stream.on('error', error => (this.#failure = error));
      this.#stream.write(`${stringify(header)}\n`);
    }
  }

  /** Nanoseconds since the start of the run. */
  now(): number {
    return Number(process.hrtime.bigint() - this.#start);
  }

  record(event: NewEvent): TraceEvent {
    const full: TraceEvent = { seq: this.events.length + 1, t: this.now(), ...event };
    this.events.push(full);
    this.#stream?.write(`${stringify(full)}\n`);
    for (const listener of this.#listeners) listener(full);
    return full;
  }

  /** Calls `listener` for every event from now on; returns the way to stop. */
  listen(listener: (event: TraceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Flushes the file; throws a {@link LabError} if it could not be written. */
  async close(): Promise<void> {
    const stream = this.#stream;
    if (!stream) return;
    this.#stream = undefined;
    if (!this.#failure) {
      stream.end();
      await once(stream, 'close').catch((error: unknown) => (this.#failure = error as Error));
    }
    if (this.#failure) {
      throw new LabError('E_LAB_TRACE_WRITE', `the trace ${this.file} could not be written`, {
        cause: this.#failure,
        hint: 'Give another place with --trace FILE, or free some space.',
      });
    }
  }
}
