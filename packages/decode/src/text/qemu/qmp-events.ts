/** @module QMP events → events of the lab. Source: QEMU qapi/run-state.json. */
import type { FieldValue, LogEvent } from '../event.ts';

/** QMP member names → field names. Members that are missing or of another type are left out. */
type Members = readonly (readonly [path: string, field: string, type: 'string' | 'boolean'])[];

const EVENTS: Readonly<Record<string, { name: string; members: Members }>> = {
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
export function qmpEvent(event: { event: string; data?: unknown }): LogEvent {
  const known = Object.hasOwn(EVENTS, event.event) ? EVENTS[event.event] : undefined;
  if (known === undefined) return { name: 'vmm.event', fields: { type: event.event.slice(0, 128) } };
  const fields: Record<string, FieldValue> = {};
  for (const [path, field, type] of known.members) {
    const value = at(event.data, path);
    if (type === 'string' && typeof value === 'string') fields[field] = value.slice(0, 128);
    if (type === 'boolean' && typeof value === 'boolean') fields[field] = value;
  }
  return { name: known.name, fields };
}
