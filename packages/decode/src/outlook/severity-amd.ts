/**
 * @module How Linux grades a machine check on AMD and Hygon. Source: Linux arch/x86/kernel/cpu/mce/severity.c; the
 * bits are those of APM vol. 2, Machine-Check Status Registers, the features those of CPUID Fn8000_0007_EBX.
 */
import { MCI_STATUS_AMD } from '../mca/registers.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import { overflowGivenBy } from './linux-quirks.ts';
import { decide, defineRules } from './rule.ts';
import type { Decision } from './rule.ts';
import { cpuContext } from './severity.ts';
import type { Grade, Severity } from './severity.ts';
import { versionSince } from './version.ts';

const SOURCE = 'Linux arch/x86/kernel/cpu/mce/severity.c, AMD rules';

export const AMD_SEVERITY_RULES = defineRules('linux.amd', `${SOURCE} (5.19 and later)`, {
  pcc: ['With PCC nothing of the interrupted context can be trusted.', 'observed'],
  deferred: ['A deferred error was not consumed: it is no reason to stop anything.', 'observed'],
  corrected: ['What is not uncorrected stays for the poll.'],
  overflowed: [
    'An uncorrected error overwrote another, and the CPU cannot recover from that (overflow_recov).',
    'observed',
  ],
  'no-succor': ['An uncorrected error on a CPU that cannot contain it (no SUCCOR) is fatal.', 'observed'],
  'in-kernel': ['An uncorrected error that the kernel consumed is fatal.', 'observed'],
  'action-required': ['A contained uncorrected error concerns only the process that consumed it.', 'observed'],
});

/** Rules of kernels before 5.19. */
export const AMD_OLD_SEVERITY_RULES = defineRules('linux.amd-old', `${SOURCE} (before 5.19)`, {
  pcc: ['With PCC nothing of the interrupted context can be trusted.'],
  'in-kernel': ['Any uncorrected error while the kernel runs is fatal.'],
  'smca-no-succor': ['On a scalable MCA CPU an uncorrected error without SUCCOR is fatal.'],
  'action-required': ['With overflow recovery the process that consumed the error is ended.'],
  overflowed: ['Without overflow recovery an overwritten error is fatal.'],
  uncorrected: ['Any other uncorrected error is logged and nothing else is done.'],
});

interface Question {
  status: ReturnType<typeof MCI_STATUS_AMD.decode>;
  facts: Facts;
  exception: boolean;
}

type Row = Decision<Question, { grade: Grade; message: string }>;

const inKernel = (q: Question): boolean => cpuContext(q.facts, q.exception) === 'kernel';

const recoversOverflow = (facts: Facts): boolean => overflowGivenBy(facts) !== undefined || facts.get('overflowRecov');

const R = AMD_SEVERITY_RULES;
const ROWS: readonly Row[] = [
  { rule: R.pcc, when: q => q.status.PCC, gives: { grade: 'PANIC', message: 'Processor Context Corrupt' } },
  { rule: R.deferred, when: q => q.status.DEFERRED, gives: { grade: 'DEFERRED', message: 'Deferred error' } },
  { rule: R.corrected, when: q => !q.status.UC, gives: { grade: 'KEEP', message: 'Corrected error' } },
  {
    rule: R.overflowed,
    when: q => q.status.OVER && !recoversOverflow(q.facts),
    gives: { grade: 'PANIC', message: 'Overflowed uncorrected error without MCA Overflow Recovery' },
  },
  {
    rule: R['no-succor'],
    when: q => !q.facts.get('succor'),
    gives: { grade: 'PANIC', message: 'Uncorrected error without MCA Recovery' },
  },
  {
    rule: R['in-kernel'],
    when: inKernel,
    gives: { grade: 'PANIC', message: 'Uncorrected unrecoverable error in kernel context' },
  },
  { rule: R['action-required'], when: () => true, gives: { grade: 'AR', message: 'Action required' } },
];

const O = AMD_OLD_SEVERITY_RULES;
/** For what is uncorrected or has PCC. */
const OLD_ROWS: readonly Row[] = [
  { rule: O.pcc, when: q => q.status.PCC, gives: { grade: 'PANIC', message: '' } },
  { rule: O['in-kernel'], when: q => q.status.UC && inKernel(q), gives: { grade: 'PANIC', message: '' } },
  {
    rule: O['smca-no-succor'],
    when: q => q.status.UC && recoversOverflow(q.facts) && q.facts.get('smca') && !q.facts.get('succor'),
    gives: { grade: 'PANIC', message: '' },
  },
  {
    rule: O['action-required'],
    when: q => q.status.UC && recoversOverflow(q.facts),
    gives: { grade: 'AR', message: '' },
  },
  { rule: O.overflowed, when: q => q.status.UC && q.status.OVER, gives: { grade: 'PANIC', message: '' } },
  { rule: O.uncorrected, when: () => true, gives: { grade: 'UC', message: '' } },
];

/** Grades `record` as Linux does. */
export function amdSeverity(record: McaCase, facts: Facts, exception: boolean): Severity {
  const question = { status: MCI_STATUS_AMD.read(record.status), facts, exception };
  // What is neither uncorrected nor fatal is graded the same way by every kernel.
  const plain = !question.status.UC && !question.status.PCC;
  const rows = plain || versionSince(facts.get('version'), '5.19') ? ROWS : OLD_ROWS;
  const row = decide(rows, question) ?? (rows.at(-1) as Row);
  return { ...row.gives, rule: row.rule };
}
