/** @module QMP events → events of the lab. Source: QEMU qapi/run-state.json. */
import type { EventFields, EventName } from '../../events/catalog.ts';
import { event } from '../../events/event.ts';
import type { LogEvent } from '../../events/event.ts';
import type { FieldValue } from '../../events/row.ts';

type Name = Extract<EventName, `vmm.${string}`>;
/** The event of a QMP event, and its members → fields. Members that are missing or of another type are left out. */
type Row<N extends Name = Name> = {
  [K in N]: {
    name: K;
    members: readonly (readonly [path: string, field: keyof EventFields<K> & string, type: 'string' | 'boolean'])[];
  };
}[N];

const EVENTS: Readonly<Record<string, Row>> = {
  MEMORY_FAILURE: {
    name: 'vmm.memory-failure',
    members: [
      ['recipient', 'recipient', 'string'],
      ['action', 'action', 'string'],
      ['flags.action-required', 'actionRequired', 'boolean'],
      ['flags.recursive', 'recursive', 'boolean'],
    ],
  },
  GUEST_PANICKED: { name: 'vmm.guest-panicked', members: [['action', 'action', 'string']] },
  RESET: {
    name: 'vmm.reset',
    members: [
      ['guest', 'guest', 'boolean'],
      ['reason', 'reason', 'string'],
    ],
  },
  SHUTDOWN: {
    name: 'vmm.shutdown',
    members: [
      ['guest', 'guest', 'boolean'],
      ['reason', 'reason', 'string'],
    ],
  },
  STOP: { name: 'vmm.stop', members: [] },
  RESUME: { name: 'vmm.resume', members: [] },
  WATCHDOG: { name: 'vmm.watchdog', members: [['action', 'action', 'string']] },
};

function at(data: unknown, path: string): unknown {
  let value: unknown = data;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** Names a QMP event; one that the table does not know becomes `vmm.event` with its type. Never throws on data. */
export function qmpEvent(message: { event: string; data?: unknown }): LogEvent<Name> {
  const known = Object.hasOwn(EVENTS, message.event) ? EVENTS[message.event] : undefined;
  if (known === undefined) return event('vmm.event', { type: message.event.slice(0, 128) });
  const fields: Record<string, FieldValue> = {};
  for (const [path, field, type] of known.members) {
    const value = at(message.data, path);
    if (type === 'string' && typeof value === 'string') fields[field] = value.slice(0, 128);
    if (type === 'boolean' && typeof value === 'boolean') fields[field] = value;
  }
  // All these fields are optional in the catalogue.
  return { name: known.name, fields } as LogEvent<Name>;
}
