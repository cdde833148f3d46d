/** @module JSON lines: journald's JSON, traces of the lab, QMP messages, events of the reference VMM, records. */
import { isVmmEvent } from './vmm-events.ts';

const MAX_LINE = 65_536;

export type JsonLine =
  | { kind: 'journal'; message: string; identifier: string | undefined; kernel: boolean }
  | {
      kind: 'trace';
      raw: string;
      source: string;
      layer: string;
      /** The same for all events that one line made. */
      key: string;
    }
  | { kind: 'qmp' | 'vmm'; message: Readonly<Record<string, unknown>> }
  | { kind: 'record'; message: Readonly<Record<string, unknown>>; bankUnknown: boolean };

function object(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** journald gives a message that is not plain text as an array of bytes. */
export function journalText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length > MAX_LINE) return undefined;
  const bytes = value.filter((b): b is number => typeof b === 'number' && b >= 0 && b < 256);
  return bytes.length === value.length ? new TextDecoder().decode(Uint8Array.from(bytes)) : undefined;
}

/** What a line holds; undefined when it is no JSON object of a kind that is known. Never throws. */
export function jsonLine(line: string): JsonLine | undefined {
  const text = line.trim();
  if (!text.startsWith('{') || !text.endsWith('}') || text.length > MAX_LINE) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
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
  const record = [data['record'], data['raw'], data].map(object).find(r => typeof r?.['kind'] === 'string');
  return record === undefined
    ? undefined
    : {
        kind: 'record',
        message: record,
        bankUnknown: record['bank'] === undefined || (record === data['raw'] && data['bank'] === undefined),
      };
}
