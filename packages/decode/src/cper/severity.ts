/** @module Severity numbers. Sources: ACPI 6.5 tables 18.11 and 18.12; UEFI 2.10 N.2.1. */
import { CperError, wordOf } from './error.ts';
import type { CperSeverity } from './record.ts';

/** Severity by number, the same in blocks, data entries, records and section descriptors. */
export const CPER_SEVERITIES: readonly CperSeverity[] = ['recoverable', 'fatal', 'corrected', 'none'];

/** The members for a severity number. */
export function severityOf(n: number): { severity: CperSeverity; severityNumber?: number } {
  const severity = CPER_SEVERITIES[n];
  return severity === undefined ? { severity: 'none', severityNumber: n } : { severity };
}

/** The number of a severity; `severityNumber` counts while the name is `none`. */
export function severityNumber(severity: CperSeverity, raw?: number): number {
  if (raw !== undefined && severity === 'none') return raw;
  const n = CPER_SEVERITIES.indexOf(severity);
  if (n < 0) {
    throw new CperError('E_CPER_RANGE', `no severity ${wordOf(severity)}`, {
      hint: `Severities are ${CPER_SEVERITIES.join(', ')}.`,
    });
  }
  return n;
}

/** From the mildest up; so Linux numbers them too (GHES_SEV_… of ghes.h, whose panic is fatal). */
export const CPER_BY_RANK: readonly CperSeverity[] = ['none', 'corrected', 'recoverable', 'fatal'];

/** How bad: 0 none, 1 corrected, 2 recoverable, 3 fatal. */
export function severityRank(severity: CperSeverity): number {
  return CPER_BY_RANK.indexOf(severity);
}
