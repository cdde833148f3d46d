/** @module What each kind of raw record says of itself, by one interface: for a page, a table, a strip of bits. */
import { describeArm } from '../arm/describe.ts';
import { explainArm } from '../arm/explain.ts';
import { lintArm } from '../arm/lint.ts';
import { nextStepArm } from '../arm/next-step.ts';
import { explainCper } from '../cper/explain.ts';
import { lintCper } from '../cper/lint.ts';
import { nextStepCper } from '../cper/next-step.ts';
import { describeCper } from '../cper/registers.ts';
import { describeRecord, explain, lint, nextStep } from '../mca/of-record.ts';
import type { RecordRules, RegisterView } from '../registers/view.ts';
import type { RawRecord } from './record.ts';

type Kind = Exclude<RawRecord['kind'], 'event'>;

/** By kind of record. A kind is one line here. */
export const RECORD_RULES: { readonly [K in Kind]: RecordRules<Extract<RawRecord, { kind: K }>> } = {
  'x86-mca': { describe: describeRecord, lint: record => lint(record), explain, nextStep },
  'arm-sea': { describe: describeArm, lint: lintArm, explain: explainArm, nextStep: nextStepArm },
  cper: {
    describe: describeCper,
    lint: lintCper,
    explain: record => explainCper(record),
    nextStep: record => nextStepCper(record),
  },
};

/**
 * The registers of a raw record with their fields, as {@link stripOf} draws them; none of an event.
 *
 * @example
 * const [esr] = registerViews({ kind: 'arm-sea', esr: 0x92000010n });
 * esr.rows.find(row => row.name === 'IL').meaning // '32-bit instruction, or a class without one'
 */
export function registerViews(raw: RawRecord): RegisterView[] {
  switch (raw.kind) {
    case 'x86-mca':
      return RECORD_RULES['x86-mca'].describe(raw);
    case 'arm-sea':
      return RECORD_RULES['arm-sea'].describe(raw);
    case 'cper':
      return RECORD_RULES.cper.describe(raw);
    case 'event':
      return [];
  }
}
