import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { checkPatterns, MAX_EXPECTATIONS, parseExpectation } from './expect/expectation.ts';
import { TraceError } from './errors.ts';
import { type FieldValue, TRACE_VERSION, type TraceEvent, type TraceHeader, LAYERS, SOURCES } from './event.ts';

/** A whole trace in memory, and what could not be read of it. */
export interface Trace {
  header: TraceHeader;
  events: TraceEvent[];
  /** Lines that are not events: a cut last line of a killed run, or damage. */
  diagnostics: { line: number; problem: string }[];
}

/** Event names and field names; a trace may come from anybody. */
const NAME = /^[A-Za-z][\w.-]{0,63}$/;

const HEX64 = /^0x[0-9a-f]{16}$/;

/** Wire strings of 64-bit values become bigint again. */
function revive(fields: Record<string, unknown>): Record<string, FieldValue> {
  const out: Record<string, FieldValue> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value === 'string') out[key] = HEX64.test(value) ? BigInt(value) : value;
    // JSON has no infinity, but numbers that JavaScript takes for one.
    else if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) out[key] = value;
  }
  return out;
}

/** Positions and times: what the recorder counts. */
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** Reads one line of a trace; undefined when it is not an event. */
export function parseEvent(line: string): TraceEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const event = value as TraceEvent;
  if (!isCount(event.seq) || !isCount(event.t)) return undefined;
  if (!LAYERS.includes(event.layer)) return undefined;
  if (!SOURCES.includes(event.source)) return undefined;
  if (event.name !== undefined && !(typeof event.name === 'string' && NAME.test(event.name))) return undefined;
  if (event.dir !== undefined && event.dir !== 'send' && event.dir !== 'receive') return undefined;
  if (event.raw !== undefined && typeof event.raw !== 'string') return undefined;
  if (event.fields !== undefined) {
    if (typeof event.fields !== 'object' || event.fields === null) return undefined;
    if (!Object.keys(event.fields).every(key => NAME.test(key))) return undefined;
  }
  const { seq, t, layer, source, raw, dir, name, fields, record } = event;
  return {
    seq,
    t,
    layer,
    source,
    ...(raw === undefined ? {} : { raw }),
    ...(dir === undefined ? {} : { dir }),
    ...(name === undefined ? {} : { name }),
    ...(fields === undefined ? {} : { fields: revive(fields) }),
    ...(record === undefined ? {} : { record }),
  };
}

/** What a header says with a word, a number or not at all; anything else says nothing. */
const wordOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

/**
 * Reads the first line of a trace.
 * @throws TraceError E_LAB_TRACE_FORMAT when it is not a trace, E_LAB_TRACE_VERSION when it is newer than this program.
 */
export function parseHeader(line: string | undefined, file: string): TraceHeader {
  let header: Partial<TraceHeader> | undefined;
  try {
    header = JSON.parse(line ?? '') as Partial<TraceHeader>;
  } catch {
    header = undefined;
  }
  if (header?.type !== 'trace' || typeof header.version !== 'number') {
    throw new TraceError(
      'E_LAB_TRACE_FORMAT',
      `${file} is not a Syndrome trace: its first line is not a trace header`,
      {
        hint: 'A trace is the .ndjson file that `syndrome run` names at its end.',
      },
    );
  }
  if (header.version > TRACE_VERSION) {
    throw new TraceError(
      'E_LAB_TRACE_VERSION',
      `${file} is a trace of version ${header.version}; this program reads up to version ${TRACE_VERSION}`,
      { hint: 'Use a newer Syndrome to read it.' },
    );
  }
  const expect: string[] = Array.isArray(header.expect) ? header.expect.map(wordOf) : [];
  if (expect.length > MAX_EXPECTATIONS) {
    const count = `${expect.length} expectations; a trace has at most ${MAX_EXPECTATIONS}`;
    throw new TraceError('E_LAB_TRACE_FORMAT', `${file}: its header has ${count}`);
  }
  try {
    checkPatterns(expect.map(parseExpectation));
  } catch (error) {
    if (!(error instanceof SyndromeError)) throw error;
    throw new TraceError('E_LAB_TRACE_FORMAT', `${file}: the expectations in the header are not taken`, {
      cause: error,
    });
  }
  const { settle } = header;
  const parts = Object.entries(typeof header.parts === 'object' && header.parts !== null ? header.parts : {});
  return {
    type: 'trace',
    version: header.version,
    tool: wordOf(header.tool),
    scenario: wordOf(header.scenario),
    startedAt: wordOf(header.startedAt),
    expect,
    ...(header.outcome === undefined ? {} : { outcome: wordOf(header.outcome) }),
    settle: typeof settle === 'number' && settle >= 0 && Number.isFinite(settle) ? settle : 0,
    parts: Object.fromEntries(parts.filter(([key]) => NAME.test(key)).map(([key, value]) => [key, wordOf(value)])),
  };
}

/** A run writes no longer ones: what it takes from a peer is bounded below that (QMP: 10 MiB, doubled by its escapes). */
const MAX_LINE = 32 << 20;

/** The lines of a text that comes in pieces; undefined for one longer than {@link MAX_LINE}, of which nothing is kept. */
async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  let parts: string[] = [];
  let length = 0;
  const add = (part: string): void => {
    length += part.length;
    if (length > MAX_LINE) parts = [];
    else parts.push(part);
  };
  const take = (): string | undefined => {
    const line = length > MAX_LINE ? undefined : parts.join('').replace(/\r$/, '');
    [parts, length] = [[], 0];
    return line;
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      add(piece.slice(from, end));
      yield take();
      from = end + 1;
    }
    add(piece.slice(from));
  }
  if (length > 0) yield take();
}

/** No run writes more: its sources are few, and each is bounded. */
const MAX_LENGTH = 2 ** 31;
/** Nor more events: a recorder keeps 200,000 of a source. Each takes 100 bytes and more, and memory has an end. */
const MAX_EVENTS = 2_000_000;
/** A run that was killed leaves one. With so many it is no trace, whatever its first line says. */
const MAX_DAMAGED = 10_000;

/**
 * The trace that a text in pieces is. Damaged lines are reported, not fatal.
 * @param file what it is called in errors
 * @param most events that are kept; with more it is no trace
 * @throws TraceError E_LAB_TRACE_FORMAT, E_LAB_TRACE_VERSION
 */
export async function traceOf(pieces: AsyncIterable<string>, file: string, most = MAX_EVENTS): Promise<Trace> {
  let header: TraceHeader | undefined;
  const events: TraceEvent[] = [];
  const diagnostics: Trace['diagnostics'] = [];
  let number = 0;
  /** What there is of the text, up to what a trace can hold: some inputs have no end. */
  async function* bounded(): AsyncGenerator<string> {
    let length = 0;
    for await (const piece of pieces) {
      length += piece.length;
      if (header === undefined && length > MAX_LINE) parseHeader(undefined, file);
      if (length > MAX_LENGTH) throw new TraceError('E_LAB_TRACE_FORMAT', `${file} is longer than any trace`);
      yield piece;
    }
  }
  for await (const line of linesOf(bounded())) {
    number++;
    if (header === undefined) {
      header = parseHeader(line, file);
      continue;
    }
    if (line === '') continue;
    const event = line === undefined ? undefined : parseEvent(line);
    if (event && events.length === most) {
      throw new TraceError('E_LAB_TRACE_FORMAT', `${file} has more events than any trace: at most ${most} are read`);
    }
    if (event) events.push(event);
    else if (line === undefined) diagnostics.push({ line: number, problem: 'longer than any line of a trace' });
    else diagnostics.push({ line: number, problem: 'not a trace event (cut off or damaged)' });
    if (diagnostics.length > MAX_DAMAGED) {
      throw new TraceError(
        'E_LAB_TRACE_FORMAT',
        `${file} is no trace: more than ${MAX_DAMAGED} of its lines are no events`,
      );
    }
  }
  return { header: header ?? parseHeader(undefined, file), events, diagnostics };
}
