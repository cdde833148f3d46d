/** @module What happened in the words of whoever knows best: the extended code of the unit, else the error code. */
import { isLegacyAmd } from './amd-legacy.ts';
import { MCI_STATUS_AMD_LEGACY } from './amd-registers.ts';
import { classify } from './classify.ts';
import { codeVendorOf, componentOf, isFirmwareBank } from './component.ts';
import { cpuOf } from './cpu.ts';
import { isDowngradedScrub } from './downgraded.ts';
import { decodeMcacod, errorCodeOf } from './mcacod.ts';
import type { McaDeciding } from './deciding.ts';
import { MCI_STATUS_AMD } from './registers.ts';
import { bankId } from './smca-banks.ts';

interface ErrorWords {
  /** The unit, when it is known apart from the error code. */
  unit?: string;
  /** What happened there, as a noun phrase; undefined when the record has no error code. */
  what?: string;
  /** The extended error code (AMD), where the unit that numbers it is known. */
  extended?: number;
  /** Whether the words are those of the extended code. */
  byUnit: boolean;
}

const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, '0')}`;

function amdWords(record: McaDeciding): ErrorWords {
  const code = decodeMcacod(errorCodeOf(record.status), codeVendorOf(record));
  const what: { what?: string } = code.class === 'no-error' ? {} : { what: code.text };
  if (isFirmwareBank(record.bank)) return { ...what, byUnit: false };
  const { area, name, detail, basis } = componentOf(record);
  if (bankId(record) !== undefined && area !== 'unknown') {
    const extended = Number(MCI_STATUS_AMD.read(record.status).XEC);
    return { unit: name, what: detail ?? `extended code ${hex(extended, 2)}`, extended, byUnit: true };
  }
  if (area === 'unknown') {
    // The code of any unit of scalable MCA; that of its memory controllers, say, is no cache's.
    return what.what === undefined
      ? { byUnit: false }
      : { what: what.what.replace('cache error', 'memory hierarchy error'), byUnit: false };
  }
  if (basis === 'error code') return { ...what, byUnit: false };
  if (detail === undefined) return { unit: name, ...what, byUnit: false };
  const cpu = cpuOf(record);
  const layout = cpu !== undefined && isLegacyAmd(cpu) ? MCI_STATUS_AMD_LEGACY : MCI_STATUS_AMD;
  return { unit: name, what: detail, extended: Number(layout.read(record.status).XEC), byUnit: true };
}

/** What a record with VAL says happened; nothing is said of an empty bank. */
export function wordsOf(record: McaDeciding): ErrorWords {
  if (classify(record) === 'invalid') return { byUnit: false };
  if (record.vendor === 'amd') return amdWords(record);
  if (isDowngradedScrub(record)) return { what: 'an uncorrected patrol scrub error', byUnit: false };
  const code = decodeMcacod(errorCodeOf(record.status), codeVendorOf(record));
  return code.class === 'no-error' ? { byUnit: false } : { what: code.text, byUnit: false };
}

/** `unit: what` for a line of its own; undefined when neither says what happened. */
export function textOf(record: McaDeciding): string | undefined {
  const { unit, what } = wordsOf(record);
  if (what === undefined) return undefined;
  return unit === undefined ? what : `${unit}: ${what}`;
}
