/** @module The codes of all findings, of machine checks, of aborts and of firmware records. */
import { ARM_LINT_CODES } from '../arm/lint-codes.ts';
import { CPER_LINT_CODES } from '../cper/lint-codes.ts';
import { LINT_CODES } from '../mca/lint-codes.ts';
import type { FindingCode } from '../registers/finding.ts';

const TABLES: readonly Readonly<Record<string, FindingCode>>[] = [LINT_CODES, ARM_LINT_CODES, CPER_LINT_CODES];

/**
 * What the code of a finding stands for; undefined for other text.
 * @example findingCode('L_MCA_EMPTY')?.title // 'the bank is empty'
 */
export function findingCode(code: string): FindingCode | undefined {
  const table = TABLES.find(one => Object.hasOwn(one, code));
  return table?.[code];
}
