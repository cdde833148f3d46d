/** @module What a code that this program prints means. */
import { ACPI_DIAGNOSTICS } from '../acpi/error.ts';
import { ARM_LINT_CODES } from '../arm/lint-codes.ts';
import { CPER_DIAGNOSTICS } from '../cper/error.ts';
import { CPER_LINT_CODES, sectionsOfLint } from '../cper/lint-codes.ts';
import { LINT_CODES } from '../mca/lint-codes.ts';
import { MCA_NOTES } from '../mca/smca-extra.ts';
import { RULES, ruleById } from '../outlook/catalog.ts';
import { TEXT_NOTES } from '../text/item.ts';
import { ERROR_CODES } from './error-codes.ts';
import { findingCode } from './finding-codes.ts';
import { INPUT_NOTES } from './input-notes.ts';

export interface CodeExplanation {
  code: string;
  /** `lint`, `diagnostic`, `error` that ends a command, `rule` of an outlook; of a term what it is: `class`, `field`, … */
  kind: string;
  title: string;
  text: string;
  /** Manual, program or section. */
  source?: string;
}

const own = <T>(table: Readonly<Record<string, T>>, code: string): T | undefined =>
  Object.hasOwn(table, code) ? table[code] : undefined;

/** The explanation of a lint finding, a diagnostic or an outlook rule; undefined for other text. */
export function explainCode(code: string): CodeExplanation | undefined {
  const lint = findingCode(code);
  if (lint !== undefined) {
    const source = Object.hasOwn(CPER_LINT_CODES, code) ? sectionsOfLint(code) : lint.section;
    return { code, kind: 'lint', title: lint.title, text: lint.explanation, source };
  }
  const cper = own(CPER_DIAGNOSTICS, code);
  if (cper !== undefined) {
    return {
      code,
      kind: 'diagnostic',
      title: 'firmware record',
      text: cper,
      source: 'UEFI 2.10 appendix N; ACPI 6.5 18.3.2',
    };
  }
  const table = own(ACPI_DIAGNOSTICS, code);
  if (table !== undefined)
    return { code, kind: 'diagnostic', title: 'firmware table', text: table, source: 'ACPI 6.5 18' };
  const kept = own<string>(MCA_NOTES, code);
  if (kept !== undefined)
    return { code, kind: 'diagnostic', title: 'deferred error', text: kept, source: 'PPR MCA_DESTAT' };
  const note = own<string>(TEXT_NOTES, code);
  if (note !== undefined) return { code, kind: 'diagnostic', title: 'input text', text: note };
  const input = own<string>(INPUT_NOTES, code);
  if (input !== undefined) return { code, kind: 'diagnostic', title: 'input bytes', text: input };
  const error = own(ERROR_CODES, code);
  if (error !== undefined) return { code, kind: 'error', title: 'a record cannot be made', text: error };
  const rule = ruleById(code);
  if (rule === undefined) return undefined;
  return { code, kind: 'rule', title: `outlook rule (${rule.evidence})`, text: rule.text, source: rule.source };
}

/** Every code there is, in the order of the rooms. */
export function allCodes(): string[] {
  return [
    ...Object.keys(LINT_CODES),
    ...Object.keys(ARM_LINT_CODES),
    ...Object.keys(CPER_LINT_CODES),
    ...Object.keys(CPER_DIAGNOSTICS),
    ...Object.keys(ACPI_DIAGNOSTICS),
    ...Object.keys(MCA_NOTES),
    ...Object.keys(TEXT_NOTES),
    ...Object.keys(INPUT_NOTES),
    ...Object.keys(ERROR_CODES),
    ...RULES.map(r => r.id),
  ];
}
