/** @module What a log line means: events, and the parsers that make them. */
import type { CperRecord } from '../cper/record.ts';
import type { X86McaRecord } from '../mca/record.ts';

export type FieldValue = string | number | boolean | bigint;

/** One thing that happened, named as in the catalog. Addresses, registers and PFNs are bigint; counts are number. */
export interface LogEvent {
  name: string;
  fields: Record<string, FieldValue>;
  /** The error record the event completes. */
  record?: X86McaRecord | CperRecord;
}

/** A stateful parser of one source. It never throws on text and keeps a bounded amount of it. */
export interface LineParser {
  /** Takes one line, with or without its line end; returns the events it completes. */
  push(line: string): LogEvent[];
  /** The source ended: returns what was still open. */
  end(): LogEvent[];
}
