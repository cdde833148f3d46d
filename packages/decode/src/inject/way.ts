/** @module What has to be known of a way to inject. */
import type { Settings } from '../outlook/context.ts';
import type { OutlookRecord } from '../outlook/record.ts';
import type { Injection } from './injection.ts';

/** A field of a trace event. In a trace file a bigint is `0x` and 16 hex digits. */
type Field = string | number | boolean | bigint;
export type Fields = Readonly<Record<string, Field | undefined>>;

/** The fields of the event `lab.injected`. */
export type InjectedFields = {
  kind: string;
  record?: string;
  process?: string;
  page?: string;
  cpu?: number;
  bank?: number;
  status?: bigint;
  mcgStatus?: bigint;
  addr?: bigint;
  misc?: bigint;
  broadcast?: boolean;
  command?: string;
  severity?: string;
  errorType?: number;
  threshold?: boolean;
  section?: string;
  bytes?: number;
  pfn?: bigint;
  dpa?: bigint;
  error?: string;
  path?: string;
};

/** One way to inject; a new one is a file with this, and a line in ways.ts. */
export interface WayOf<I extends Injection> {
  /** As a person would do it: a monitor command, a QMP command, a line of shell. Undefined where no line does it. */
  command: (injection: I) => string | undefined;
  /** What the first layer on the way gets; undefined where the outlook has no such record. */
  record: (injection: I) => OutlookRecord | undefined;
  /** What the injection itself settles of that layer. */
  settles?: (injection: I) => Partial<Settings>;
  /** What is done, in words without a line break. Nothing is said where only the command's author knows. */
  words: (injection: I) => string | undefined;
  /** As the event `lab.injected` carries it. */
  fields: (injection: I) => InjectedFields;
  /** The injection that such fields describe; undefined for those of another way, and for damaged ones. */
  read: (fields: Fields) => I | undefined;
}

/** A u64 of an event, from a run or from a file. */
export function u64Of(value: Field | undefined): bigint | undefined {
  if (typeof value === 'string') return /^0x[0-9a-f]{16}$/.test(value) ? BigInt(value) : undefined;
  return typeof value === 'bigint' && value === BigInt.asUintN(64, value) ? value : undefined;
}

/** A count or an index of an event. */
export function indexOf(value: Field | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A short name: of a process, a page, a record. */
export function nameOf(value: Field | undefined): string | undefined {
  return typeof value === 'string' && /^[A-Za-z][\w-]{0,63}$/.test(value) ? value : undefined;
}
