/** @module The agent's lines about what happened (`E name key=value …`, guest/wire.h) → events of the catalogue. */
import { kindFieldTypes } from '../../events/catalog.ts';
import type { LinuxLayer } from '../../events/catalog.ts';
import { event } from '../../events/event.ts';
import type { LogEvent } from '../../events/event.ts';
import type { FieldValue } from '../../events/row.ts';
import { eventItem } from '../item.ts';
import type { EventItem } from '../item.ts';
import { hexU64 } from '../transport/line.ts';

/** Of signals for memory errors, whoever reports them, and of the kernel's trace events. */
export const AGENT_NEEDLES: readonly string[] = ['BUS_MCEERR_A', '/tracing/trace_pipe'];

const EVENT = /^E ([a-z][a-z0-9-]{0,31})((?: [^ ]+)*)$/;
/** Longest line of the wire in bytes, its LF included (WIRE_MAX in guest/wire.h). */
export const WIRE_MAX = 4096;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The bytes of a percent-encoded text; a `%` without two hex digits stays as it is. */
export function percentDecode(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const escape = text[i] === '%' ? text.slice(i + 1, i + 3) : '';
    if (/^[0-9a-fA-F]{2}$/.test(escape)) {
      bytes[length++] = Number.parseInt(escape, 16);
      i += 2;
    } else {
      bytes[length++] = text.charCodeAt(i) & 0xff;
    }
  }
  return bytes.subarray(0, length);
}

/** The `key=value` words of a line, decoded; undefined when one is none, or a key comes twice. */
export function splitFields(text: string): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    if (equals < 1) return undefined;
    const key = word.slice(0, equals);
    if (!/^[a-z][a-z0-9-]*$/.test(key) || fields.has(key)) return undefined;
    fields.set(key, utf8.decode(percentDecode(word.slice(equals + 1))));
  }
  return fields;
}

/** A line about what happened, split but not interpreted; undefined when it is none. */
export function agentLine(line: string): { name: string; fields: Map<string, string> } | undefined {
  if (line.length >= WIRE_MAX || !/^[\x20-\x7e]*$/.test(line)) return undefined;
  const m = EVENT.exec(line);
  const fields = m === null ? undefined : splitFields(m[2] ?? '');
  return fields === undefined ? undefined : { name: m?.[1] ?? '', fields };
}

/** Values by their key on the wire; undefined where the line has none. */
type AgentValues = Readonly<Record<string, FieldValue | undefined>>;

type AgentName =
  | 'guest.agent-ready'
  | 'host.agent-ready'
  | 'domu.agent-ready'
  | 'process.signal'
  | 'process.exit'
  | 'process.spin-ended';

/** Which event of the catalogue an event of the agent in a guest is, and the keys that its fields have on the wire. */
const EVENTS: Readonly<Record<string, { name: AgentName; keys: Readonly<Record<string, string>> }>> = {
  ready: { name: 'guest.agent-ready', keys: { kernel: 'kernel', arch: 'arch', cpus: 'cpus' } },
  signal: {
    name: 'process.signal',
    keys: { proc: 'proc', pid: 'pid', signal: 'signal', addr: 'addr', lsb: 'lsb', code: 'codename' },
  },
  exit: {
    name: 'process.exit',
    keys: { proc: 'proc', pid: 'pid', status: 'status', code: 'code', signal: 'signal' },
  },
  spin: { name: 'process.spin-ended', keys: { proc: 'proc', id: 'id', ended: 'ended', iterations: 'iterations' } },
};

/** A value of the wire as a field of its type. */
function typed(value: FieldValue, type: string): FieldValue | undefined {
  if (typeof value !== 'string' || type === 'string' || type === 'any') return value;
  if (type === 'number') return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
  return type === 'boolean' ? value === '1' : hexU64(value);
}

/**
 * The event that an event of the agent stands for: undefined where it is none of the catalogue, or lacks what that has.
 * @param values as text, or with their types already
 * @param layer the Linux that the agent runs in
 */
export function agentEvent(
  name: string,
  values: AgentValues,
  layer: LinuxLayer,
): LogEvent<AgentName | 'lab.note'> | undefined {
  if (layer !== 'guest' && name !== 'ready') return undefined;
  if (name === 'dropped') {
    return event('lab.note', { text: `the agent dropped ${String(values['lines'])} lines: its port was too slow` });
  }
  const known = Object.hasOwn(EVENTS, name) ? EVENTS[name] : undefined;
  if (known === undefined) return undefined;
  const made = name === 'ready' ? (`${layer}.agent-ready` as const) : known.name;
  const types = kindFieldTypes(made);
  const fields: Record<string, FieldValue> = {};
  for (const [field, key] of Object.entries(known.keys)) {
    const given = values[key];
    const row = types[field];
    const value = given === undefined || row === undefined ? undefined : typed(given, row.type);
    if (value !== undefined) fields[field] = value;
    else if (row?.optional === false) return undefined;
  }
  return { name: made, fields } as LogEvent<AgentName>;
}

/** The event of a line that the agent in a guest wrote. */
export function agentItem(text: string, lineNumber: number): EventItem | undefined {
  const line = agentLine(text);
  const found = line === undefined ? undefined : agentEvent(line.name, Object.fromEntries(line.fields), 'guest');
  return found === undefined ? undefined : eventItem('agent', lineNumber, found);
}
