/** @module A register of a record as it is shown: for tables and strips of bits. */
import type { Finding } from './finding.ts';
import type { FieldRow } from './register.ts';

export interface RegisterView<Member extends string = string> {
  /** Member of the raw record that the value is from. */
  member: Member;
  /** Name in the manuals. */
  name: string;
  value: bigint;
  /** Bits of the register, 32 or 64. */
  width: number;
  /** Manual and section of the layout; missing where none is known, and the value stands alone. */
  source?: string;
  /** All fields, highest bit first; empty without a layout. */
  rows: FieldRow[];
}

/** What each kind of record says of itself, whatever it was read from. */
export interface RecordRules<Record> {
  /** Its registers, in the order a person reads them. */
  describe(record: Record): RegisterView[];
  /** What is wrong or remarkable, errors first. */
  lint(record: Record): Finding[];
  /** A few plain sentences, without line breaks. */
  explain(record: Record): string;
  /** What to do, the most useful first: one sentence, or a few that belong together, each. */
  nextStep(record: Record): string[];
}
