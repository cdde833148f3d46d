/** @module What each kind of raw record says of itself, by one interface: for a page, a table, a strip of bits. */
import { describeArm } from '../arm/describe.ts';
import { explainArm } from '../arm/explain.ts';
import { lintArm } from '../arm/lint.ts';
import { nextStepArm } from '../arm/next-step.ts';
import { explainCper } from '../cper/explain.ts';
import { lintCper } from '../cper/lint.ts';
import { nextStepCper } from '../cper/next-step.ts';
import { describeCper } from '../cper/registers.ts';
import { describeRecord, explain, lint as lintMca, nextStep } from '../mca/of-record.ts';
import type { Finding } from '../registers/finding.ts';
import type { RecordRules, RegisterView } from '../registers/view.ts';
import type { RawRecord } from './record.ts';

type Kind = Exclude<RawRecord['kind'], 'event'>;

/** By kind of record. A kind is one line here. */
export const RECORD_RULES: { readonly [K in Kind]: RecordRules<Extract<RawRecord, { kind: K }>> } = {
  'x86-mca': { describe: describeRecord, lint: record => lintMca(record), explain, nextStep },
  'arm-sea': { describe: describeArm, lint: lintArm, explain: explainArm, nextStep: nextStepArm },
  cper: {
    describe: describeCper,
    lint: lintCper,
    explain: record => explainCper(record),
    nextStep: record => nextStepCper(record),
  },
};

/** The rules of a record's kind; an event is nothing but its name and fields. */
function rulesOf(raw: RawRecord): RecordRules<RawRecord> | undefined {
  return raw.kind === 'event' ? undefined : (RECORD_RULES[raw.kind] as RecordRules<RawRecord>);
}

/**
 * The registers and bit fields of a record of any kind, with all their fields: for tables, and for {@link stripOf}. None
 * of an event.
 *
 * @returns in the order a person reads them; `member` is the path in the record, `source` the manual and section
 * @example
 * const [status] = describe({ kind: 'x86-mca', vendor: 'intel', bank: 1, status: 0xbd80000000100134n });
 * status.rows.find(row => row.name === 'UC').meaning // 'uncorrected'
 * const [esr] = describe({ kind: 'arm-sea', esr: 0x92000010n });
 * esr.rows.find(row => row.name === 'IL').meaning // '32-bit instruction, or a class without one'
 */
export function describe(raw: RawRecord): RegisterView[] {
  return rulesOf(raw)?.describe(raw) ?? [];
}

/**
 * What is wrong or remarkable about a record of any kind: whether it can be real. Empty for one that hardware or firmware
 * may well have written, and for an event.
 *
 * @returns errors first; each with a stable code, and the members and bits that it speaks of
 * @example
 * lint({ kind: 'x86-mca', vendor: 'intel', bank: 1, status: 0x9e00000000000134n })[0].code // 'L_MCA_PCC_WITHOUT_UC'
 * lint({ kind: 'arm-sea', esr: 0x92000410n, far: 0x1000n })[0].code // 'L_ARM_FNV_WITH_FAR'
 * const section = { type: 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1', severity: 'fatal', revision: 0x300, flags: 0, body: { kind: 'memory' } };
 * lint({ kind: 'cper', severity: 'fatal', sections: [section] })[0].code // 'L_CPER_NO_ADDRESS'
 */
export function lint(raw: RawRecord): Finding[] {
  return rulesOf(raw)?.lint(raw) ?? [];
}
