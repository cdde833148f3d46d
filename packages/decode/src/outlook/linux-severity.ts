/** @module The grade of a record on Linux x86, whichever vendor. */
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import { amdSeverity } from './severity-amd.ts';
import { intelSeverity } from './severity-intel.ts';
import type { Severity } from './severity.ts';

/** Grades `record`; `exception` false for a polled bank. */
export function linuxSeverity(record: McaCase, facts: Facts, exception: boolean): Severity {
  return facts.vendor() === 'amd' ? amdSeverity(record, facts, exception) : intelSeverity(record, facts, exception);
}
