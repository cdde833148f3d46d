/** @module Events of the reference VMM (packages/vmm/src/events.ts), a line of NDJSON each → items. */
import type { ArmSeaRecord } from '../../arm/record.ts';
import { parseU64 } from '../../common/hex.ts';
import type { FieldValue } from '../event.ts';
import type { TextItem } from '../item.ts';

type Data = Readonly<Record<string, unknown>>;

const MAX_TEXT = 512;

/** Members that become fields of an event, by the event's name; others are left out, and so are events without a row. */
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  sigbus: ['codename', 'lsb', 'hva', 'gpa', 'action', 'quarantine'],
  'quarantine-hit': ['vcpu', 'pc', 'exit', 'gpa', 'write', 'action'],
  quarantined: ['gpa', 'hpa', 'bytes', 'by'],
  'quarantine-refused': ['gpa', 'by', 'reason'],
  threshold: ['errors', 'pages', 'limit'],
};
const U64: ReadonlySet<string> = new Set(['hva', 'hpa', 'gpa', 'pc', 'bytes']);
const RENAMED: Readonly<Record<string, string>> = { codename: 'code', vcpu: 'cpu' };

function u64(value: unknown): bigint | undefined {
  return typeof value === 'string' ? parseU64(value) : undefined;
}

/** An address is a value, or an object that says whether it is valid. */
function address(value: unknown): bigint | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return u64(value);
  const { valid, value: inner } = value as Data;
  return valid === true ? u64(inner) : undefined;
}

function small(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff ? value : undefined;
}

function armSea(data: Data): ArmSeaRecord | undefined {
  const esr = u64(data['esr']);
  if (esr === undefined) return undefined;
  const record: ArmSeaRecord = { kind: 'arm-sea', el: 2, esr };
  const flags = u64(data['flags']);
  if (flags !== undefined) record.flags = flags;
  const gva = address(data['gva']);
  if (gva !== undefined) record.gva = gva;
  const gpa = address(data['gpa']);
  const { source } = (data['gpa'] ?? {}) as Data;
  if (gpa !== undefined) record[source === 'exit' ? 'gpa' : 'walkedGpa'] = gpa;
  const pc = u64(data['pc']);
  if (pc !== undefined) record.elr = pc;
  const vcpu = small(data['vcpu']);
  if (vcpu !== undefined) record.cpu = vcpu;
  return record;
}

/** Whether an object is an event of the reference VMM. */
export function isVmmEvent(data: Data): boolean {
  return data['v'] === 1 && typeof data['event'] === 'string' && 'seq' in data && 't_ns' in data;
}

/** What an event says of memory errors; undefined for those that say nothing of them. */
export function vmmEventItem(data: Data, lineNumber: number): TextItem | undefined {
  const name = String(data['event']);
  const place = { form: 'vmm', firstLine: lineNumber, lastLine: lineNumber } as const;
  if (name === 'arm-sea') {
    const record = armSea(data);
    return record === undefined ? undefined : { type: 'arm', ...place, record, as: 'sea', notes: [] };
  }
  const members = Object.hasOwn(EVENTS, name) ? EVENTS[name] : undefined;
  if (members === undefined) return undefined;
  const fields: Record<string, FieldValue> = {};
  for (const member of members) {
    const raw = data[member];
    const value = U64.has(member)
      ? address(raw)
      : typeof raw === 'boolean'
        ? raw
        : typeof raw === 'string'
          ? raw.slice(0, MAX_TEXT)
          : small(raw);
    if (value !== undefined) fields[RENAMED[member] ?? member] = value;
  }
  return { type: 'event', ...place, name: `vmm-${name}`, fields };
}
