/** @module Events of the reference VMM (packages/vmm/src/events.ts), a line of NDJSON each → events of the catalogue. */
import type { ArmSeaRecord } from '../../arm/record.ts';
import { parseU64 } from '../../common/hex.ts';
import { kindFieldTypes } from '../../events/catalog.ts';
import type { EventFields } from '../../events/catalog.ts';
import type { LogEvent } from '../../events/event.ts';
import { REFERENCE_VMM } from '../../events/reference-vmm.ts';
import type { FieldType, FieldValue } from '../../events/row.ts';
import { eventItem } from '../item.ts';
import type { TextItem } from '../item.ts';
import { MAX_TEXT } from '../patterns.ts';

type Data = Readonly<Record<string, unknown>>;
type VmmEvent = LogEvent<keyof typeof REFERENCE_VMM>;

/** Words of the events that are about memory errors. */
export const VMM_NEEDLES: readonly string[] = ['arm-sea', 'quarantine'];

const isObject = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A member as a field of its type. An address object stands for its value, if it is valid. */
function fieldOf(given: unknown, type: FieldType): FieldValue | undefined {
  const value = isObject(given) ? (given['valid'] === true ? given['value'] : undefined) : given;
  if (type === 'string') return typeof value === 'string' ? value.slice(0, MAX_TEXT) : undefined;
  if (type === 'boolean') return typeof value === 'boolean' ? value : undefined;
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  return typeof value === 'string' ? parseU64(value) : undefined;
}

/** The member of a field: `gpaSource` is `source` of `gpa` where there is no member of the whole name. */
function memberOf(data: Data, field: string): unknown {
  if (Object.hasOwn(data, field)) return data[field];
  const [, outer = '', first = '', rest = ''] = /^([a-z]+)([A-Z])(\w*)$/.exec(field) ?? [];
  const inner = Object.hasOwn(data, outer) ? data[outer] : undefined;
  return isObject(inner) ? inner[`${first.toLowerCase()}${rest}`] : undefined;
}

const isSmall = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;

/** Whether an object is an event of the reference VMM. */
export function isVmmEvent(data: Data): boolean {
  return data['v'] === 1 && typeof data['event'] === 'string' && 'seq' in data && 't_ns' in data;
}

/** The event that an object stands for; undefined where the catalogue has none. A VMM of another version may leave fields out. */
export function vmmEvent(data: Data): VmmEvent | undefined {
  const name = `vmm.${String(data['event'])}`;
  if (!Object.hasOwn(REFERENCE_VMM, name)) return undefined;
  const fields: Record<string, FieldValue> = {};
  for (const [field, { type }] of Object.entries(kindFieldTypes(name as keyof typeof REFERENCE_VMM))) {
    const value = fieldOf(memberOf(data, field), type);
    if (value !== undefined) fields[field] = value;
  }
  return { name, fields } as VmmEvent;
}

/** What KVM told the VMM of an abort. */
function armSea(fields: Partial<EventFields<'vmm.arm-sea'>>): ArmSeaRecord | undefined {
  const { esr, flags, gva, gpa, gpaSource, pc, vcpu } = fields;
  if (esr === undefined) return undefined;
  const record: ArmSeaRecord = { kind: 'arm-sea', el: 2, esr };
  if (flags !== undefined) record.flags = flags;
  if (gva !== undefined) record.gva = gva;
  if (gpa !== undefined) record[gpaSource === 'exit' ? 'gpa' : 'walkedGpa'] = gpa;
  if (pc !== undefined) record.elr = pc;
  if (vcpu !== undefined && isSmall(vcpu)) record.cpu = vcpu;
  return record;
}

/** The same as an item: an abort is a record. */
export function vmmEventItem(data: Data, lineNumber: number): TextItem | undefined {
  const event = vmmEvent(data);
  if (event === undefined) return undefined;
  const place = { form: 'vmm', firstLine: lineNumber, lastLine: lineNumber } as const;
  if (event.name !== 'vmm.arm-sea') return eventItem('vmm', lineNumber, event);
  const record = armSea(event.fields);
  return record === undefined ? undefined : { type: 'arm', ...place, record, as: 'sea', notes: [] };
}
