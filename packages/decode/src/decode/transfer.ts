/** @module A decoded record as data that a worker, a file or a database hands on, and back. */
import { ArmDecoded } from './arm-record.ts';
import { CperDecoded } from './cper-record.ts';
import { EventDecoded } from './event-record.ts';
import { LazyRecord } from './lazy.ts';
import { McaDecoded } from './mca-record.ts';
import type { DimmFacts } from './place.ts';
import type { DecodedRecord, DecodedSource, Diagnostic, RawRecord } from './record.ts';

/** All that a decoded record is made of; `structuredClone` and `postMessage` take it. */
export interface RecordData {
  /** Register values and bytes as they were read. */
  raw: RawRecord;
  /** Where it was found; without it, values that were typed. */
  source?: DecodedSource;
  diagnostics?: readonly Diagnostic[];
  /** The input names no bank; that of `raw` is there only because it needs one. */
  bankUnknown?: boolean;
  /** Linux's extended log gave it. */
  extlog?: boolean;
  /** What SMBIOS says of the DIMM that it names. */
  dimm?: DimmFacts | undefined;
  /** What its first line begins with: the time of it, as far as one is there. */
  stamp?: string | number;
}

/**
 * What a record is made of.
 *
 * @example
 * const [record] = decode('0xbd80000000100134', { vendor: 'intel' }).records;
 * recordOf(structuredClone(dataOf(record))).headline === record.headline // true
 */
export function dataOf(record: DecodedRecord): RecordData {
  const { raw, source, diagnostics } = record;
  const bankUnknown = raw.kind === 'x86-mca' && record.bank === undefined;
  const extlog = record instanceof CperDecoded && record.extlog;
  const stamp = record instanceof LazyRecord ? record.stamp : undefined;
  const dimm = record instanceof LazyRecord ? record.dimm : undefined;
  const begins = stamp === undefined ? {} : { stamp };
  return {
    raw,
    source,
    diagnostics,
    ...begins,
    ...(dimm === undefined ? {} : { dimm }),
    ...(bankUnknown ? { bankUnknown } : {}),
    ...(extlog ? { extlog } : {}),
  };
}

/**
 * The record of its data: what {@link dataOf} gave, or a raw record of your own. Everything that is derived
 * (class, severity, fields, lint, explanation, outlook) is computed anew when it is asked for.
 *
 * @example
 * const record = recordOf({ raw: { kind: 'x86-mca', vendor: 'intel', bank: 1, status: 0xbd80000000100134n } });
 * record.class // 'SRAR'
 * record.lint.map(finding => finding.code) // ['L_MCA_REGISTER_MISSING']
 */
export function recordOf(data: RecordData): DecodedRecord {
  const record = unstamped(data);
  record.stamp = data.stamp;
  record.dimm = data.dimm;
  return record;
}

function unstamped(data: RecordData): LazyRecord {
  const { raw, source = { input: '-', from: 'value' }, diagnostics = [] } = data;
  switch (raw.kind) {
    case 'x86-mca':
      return new McaDecoded(raw, source, diagnostics, undefined, data.bankUnknown !== true);
    case 'cper':
      return new CperDecoded(raw, source, diagnostics, data.extlog === true);
    case 'event':
      return new EventDecoded(raw.name, raw.fields, source, diagnostics);
    default:
      return new ArmDecoded(raw, source, diagnostics);
  }
}
