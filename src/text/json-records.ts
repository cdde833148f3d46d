/** @module Error records as this project writes them to JSON: in a trace (`record`), in what decode prints (`raw`). */
import type { ArmSeaRecord } from '../arm/record.ts';
import { parseU64 } from '../common/hex.ts';
import { cperFromJson } from '../cper/json.ts';
import { decodeCper, encodeCper } from '../cper/region.ts';
import type { CperRecord } from '../cper/record.ts';
import { MCA_REGISTERS } from '../mca/record.ts';
import type { X86McaRecord } from '../mca/record.ts';

type Data = Readonly<Record<string, unknown>>;

const MCA_WIDE = [...MCA_REGISTERS, 'time'] as const;
const MAX_LOCATION = 128;
const ARM_WIDE = ['far', 'hpfar', 'pfar', 'flags', 'gva', 'gpa', 'walkedGpa', 'elr'] as const;

function u64(value: unknown): bigint | undefined {
  return typeof value === 'string' ? parseU64(value) : undefined;
}

function small(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 0xffff_ffff ? value : undefined;
}

function mca(data: Data): X86McaRecord | undefined {
  const status = u64(data['status']);
  const bank = data['bank'] === undefined ? 0 : small(data['bank']);
  if (status === undefined || bank === undefined) return undefined;
  const record: X86McaRecord = { kind: 'x86-mca', bank, status };
  if (data['vendor'] === 'intel' || data['vendor'] === 'amd') record.vendor = data['vendor'];
  if (data['within'] === 'report' || data['within'] === 'previous-boot') record.within = data['within'];
  for (const name of ['cpu', 'socket'] as const) {
    const value = small(data[name]);
    if (value !== undefined) record[name] = value;
  }
  for (const name of MCA_WIDE) {
    const value = u64(data[name]);
    if (value !== undefined) record[name] = value;
  }
  return record;
}

function arm(data: Data): ArmSeaRecord | undefined {
  const esr = u64(data['esr']);
  if (esr === undefined) return undefined;
  const record: ArmSeaRecord = { kind: 'arm-sea', esr };
  const { el, ras } = data;
  if (el === 1 || el === 2 || el === 3) record.el = el;
  if (typeof ras === 'boolean') record.ras = ras;
  const cpu = small(data['cpu']);
  if (cpu !== undefined) record.cpu = cpu;
  for (const name of ARM_WIDE) {
    const value = u64(data[name]);
    if (value !== undefined) record[name] = value;
  }
  return record;
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

/** The record that a JSON object stands for; undefined when it is none, or one that cannot be. Never throws. */
export function recordOfJson(data: Data): X86McaRecord | ArmSeaRecord | CperRecord | undefined {
  if (data['kind'] === 'x86-mca') return mca(data);
  if (data['kind'] === 'arm-sea') return arm(data);
  if (data['kind'] !== 'cper') return undefined;
  try {
    // By way of its bytes: only what can be one, with nothing else in it.
    const given = cperFromJson(data);
    const record = decodeCper(encodeCper(given)).value.records[0]?.record;
    return record === undefined ? undefined : besidesBytes(record, given);
  } catch {
    return undefined;
  }
}
