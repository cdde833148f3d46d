/** @module JSON lines: journald's JSON, log lines in objects, traces of the lab, QMP messages, events of the reference VMM, records. */
import { beginsKernelMessage, syslogLine } from './line.ts';
import { isVmmEvent } from '../syndrome/vmm-events.ts';

/** A message that is given as an array of bytes. */
export const JOURNAL_NEEDLES: readonly string[] = ['"MESSAGE":[', '"MESSAGE" : ['];

const MAX_LINE = 65_536;

type JsonLine =
  | { kind: 'journal'; message: string; identifier: string | undefined; kernel: boolean }
  | {
      kind: 'trace';
      raw: string;
      source: string;
      layer: string;
      /** The same for all events that one line made. */
      key: string;
    }
  | { kind: 'line'; text: string; program: string | undefined; value: unknown }
  | { kind: 'qmp' | 'vmm'; message: Readonly<Record<string, unknown>> }
  | { kind: 'record'; message: Readonly<Record<string, unknown>>; bankUnknown: boolean }
  | { kind: 'event'; message: Readonly<Record<string, unknown>> }
  /** An object of no kind that is known: a line of a log may stand under any of its names. */
  | { kind: 'other'; value: unknown }
  /** Begins as an object does and is none: it was cut, or damaged. */
  | { kind: 'broken' };

function object(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** journald gives a message that is not plain text as an array of bytes. */
function journalText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length > MAX_LINE) return undefined;
  const bytes = value.filter((b): b is number => typeof b === 'number' && b >= 0 && b < 256);
  return bytes.length === value.length ? new TextDecoder().decode(Uint8Array.from(bytes)) : undefined;
}

/** Members that name the program of a line, of those who ship logs as JSON. */
const PROGRAMS = ['SYSLOG_IDENTIFIER', 'ident', 'program', 'appname', 'app', 'tag', 'process', 'logger'] as const;

/** A log line that Docker (`log` beside `stream`) or another shipper (`message` or `msg`) put into an object. */
function wrappedLine(data: Readonly<Record<string, unknown>>): JsonLine | undefined {
  const line = typeof data['stream'] === 'string' ? data['log'] : (data['message'] ?? data['msg']);
  if (typeof line !== 'string' || typeof data['kind'] === 'string') return undefined;
  const program = PROGRAMS.map(name => data[name]).find(value => typeof value === 'string');
  return { kind: 'line', text: line, program: typeof program === 'string' ? program : undefined, value: data };
}

/**
 * The log lines in a line of an object or array that is laid out over several (`journalctl -o json-pretty`), under whatever
 * name. The program stands in another line, so that only what the kernel alone begins a message with counts, or what names it.
 */
export function prettyMessage(line: string): string | undefined {
  const m = /^\s{0,64}(?:"[^"\\]{1,64}"\s{0,4}:\s{0,4})?("(?:[^"\\]|\\.){1,16384}"),?\s{0,4}$/s.exec(line);
  if (m === null) return undefined;
  try {
    const text = journalText(JSON.parse(m[1] ?? ''));
    return text?.split('\n').some(isLogLine) === true ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a text within something else is beyond doubt a line of a log. */
export function isLogLine(text: string): boolean {
  return beginsKernelMessage(text) || syslogLine(text).program !== undefined;
}

/** `{1}[Hardware Error]: …` begins with a brace too. */
const BEGINS_OBJECT = /^\{\s{0,64}"/;

/** What a line holds; undefined when it is no JSON object of a kind that is known. Never throws. */
export function jsonLine(line: string): JsonLine | undefined {
  // An array of objects, one a line, ends each with a comma.
  const text = line.trim().replace(/\},$/, '}');
  const broken = BEGINS_OBJECT.test(text) ? ({ kind: 'broken' } as const) : undefined;
  if (!text.startsWith('{') || !text.endsWith('}') || text.length > MAX_LINE) return broken;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return broken;
  }
  const data = object(value);
  if (data === undefined) return undefined;
  if (Object.hasOwn(data, 'MESSAGE')) {
    const message = journalText(data['MESSAGE']);
    if (message === undefined) return undefined;
    const name = data['SYSLOG_IDENTIFIER'];
    const identifier = typeof name === 'string' ? name : undefined;
    return { kind: 'journal', message, identifier, kernel: data['_TRANSPORT'] === 'kernel' || identifier === 'kernel' };
  }
  const wrapped = wrappedLine(data);
  if (wrapped !== undefined) return wrapped;
  if (isVmmEvent(data)) return { kind: 'vmm', message: data };
  if (
    typeof data['event'] === 'string' &&
    (object(data['data']) !== undefined || object(data['timestamp']) !== undefined)
  ) {
    return { kind: 'qmp', message: data };
  }
  if (typeof data['raw'] === 'string' && typeof data['source'] === 'string') {
    // What the lab sent is no observation.
    if (data['dir'] === 'send') return undefined;
    const layer = typeof data['layer'] === 'string' ? data['layer'] : '';
    const key = `${String(data['t'])} ${layer} ${data['source']} ${data['raw']}`;
    return { kind: 'trace', raw: data['raw'], source: data['source'], layer, key };
  }
  // A record that the lab got by other means than a line, one that decode printed, or one alone.
  const raw = object(data['raw']);
  if (raw?.['kind'] === 'event' && data['schemaVersion'] !== undefined) return { kind: 'event', message: raw };
  const record = [data['record'], raw, data].map(object).find(r => typeof r?.['kind'] === 'string');
  if (record === undefined) return isOfTrace(data) ? undefined : { kind: 'other', value: data };
  return {
    kind: 'record',
    message: record,
    bankUnknown: record['bank'] === undefined || (record === data['raw'] && data['bank'] === undefined),
  };
}

/** Whether it is the header of a trace, or an event of one without a line of a log: what the lab says, foretells or asks is no log. */
function isOfTrace(data: Readonly<Record<string, unknown>>): boolean {
  return (
    data['type'] === 'trace' || (typeof data['layer'] === 'string' && typeof data['source'] === 'string' && 't' in data)
  );
}
