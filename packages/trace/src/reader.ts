import { type Departure, Departures } from './departures.ts';
import { TraceError } from './errors.ts';
import type { TraceEvent, TraceHeader } from './event.ts';
import { LineSplitter, MAX_LINE } from './lines.ts';
import { modernizer } from './modernize.ts';
import { eventOf, parseLine } from './parse-event.ts';
import { readHeader } from './parse-header.ts';

/** A whole trace in memory, in the newest form, and what could not be read of it. */
export interface Trace {
  /** The version it was written in; header and events are in the form of the newest. */
  version: number;
  header: TraceHeader;
  events: TraceEvent[];
  /** Lines that are not events: a cut last line of a killed run, or damage. */
  diagnostics: { line: number; problem: string }[];
  /** Events that the catalogue does not have so: they are kept as they are. */
  departures: Departure[];
  /** Events with departures beyond those that are told. */
  moreDepartures: number;
}

/** No run writes more: its sources are few, and each is bounded. */
const MAX_LENGTH = 2 ** 31;
/** Nor more events: a recorder keeps 200,000 of a source. Each takes 100 bytes and more, and memory has an end. */
const MAX_EVENTS = 2_000_000;
/** A run that was killed leaves one. With so many it is no trace, whatever its first line says. */
const MAX_DAMAGED = 10_000;

/**
 * Reads a trace of any version out of a text that comes in pieces, cut anywhere. Damaged lines are reported, not fatal. Its
 * memory is bounded: some inputs have no end.
 * @example
 * const reader = new TraceReader('run.ndjson');
 * for await (const piece of pieces) reader.push(piece);
 * const { header, events } = reader.end();
 */
export class TraceReader {
  readonly #file: string;
  readonly #most: number;
  readonly #lines = new LineSplitter();
  #length = 0;
  #number = 0;
  #head: { header: TraceHeader; version: number } | undefined;
  #modern: ReturnType<typeof modernizer>['event'] | undefined;
  readonly #events: TraceEvent[] = [];
  readonly #diagnostics: Trace['diagnostics'] = [];
  readonly #departures = new Departures();

  /**
   * @param file what the trace is called in errors
   * @param most events that are kept; with more it is no trace
   */
  constructor(file: string, most = MAX_EVENTS) {
    this.#file = file;
    this.#most = most;
  }

  /** Takes the next piece. @throws TraceError E_LAB_TRACE_FORMAT, E_LAB_TRACE_VERSION */
  push(piece: string): void {
    this.#length += piece.length;
    if (this.#head === undefined && this.#length > MAX_LINE) readHeader(undefined, this.#file);
    if (this.#length > MAX_LENGTH) throw this.#none('is longer than any trace');
    for (const line of this.#lines.push(piece)) this.#take(line);
  }

  /** What was read, once the text has ended. @throws TraceError as {@link push} */
  end(): Trace {
    for (const line of this.#lines.end()) this.#take(line);
    return this.#whole(this.#head ?? readHeader(undefined, this.#file));
  }

  /** What there is of a trace that goes on: its whole lines. Undefined before the first. */
  soFar(): Trace | undefined {
    return this.#head && this.#whole(this.#head);
  }

  #whole({ header, version }: { header: TraceHeader; version: number }): Trace {
    const departures = this.#departures.list();
    const { more: moreDepartures } = this.#departures;
    const [events, diagnostics] = [[...this.#events], [...this.#diagnostics]];
    return { version, header, events, diagnostics, departures, moreDepartures };
  }

  #take(line: string | undefined): void {
    this.#number++;
    if (this.#head === undefined) {
      this.#head = readHeader(line, this.#file);
      this.#modern = modernizer(this.#head.version).event;
      return;
    }
    if (line === '') return;
    const event = line === undefined ? undefined : this.#event(line);
    if (event && this.#events.length === this.#most)
      throw this.#none(`has more events than any trace: at most ${this.#most} are read`);
    if (event) {
      this.#events.push(event);
      this.#departures.see(event, this.#number);
      return;
    }
    const problem = line === undefined ? 'longer than any line of a trace' : 'not a trace event (cut off or damaged)';
    this.#diagnostics.push({ line: this.#number, problem });
    if (this.#diagnostics.length > MAX_DAMAGED)
      throw this.#none(`is no trace: more than ${MAX_DAMAGED} of its lines are no events`);
  }

  #event(text: string): TraceEvent | undefined {
    const line = parseLine(text);
    return line === undefined ? undefined : eventOf(this.#modern?.(line) ?? line);
  }

  #none(why: string): TraceError {
    return new TraceError('E_LAB_TRACE_FORMAT', `${this.#file} ${why}`);
  }
}

/**
 * The trace of a text that comes in pieces: a file, a pipe, the body of a response.
 * @param file what it is called in errors
 * @throws TraceError E_LAB_TRACE_FORMAT, E_LAB_TRACE_VERSION
 */
export async function traceOf(pieces: AsyncIterable<string>, file: string, most?: number): Promise<Trace> {
  const reader = new TraceReader(file, most);
  for await (const piece of pieces) reader.push(piece);
  return reader.end();
}
