/**
 * @module A machine check as the rules of this room see it: what decides ({@link McaDeciding}), and the record behind it,
 * sealed. What is sealed can be printed and passed on to the next layer; no rule can look at it, so that records which
 * decide alike have the same outlook but for the values in it.
 */
import { AskedBits } from '../registers/asked.ts';
import { STATUS_READS, decidingOf } from '../mca/deciding.ts';
import type { McaDeciding } from '../mca/deciding.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { ArmSeaRecord } from '../arm/record.ts';
import type { CperRecord } from '../cper/record.ts';
import type { CxlReport, OutlookRecord, SigbusSignal } from './record.ts';

declare const SEAL: unique symbol;

/** A record that only {@link valuesOf} opens. */
interface Sealed {
  readonly [SEAL]: true;
}

export interface McaCase extends McaDeciding<AskedBits> {
  readonly kind: 'x86-mca';
  readonly sealed: Sealed;
}

/** What rules get in the place of an {@link OutlookRecord}. */
export type OutlookCase = McaCase | CperRecord | ArmSeaRecord | SigbusSignal | CxlReport;

/** A machine check, sealed. */
export function mcaCase(record: X86McaRecord): McaCase {
  const deciding = decidingOf(record);
  const status = new AskedBits(deciding.status, STATUS_READS);
  return { ...deciding, status, kind: 'x86-mca', sealed: record as unknown as Sealed };
}

/** What rules get for a record; a case is given back as it is. */
export function caseOf(record: OutlookRecord | OutlookCase): OutlookCase {
  return record.kind !== 'x86-mca' || 'sealed' in record ? record : mcaCase(record);
}

/** The values behind a case: for lines that are printed, and for what the next layer gets. Nothing may be decided by them. */
export function valuesOf({ sealed }: McaCase): X86McaRecord {
  return sealed as unknown as X86McaRecord;
}

/** The record for the next layer, with changes; a member that is changed to undefined goes away. */
export function passOn(
  seen: McaCase,
  changes: { readonly [K in keyof X86McaRecord]?: X86McaRecord[K] | undefined },
): X86McaRecord {
  const values: Readonly<Record<string, unknown>> = { ...valuesOf(seen), ...changes };
  const out: Record<string, unknown> = {};
  for (const member in values) if (values[member] !== undefined) out[member] = values[member];
  return out as unknown as X86McaRecord;
}
