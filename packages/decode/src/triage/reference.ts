/**
 * @module What a record says about which other record it belongs to, without a page: a line of the kernel about the error that it
 * printed before, a driver's line within the report of a decoder, a bank within a report of the firmware.
 */
import { RECORD_ROWS } from '../events/records.ts';
import type { DecodedRecord } from '../decode/record.ts';
import { cameAsException, fieldsOf, isCorrected } from './witness.ts';
import type { Witness } from './witness.ts';

/** What Linux says of the page while it handles the exception; `Memory error not recovered` comes behind it (kill_me_maybe()). */
const HANDLED: ReadonlySet<string> = new Set(['memory-failure', 'mce-user-error']);
const isRecovered = ({ record }: Witness): boolean =>
  record.class === 'memory-failure' && fieldsOf(record)['result'] === 'Recovered';

/**
 * Whose error a line speaks of that names none itself, as the catalogue says: one of its witnesses, and all of them. Undefined for
 * all that is no such line. Linux prints the banks of a machine check that it cannot survive, the worst last, then why, and panics
 * (mce_panic(), the same file).
 */
export function speaksOf({ record }: Witness): ((of: Witness, all: readonly Witness[]) => boolean) | undefined {
  const reporter = RECORD_ROWS.get(record.class)?.of?.(fieldsOf(record));
  if (reporter === undefined) return undefined;
  const isNotRecovered = record.class === 'mce-not-recovered';
  return (of, all) => {
    // Of a page that was taken away nothing says that it was not.
    if (isNotRecovered && all.some(isRecovered)) return false;
    if (of.reporter === 'kernel') {
      return isNotRecovered ? HANDLED.has(of.record.class) : PANICS.has(record.class) && WHY.has(of.record.class);
    }
    if (isCorrected(of.severity)) return false;
    // Firmware may tell of a PCIe device in place of the port.
    if (reporter === 'device' && of.reporter === 'firmware') return of.place?.label?.startsWith('PCIe ') === true;
    if (of.reporter !== reporter) return false;
    return reporter !== 'machine-check' || isOfPanic(of);
  };
}

/** What Linux prints of why it panics, also where it has no bank to print. */
const WHY: ReadonlySet<string> = new Set(['mce-severity', 'mce-missing-cpus']);

/** Xen prints banks with an uncorrected error only while it panics. */
const isOfPanic = ({ record }: Witness): boolean => record.source.from === 'xen' || cameAsException(record) !== false;

/** Lines behind which a machine does not go on, printed behind all banks of the machine check that it stops for. */
const PANICS: ReadonlySet<string> = new Set(['mce-severity', 'panic', 'xen-fatal-mce', 'xen-panic']);

/**
 * Whether a bank is another record of the machine check that a panic is about: Linux prints every bank with an error that it found in
 * the exception, of all CPUs, and then panics (mce_panic(), arch/x86/kernel/cpu/mce/core.c).
 */
export function isOfSamePanic(bank: Witness, panic: Witness): boolean {
  if (!PANICS.has(panic.record.class) || bank.reporter !== 'machine-check' || isCorrected(bank.severity)) return false;
  if (cameAsException(bank.record) !== true || !lines(bank.record, panic.record)) return false;
  const apart = (panic.record.source.firstLine ?? 0) - (bank.record.source.lastLine ?? 0);
  return apart > 0 && apart <= PANIC_LINES;
}
/** Of a machine of many CPUs, each with a bank, a few lines long. */
const PANIC_LINES = 256;

/** Whether a line says that the report of an error follows, and this is one. */
export function isAnnounced({ reporter, severity }: Witness, { announces }: Witness): boolean {
  return announces === reporter && !isCorrected(severity);
}

/** Whether both stand in one input, on lines that are known. */
function lines(a: DecodedRecord, b: DecodedRecord): boolean {
  return a.source.input === b.source.input && a.source.firstLine !== undefined && b.source.firstLine !== undefined;
}

/**
 * Whether the line of a driver stands within the report that the kernel's decoder for AMD prints of a bank: amd64_edac is asked in
 * the middle of it, by that decoder (drivers/edac/mce_amd.c).
 */
export function isPrintedWithin({ record: inner, reporter }: Witness, { record: outer }: Witness): boolean {
  if (reporter !== 'driver' || outer.raw.kind !== 'x86-mca' || outer.raw.vendor !== 'amd' || !lines(inner, outer)) {
    return false;
  }
  const [first = 0, last = 0] = [outer.source.firstLine, outer.source.lastLine];
  const at = inner.source.firstLine ?? 0;
  return at > first && at < last;
}

/** Whether a bank stands in the report of the firmware that came before it. */
export function isPartOf({ record: bank }: Witness, { record: report, reporter }: Witness): boolean {
  if (bank.raw.kind !== 'x86-mca' || bank.raw.within === undefined || reporter !== 'firmware') return false;
  const { input, firstLine, firstByte } = bank.source;
  const { source } = report;
  return source.input === input && source.firstLine === firstLine && source.firstByte === firstByte;
}
