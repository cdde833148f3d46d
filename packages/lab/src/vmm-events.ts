import { parseObject } from '@syndrome/decode/common/json.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import type { LineParser, LogEvent } from '@syndrome/decode/text/event.ts';
import type { FieldValue } from '@syndrome/trace/event.ts';

/** Which fields of an event of the reference VMM go into the event of the catalogue, by the VMM's name of the event. */
const FIELDS: Record<string, readonly string[]> = {
  started: ['vcpus', 'sea.enabled', 'sea.capability', 'ms'],
  'arm-sea': [
    'vcpu',
    'el',
    'pc',
    'flags',
    'esr',
    'gva',
    'gpa',
    'gpa.source',
    'gpa.certain',
    'suspect',
    'hpa',
    'action',
    'quarantine',
  ],
  'quarantine-hit': ['vcpu', 'exit', 'gpa', 'write', 'action'],
  sigbus: ['codename', 'lsb', 'hva', 'gpa', 'action', 'quarantine'],
  quarantined: ['gpa', 'hpa', 'bytes', 'by', 'slots'],
  'quarantine-refused': ['gpa', 'by', 'reason'],
  threshold: ['errors', 'pages', 'limit'],
  page: ['gpa', 'hva', 'hpa', 'quarantined'],
  'system-event': ['vcpu', 'name'],
  'run-failed': ['vcpu', 'reason'],
  stopped: ['reason', 'errors', 'pages'],
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field by its path; an address object stands for its value, if it is valid. */
function fieldAt(event: Record<string, unknown>, path: string): FieldValue | undefined {
  let value: unknown = event;
  for (const key of path.split('.')) value = isObject(value) ? value[key] : undefined;
  if (isObject(value)) value = value.valid === true ? value.value : undefined;
  if (typeof value === 'string') return /^0x[0-9a-f]{16}$/.test(value) ? parseU64(value) : value;
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)) ? value : undefined;
}

/**
 * The exit codes of the reference VMM (packages/vmm/src/exit-codes.ts) for the ends it has by design, by the reason of `stopped`:
 * any other end is a failure of its own, or a signal.
 */
export const DESIGNED_ENDS: ReadonlyMap<unknown, number> = new Map([
  ['shutdown', 0],
  ['control', 0],
  ['reset', 3],
  ['threshold', 4],
]);

/**
 * The exit code that a VMM has announced with this event, if it has: QEMU by its SHUTDOWN, the reference VMM by `stopped`.
 * An exit with that code is then no death of the VMM.
 */
export function announcedExit({ name, fields }: LogEvent): number | undefined {
  if (name === 'vmm.shutdown') return 0;
  return name === 'vmm.stopped' ? DESIGNED_ENDS.get(fields.reason) : undefined;
}

/** Reads the events of the reference VMM (packages/vmm/src/events.ts), one JSON object a line; `heard` may look at each. */
export function vmmEventParser(heard: (event: LogEvent) => LogEvent): LineParser {
  return {
    push(line): LogEvent[] {
      const event = parseObject(line);
      if (event === undefined || typeof event.event !== 'string') return [];
      const wanted = Object.hasOwn(FIELDS, event.event) ? FIELDS[event.event] : undefined;
      if (!wanted) return [];
      const fields: LogEvent['fields'] = {};
      for (const path of wanted) {
        const value = fieldAt(event, path);
        if (value !== undefined) fields[path.replace(/\.(\w)/, (_dot, c: string) => c.toUpperCase())] = value;
      }
      return [heard({ name: `vmm.${event.event}`, fields })];
    },
    end: () => [],
  };
}
