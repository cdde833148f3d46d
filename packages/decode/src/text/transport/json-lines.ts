/** @module JSON lines: journald's JSON, log lines in objects, traces of the lab, QMP messages, events of the reference VMM, records. */
import { RECORD_VERSION } from '../item.ts';
import { beginsKernelMessage, syslogLine } from './line.ts';
import { isVmmEvent } from '../syndrome/vmm-events.ts';

/** A message that is given as an array of bytes; in entries over several lines, who wrote them. */
export const JOURNAL_NEEDLES: readonly string[] = ['"MESSAGE":[', '"MESSAGE" : ['];
const PRETTY_WRITERS = ['_TRANSPORT', 'SYSLOG_IDENTIFIER', 'ident', 'program', 'appname', 'tag'];
export const WRITER_NEEDLES: readonly string[] = [
  '  _TRANSPORT=',
  '  SYSLOG_IDENTIFIER=',
  ...PRETTY_WRITERS.map(name => `  "${name}": "`),
  '\t"_TRANSPORT" : "',
  '\t"SYSLOG_IDENTIFIER" : "',
  '  "_TRANSPORT" : "',
  '  "SYSLOG_IDENTIFIER" : "',
];

/** Times in objects that are laid out over several lines, before their message. */
export const TIME_NEEDLES: readonly string[] = [
  // A cursor of the journal, which begins with an identifier.
  ...Array.from({ length: 256 }, (_, i) => ` [s=${i.toString(16).padStart(2, '0')}`),
  '_TIMESTAMP" : "',
  '"@timestamp": "',
  '"@timestamp" : "',
  '"Created": "',
  '"Created" : "',
];

const MAX_LINE = 65_536;

export type JsonLine =
  | { kind: 'journal'; message: string; program: string | undefined; value: unknown }
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
  | { kind: 'record'; message: Readonly<Record<string, unknown>>; bankUnknown: boolean; version: number }
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
  const m = /^\s{0,64}(?:"[^"\\]{1,64}"\s{0,4}:\s{0,4})?("(?:[^"\\]|\\.){1,16384}")[\s\]},]{0,16}$/s.exec(line);
  if (m === null) return undefined;
  try {
    const text = journalText(JSON.parse(m[1] ?? ''));
    return text?.split('\n').some(isLogLine) === true ? text : undefined;
  } catch {
    return undefined;
  }
}

/** A member whose value is a text, in a line of an object that is laid out over several; an element of an array has no name. */
export function prettyMember(line: string): { name: string; text: string } | undefined {
  const m = /^\s{0,64}(?:"([^"\\]{1,64})"\s{0,4}:\s{0,4})?("(?:[^"\\]|\\.){1,16384}"),?\s{0,4}$/s.exec(line);
  if (m === null) return undefined;
  try {
    return { name: m[1] ?? '', text: JSON.parse(m[2] ?? '') as string };
  } catch {
    return undefined;
  }
}

/** What a member says of an object that is a line of a log: its text, or who wrote it; undefined for any other. */
export function roleOf(name: string): 'message' | 'transport' | 'program' | undefined {
  if (name === 'MESSAGE' || name === 'message' || name === 'msg') return 'message';
  if (name === '_TRANSPORT') return 'transport';
  return (PROGRAMS as readonly string[]).includes(name) ? 'program' : undefined;
}

/** Whether a line of an object over several lines opens or closes one, or is a member that holds no line of a log. */
export const isStructure = (line: string): boolean =>
  /^\s{0,64}(?:[[\]{}]{1,8},?|"(?!Message)[^"\\]{1,64}"\s{0,4}:\s{0,4}(?:[[{]|"[^"\\]{0,64}",?|-?[\d.]{1,32},?|null,?|true,?|false,?))\s{0,4}$/.test(
    line,
  );

/** Whether a text within something else is beyond doubt a line of a log. */
export function isLogLine(text: string): boolean {
  return (
    beginsKernelMessage(text.replace(/^kernel: ?/, '')) ||
    /^\[ {0,8}\d{1,10}\.\d{6}\]/.test(text) ||
    syslogLine(text).program !== undefined
  );
}

/** `{1}[Hardware Error]: …` begins with a brace too. */
const BEGINS_OBJECT = /^\{\s{0,64}"/;

/** Members that hold the time of a message, as journald, Elasticsearch, Docker, Kubernetes, the clouds and Redfish name them. */
const TIMES = [
  '__REALTIME_TIMESTAMP',
  '_SOURCE_REALTIME_TIMESTAMP',
  '@timestamp',
  'timestamp',
  'Timestamp',
  'time',
  'ts',
  'Created',
  'EventTimestamp',
  'TimeGenerated',
  'eventTime',
  'datetime',
  'date',
] as const;
const EPOCH = 1e8;

/** The time that an object gives its message, as a line would begin with it; undefined where it gives none. */
export function timeOfObject(data: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of TIMES) {
    const value = data[name];
    if (name.endsWith('REALTIME_TIMESTAMP')) {
      if (typeof value === 'string' && /^\d{13,17}$/.test(value)) return `"__REALTIME_TIMESTAMP":"${value}"`;
    } else if (typeof value === 'string' && /\d/.test(value)) return value.slice(0, 40);
    else if (typeof value === 'number' && value > EPOCH) {
      // Seconds, or thousandths or millionths of them.
      const seconds = value > EPOCH * 1e6 ? value / 1e6 : value > EPOCH * 1e3 ? value / 1e3 : value;
      return `${seconds.toFixed(6)} `;
    }
  }
  return undefined;
}

/** Loki's entries are pairs of a time in thousandths of millionths of seconds and a line. */
export function timeOfPair(pair: readonly unknown[]): string | undefined {
  const [time] = pair;
  return typeof time === 'string' && /^1\d{18}$/.test(time) ? `${(Number(time) / 1e9).toFixed(6)} ` : undefined;
}

/** The same of a line of an object that is laid out over several. */
export function prettyTime(line: string): string | undefined {
  const m = /^\s{1,64}"([@\w]{2,32})"\s{0,4}:\s{0,4}(?:"([^"\\]{4,40})"|(\d{9,16})),?\s{0,4}$/.exec(line);
  return m === null ? undefined : timeOfObject({ [m[1] ?? '']: m[2] ?? Number(m[3]) });
}

/** A record as {@link recordOfJson} reads it; `version` is that of the form that it is written in. */
export type JsonRecord = Extract<JsonLine, { kind: 'record' }>;

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
  return jsonValue(value);
}

/**
 * The program of an entry of journald; undefined where the entry does not say. Only journald writes the transport, and of the kernel
 * there is one of its own; an identifier is what its program likes. systemd.journal-fields(7).
 * @example journalProgram('syslog', 'kernel') // 'syslog'
 */
export function journalProgram(transport: string | undefined, identifier: string | undefined): string | undefined {
  if (transport === undefined) return identifier;
  if (transport === 'kernel') return 'kernel';
  return identifier === undefined || identifier === 'kernel' ? transport : identifier;
}

/** The same of a value that was read. */
export function jsonValue(value: unknown): JsonLine | undefined {
  const data = object(value);
  if (data === undefined) return undefined;
  if (Object.hasOwn(data, 'MESSAGE')) {
    const message = journalText(data['MESSAGE']);
    if (message === undefined) return undefined;
    const [transport, identifier] = [data['_TRANSPORT'], data['SYSLOG_IDENTIFIER']].map(v =>
      typeof v === 'string' ? v : undefined,
    );
    return { kind: 'journal', message, program: journalProgram(transport, identifier), value: data };
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
  // What this project says of records in its own words (triage) is no log.
  if (record === undefined) return isOfTrace(data) || isOwn(data) ? undefined : { kind: 'other', value: data };
  return {
    kind: 'record',
    message: record,
    version: typeof data['schemaVersion'] === 'number' ? data['schemaVersion'] : RECORD_VERSION,
    bankUnknown: record['bank'] === undefined || (record === data['raw'] && data['bank'] === undefined),
  };
}

/** The member that all of this project's JSON begins with. */
const isOwn = (data: Readonly<Record<string, unknown>>): boolean =>
  typeof data['schemaVersion'] === 'number' && ('source' in data || 'records' in data);

/** Whether it is the header of a trace, or an event of one without a line of a log: what the lab says, foretells or asks is no log. */
function isOfTrace(data: Readonly<Record<string, unknown>>): boolean {
  return (
    data['type'] === 'trace' || (typeof data['layer'] === 'string' && typeof data['source'] === 'string' && 't' in data)
  );
}
