/** @module Error records as this project writes them to JSON: in a trace (`record`), in what decode prints (`raw`). */
import type { ArmSeaRecord } from '../../arm/record.ts';
import { parseU64 } from '../../common/hex.ts';
import { CperError } from '../../cper/error.ts';
import { cperFromJson } from '../../cper/json.ts';
import { decodeCper, encodeCper } from '../../cper/region.ts';
import type { CperRecord } from '../../cper/record.ts';
import { MCA_REGISTERS, MCA_SAID } from '../../mca/record.ts';
import type { McaSaid, X86McaRecord } from '../../mca/record.ts';
import type { FieldValue } from '../../events/row.ts';
import type { ForeignEventItem, TextNote } from '../item.ts';

/** What only a record of this project's has. */
export const RECORD_NEEDLES: readonly string[] = ['"kind":"x86-mca"', '"kind":"cper"', '"kind":"event"'];

type Data = Readonly<Record<string, unknown>>;

const MCA_WIDE = [...MCA_REGISTERS, 'unit', 'time'] as const;
const MAX_LOCATION = 128;
const ARM_WIDE = ['far', 'hpfar', 'pfar', 'flags', 'gva', 'gpa', 'walkedGpa', 'elr'] as const;

/** What a JSON object stands for, and what of it could not be read. */
interface FromJson {
  /** Undefined when it is none, or one that cannot be. */
  record?: X86McaRecord | ArmSeaRecord | CperRecord;
  notes: TextNote[];
}

/** Reads the members of an object one by one, and notes those that are there and not what they should be. */
class Members {
  readonly notes: TextNote[] = [];
  readonly #data: Data;

  readonly #byHand: boolean;

  constructor(data: Data, byHand: boolean) {
    this.#data = data;
    this.#byHand = byHand;
  }

  /** A register. All are printed with 16 digits: one of fewer lost some, and would be another value. */
  u64(name: string): bigint | undefined {
    const text = this.#data[name];
    if (text === undefined) return undefined;
    if (!this.#byHand && typeof text === 'string' && /^0x[0-9a-f]{1,15}$/i.test(text)) {
      const message = `${name} has fewer than 16 digits`;
      this.notes.push({ code: 'E_TEXT_TRUNCATED', message });
      return undefined;
    }
    // As a number of JSON it has been rounded.
    return typeof text === 'string' ? this.#known(name, parseU64(text)) : this.#known(name, undefined);
  }

  small(name: string): number | undefined {
    const value = this.#data[name];
    if (value === undefined) return undefined;
    const fits = typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 0xffff_ffff;
    return this.#known(name, fits ? value : undefined);
  }

  /** One of some values. */
  one<T>(name: string, choices: readonly T[]): T | undefined {
    const value = this.#data[name];
    return value === undefined
      ? undefined
      : this.#known(
          name,
          choices.find(c => c === value),
        );
  }

  #known<T>(name: string, value: T | undefined): T | undefined {
    if (value === undefined) {
      this.notes.push({ code: 'E_TEXT_VALUE', message: `${name} cannot be read` });
    }
    return value;
  }
}

function mca(data: Data, byHand: boolean): FromJson {
  const members = new Members(data, byHand);
  const { notes } = members;
  const status = members.u64('status');
  const bank = data['bank'] === undefined ? 0 : members.small('bank');
  if (status === undefined || bank === undefined) return { notes };
  const record: X86McaRecord = { kind: 'x86-mca', bank, status };
  const vendor = members.one('vendor', ['intel', 'amd'] as const);
  if (vendor !== undefined) record.vendor = vendor;
  const within = members.one('within', ['report', 'previous-boot', 'start'] as const);
  if (within !== undefined) record.within = within;
  const reported = members.one('reported', ['fatal'] as const);
  if (reported !== undefined) record.reported = reported;
  for (const name of ['cpu', 'socket'] as const) {
    const value = members.small(name);
    if (value !== undefined) record[name] = value;
  }
  for (const name of MCA_WIDE) {
    const value = members.u64(name);
    if (value !== undefined) record[name] = value;
  }
  const words = saidOf(data['said'], byHand, notes);
  if (words !== undefined) record.said = words;
  return { record, notes };
}

/** What stood beside the registers. */
function saidOf(data: unknown, byHand: boolean, notes: TextNote[]): McaSaid | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const members = new Members(data as Data, byHand);
  const said: McaSaid = {};
  for (const name of MCA_SAID) {
    const value = members.small(name);
    if (value !== undefined) said[name] = value;
  }
  notes.push(...members.notes);
  return said;
}

function arm(data: Data, byHand: boolean): FromJson {
  const members = new Members(data, byHand);
  const { notes } = members;
  const esr = members.u64('esr');
  if (esr === undefined) return { notes };
  const record: ArmSeaRecord = { kind: 'arm-sea', esr };
  const el = members.one('el', [1, 2, 3] as const);
  if (el !== undefined) record.el = el;
  const ras = members.one('ras', [true, false]);
  if (ras !== undefined) record.ras = ras;
  const cpu = members.small('cpu');
  if (cpu !== undefined) record.cpu = cpu;
  for (const name of ARM_WIDE) {
    const value = members.u64(name);
    if (value !== undefined) record[name] = value;
  }
  return { record, notes };
}

/** What the text of a log said, which the bytes have no place for. */
function besidesBytes(record: CperRecord, given: CperRecord): CperRecord {
  if (given.previousBoot === true) record.previousBoot = true;
  record.sections.forEach(({ body }, i) => {
    const from = given.sections[i]?.body;
    if (body.kind !== 'memory' || from?.kind !== 'memory') return;
    const { dimmLocation } = from;
    if (typeof dimmLocation === 'string') body.dimmLocation = dimmLocation.slice(0, MAX_LOCATION);
  });
  return record;
}

const MAX_FIELDS = 32;
const MAX_FIELD_TEXT = 4096;

/**
 * The event that decode wrote as a record (`{"kind":"event","name":…,"fields":{…}}`); undefined when it is none. Numbers of
 * 64 bits are written as text of 16 digits, and no other text of the catalogue looks so.
 */
export function eventOfJson(data: Data): Pick<ForeignEventItem, 'name' | 'fields'> | undefined {
  const { name, fields } = data;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,63}$/.test(name)) return undefined;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return undefined;
  const out: [string, FieldValue][] = [];
  for (const [key, value] of Object.entries(fields).slice(0, MAX_FIELDS)) {
    if (typeof value === 'number' || typeof value === 'boolean') out.push([key, value]);
    else if (typeof value === 'string') {
      const wide = /^0x[0-9a-f]{16}$/.test(value) ? parseU64(value) : undefined;
      out.push([key, wide ?? value.slice(0, MAX_FIELD_TEXT)]);
    }
  }
  return { name, fields: Object.fromEntries(out) };
}

/**
 * The record that a JSON object stands for, with a note for each member that is lost. Never throws.
 * @param byHand whoever wrote it may leave out leading zeros
 */
export function recordOfJson(data: Data, byHand = false): FromJson {
  if (data['kind'] === 'x86-mca') return mca(data, byHand);
  if (data['kind'] === 'arm-sea') return arm(data, byHand);
  // The objects of others have a kind too.
  if (data['kind'] !== 'cper') return { notes: [] };
  try {
    // By way of its bytes: only what can be one, with nothing else in it.
    const given = cperFromJson(data);
    const record = decodeCper(encodeCper(given)).value.records[0]?.record;
    if (record !== undefined) return { record: besidesBytes(record, given), notes: [] };
    return { notes: [{ code: 'E_TEXT_VALUE', message: 'a firmware record in JSON is none' }] };
  } catch (error) {
    const why = error instanceof CperError ? error.message : 'one of its members is of another type';
    return { notes: [{ code: 'E_TEXT_VALUE', message: `a firmware record in JSON is none: ${why}` }] };
  }
}
