/** @module What the front door gives for every form of input: one shape, derived from the raw record inside it. */
import type { ArmSeaRecord } from '../arm/record.ts';
import { cperToJson } from '../cper/json.ts';
import type { CperRecord } from '../cper/record.ts';
import type { ComponentArea } from '../mca/component.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { McaSeverity } from '../mca/severity.ts';
import type { Finding } from '../registers/finding.ts';
import { RECORD_VERSION, type TextForm } from '../text/item.ts';
import type { FieldValue } from '../events/row.ts';
import type { DecodedPlace } from './place.ts';
import type { DecodedTime } from './time.ts';

export type { Finding };

/** Version of the record as it is written to JSON. */
export const DECODED_SCHEMA_VERSION = RECORD_VERSION;

export type DecodedKind = 'x86-mca' | 'arm-sea' | 'arm-serror' | 'cper' | 'memory-failure' | 'event';

/** How the input was read. */
export type InputForm = TextForm | 'cper' | 'ghes' | 'cper-section' | 'mce-erst' | 'xen-mcelog' | 'ipmi-sel';

/** Where the same lines stand again. */
export interface CopyPlace {
  input: string;
  firstLine?: number;
  lastLine?: number;
}

/** Where a record was found: lines of a text and the bytes of these lines, or bytes of a binary input. */
export interface DecodedSource {
  /** Name of the input: a file name, `-`, `argument`. */
  input: string;
  from: InputForm;
  /** Counted from 1; missing for binary input. */
  firstLine?: number;
  lastLine?: number;
  /**
   * Byte range [firstByte, endByte) of the input as it was given, a string as UTF-8. Of text it holds the lines firstLine to
   * lastLine whole, with whatever stands between those of the record, and without the line feed of the last. Missing where
   * it is not known: of a record whose lines stand far apart.
   */
  firstByte?: number;
  endByte?: number;
  /** Of a database: the table, and the number (`id`) of the row in it. */
  table?: string;
  row?: number;
  /** Further places with the same lines, of an input that holds several logs of one machine. */
  copies?: readonly CopyPlace[];
  /** The range counts the bytes that the text of the input stands for (hex, base64, a dump), not those of the text. */
  bytesOf?: 'decoded';
}

/** `mc_event 17`: table and row of a record out of a database; undefined for others. */
export function rowOfSource({ table, row }: DecodedSource): string | undefined {
  return table === undefined ? undefined : row === undefined ? table : `${table} ${row}`;
}

/** One vocabulary for all architectures: that of machine checks, and `info` for what is no error. */
export type DecodedSeverity = McaSeverity | 'info';

/** What reported an error, as far as the data say. */
export interface DecodedComponent {
  area: ComponentArea;
  name: string;
  /** What the extended or model-specific code adds. */
  detail?: string;
  /** Which data said so. */
  basis?: string;
}

/** Something about the input: what was lost, cut, or could not be attributed. */
export interface Diagnostic {
  /** Stable: `E_…` something was lost, `W_…` it was read all the same. */
  code: string;
  message: string;
  /**
   * Byte offset into the input; of what text stands for (hex, base64, a dump), into those bytes, unless the text itself is
   * meant, which has lines.
   */
  offset?: number;
}

export interface DecodedAddress {
  value: bigint;
  /** `physical`: of the system that reports; `guest-physical`: of a guest of it; `unknown`: the record does not say. */
  space: 'physical' | 'guest-physical' | 'virtual' | 'unknown';
  /** First 4 KiB page frame; only for physical addresses. */
  pfn?: bigint;
  /** log2 of the granularity in bytes. */
  lsb?: number;
  /** Number of 4 KiB pages touched. */
  pages?: bigint;
}

/** The error code of an x86 machine check. */
export interface DecodedCode {
  value: number;
  class: string;
  mnemonic: string;
  text: string;
  /** Bit 12 of an Intel code: reports of corrections are filtered. */
  filtered?: boolean;
  /** The extended code that the reporting unit numbers (AMD), in its words; it says more than `text`. */
  extended?: { value: number; text: string };
}

/** One row of the field table. */
export interface DecodedField {
  register: string;
  name: string;
  /** Bit range; missing for members that are no register field. */
  hi?: number;
  lo?: number;
  value: bigint | number | string;
  meaning?: string;
}

/** What some consumer will do with the record. */
export interface DecodedOutlook {
  consumer: string;
  /** How the record arrives and what the CPU was doing, as assumed for this answer. */
  context: Readonly<Record<string, string>>;
  /** One of OUTLOOK_OUTCOMES of the outlook room. */
  outcome: string;
  certainty: string;
  /** Id and sentence of the rule that decided. */
  rule: { id: string; text: string };
  dependsOn: readonly string[];
  messages: readonly string[];
}

/** The raw record behind a decoded one. */
export type RawRecord =
  | X86McaRecord
  | ArmSeaRecord
  | CperRecord
  | { kind: 'event'; name: string; fields: Readonly<Record<string, FieldValue>> };

/**
 * A decoded record. Everything but `source`, `kind`, `raw` and `diagnostics` is computed when it is first asked for,
 * so that a reader who wants one member of a million records does not pay for the others.
 */
export interface DecodedRecord {
  readonly source: DecodedSource;
  readonly kind: DecodedKind;
  readonly raw: RawRecord;
  /** Remarks about the input. */
  readonly diagnostics: readonly Diagnostic[];
  readonly cpu: number | undefined;
  readonly bank: number | undefined;
  /** Raw register values by name. */
  readonly registers: Readonly<Record<string, bigint>>;
  /** Names of the flags that are set. */
  readonly flags: readonly string[];
  /** The architecture's own class: `SRAO`, `Deferred`, `sea`, `recoverable`, …; for events their name. */
  readonly class: string;
  readonly severity: DecodedSeverity;
  readonly mcacod: DecodedCode | undefined;
  readonly address: DecodedAddress | undefined;
  /** What reported the error, as far as the data say. */
  readonly component: DecodedComponent | undefined;
  /** The part and the cell that the record names: DIMM label, channel, chip select, row, … */
  readonly place: DecodedPlace | undefined;
  /**
   * Errors that the record stands for, where it says so: `128 CE` of a memory controller driver, the corrected error count of
   * an Intel bank. Without it a record is one error.
   */
  readonly count: number | undefined;
  /** Threshold-based status of an Intel bank: `yellow` has corrected more than its vendor allows (SDM vol. 3B). */
  readonly threshold: 'green' | 'yellow' | undefined;
  /** When, by the record itself or by its first line. */
  readonly time: DecodedTime | undefined;
  /** When by its first line alone, where that begins with a time: all records of a log have it on one clock. */
  readonly lineTime: DecodedTime | undefined;
  readonly lint: readonly Finding[];
  readonly fields: readonly DecodedField[];
  /** The rows of one register. A frozen array comes again for the same value: what was made of it can be kept. */
  fieldsOf(register: string): readonly DecodedField[];
  /** A few plain words. */
  readonly headline: string;
  /** The headline without CPU and bank, for where these stand apart. */
  readonly title: string;
  /** One to three sentences. */
  readonly explanation: string;
  /** What to look at, what would settle an ambiguity. */
  readonly nextStep: string;
  /** What the consumers that can get this record do with it, in a context taken from the record. */
  readonly outlook: readonly DecodedOutlook[];
  /**
   * The same object for records of the same readers that say the same but for `source`, `diagnostics`, `cpu`, `bank`, the values and fields of
   * their registers, `address`, `place`, `count`, `time`, `headline`, `explanation` and the messages of the outlook: what was made of the rest can
   * be kept. It has no meaning of its own; undefined where nothing is shared.
   */
  readonly pattern: object | undefined;
  /**
   * The same object for records whose outlook says the same but for the values in its messages; more of them share it than
   * {@link pattern}. Undefined where nothing is shared.
   */
  readonly outlookPattern: object | undefined;
}

/**
 * The whole record as plain data, with `schemaVersion`, for {@link stringify}. Missing members are left out; the outlook,
 * which costs more than all others together, is there only when asked for.
 *
 * @example
 * const [record] = decode('0xbd80000000100134', { vendor: 'intel' }).records;
 * toData(record).schemaVersion // 1
 * toData(record).class // 'SRAR'
 */
export function toData(record: DecodedRecord, options: { outlook?: boolean } = {}): Record<string, unknown> {
  const { source, kind, cpu, bank, registers, flags, severity, mcacod, address, component } = record;
  return {
    schemaVersion: DECODED_SCHEMA_VERSION,
    source,
    kind,
    cpu,
    bank,
    registers,
    flags,
    class: record.class,
    severity,
    mcacod,
    address,
    component,
    place: record.place,
    count: record.count,
    threshold: record.threshold,
    time: record.time,
    lint: record.lint,
    diagnostics: record.diagnostics,
    headline: record.headline,
    explanation: record.explanation,
    nextStep: record.nextStep,
    ...(options.outlook === true ? { outlook: record.outlook } : {}),
    raw: rawData(record),
  };
}

/** The raw record as data: firmware records as cperFromJson() reads them, no bank where the input named none. */
export function rawData({ raw, bank }: DecodedRecord): unknown {
  if (raw.kind === 'cper') return cperToJson(raw);
  return raw.kind === 'x86-mca' && bank === undefined ? { ...raw, bank: undefined } : raw;
}
