/** @module Words in which Linux and the tools that print its events report errors, and the items that they make. */
import { GUID_NULL } from '../cper/guid.ts';
import { memoryErrorTypeByName } from '../cper/memory.ts';
import type { CperMemoryError, CperRecord, CperSection, CperSeverity } from '../cper/record.ts';
import type { CperItem, Place, TextNote } from './item.ts';

/** Severity of a firmware record as it is printed (cper_severity_strs[] of Linux, its `severity` line of before 3.14, rasdaemon). */
export const PRINTED_SEVERITIES: Readonly<Record<string, CperSeverity>> = Object.assign(
  // The word is the input's: `constructor` is no severity.
  Object.create(null) as Record<string, CperSeverity>,
  {
    recoverable: 'recoverable',
    fatal: 'fatal',
    corrected: 'corrected',
    info: 'none',
    informational: 'none',
  } as const,
);

/** Severity of an mc_event as it is printed (mc_event_error_type() of ras_event.h) → event. */
const MC_EVENTS = {
  Corrected: 'edac-corrected',
  Uncorrected: 'edac-uncorrected',
  Deferred: 'edac-deferred',
  Fatal: 'edac-fatal',
} as const;

/** The event of an mc_event by its severity; undefined for `Info`, and for what is none. */
export function mcEventOf(severity: string): (typeof MC_EVENTS)[keyof typeof MC_EVENTS] | undefined {
  return Object.hasOwn(MC_EVENTS, severity) ? MC_EVENTS[severity as keyof typeof MC_EVENTS] : undefined;
}

/** The event of an AER error by its severity: `Corrected`, `Uncorrected, non-fatal`, `Uncorrected (Fatal)`. */
export function aerEventOf(severity: string): 'pcie-corrected' | 'pcie-uncorrected' | 'pcie-fatal' {
  if (severity.startsWith('C')) return 'pcie-corrected';
  return /non-fat/i.test(severity) ? 'pcie-uncorrected' : 'pcie-fatal';
}

/** Writes the type of a memory error that is printed by its name. */
export function setErrorType(memory: CperMemoryError, name: string): void {
  const type = memoryErrorTypeByName(name);
  if (type !== undefined) memory.errorType = type;
}

/** A firmware record of one section, whose header is not printed. @param fru as printed: an id of zeros and a text of blanks are none */
export function oneSection(
  severity: CperSeverity,
  section: Pick<CperSection, 'type' | 'body'>,
  place: Place,
  notes: TextNote[],
  fru: { id?: string | undefined; text?: string | undefined } = {},
): CperItem {
  const { type, body } = section;
  const whole: CperSection = { type, severity, revision: 0x300, flags: 0, body };
  // UEFI N.2.2: 20 bytes.
  const text = fru.text?.trim().slice(0, 20) ?? '';
  if (text !== '') whole.fruText = text;
  if (fru.id !== undefined && fru.id !== '' && fru.id !== GUID_NULL) whole.fruId = fru.id;
  const record: CperRecord = { kind: 'cper', severity, sections: [whole] };
  return { type: 'cper', ...place, record, notes };
}
