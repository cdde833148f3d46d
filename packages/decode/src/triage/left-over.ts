/**
 * @module Errors that a machine found when it started, and which are of the boot before: what firmware kept, what stood in a bank, what
 * stands behind the line that says why the processor was reset. And what a log shows of a machine after an error.
 */
import type { DecodedSeverity } from '../decode/record.ts';
import { bootSeconds, cameAsException, fieldsOf, isFirmwareBank, rankOf, secondsApart } from './witness.ts';
import type { Witness } from './witness.ts';

export const isLost = (severity: DecodedSeverity): boolean => rankOf(severity) < rankOf('deferred');

/** Forms in which Linux, or mcelog after it, gives banks. */
const OF_LINUX: ReadonlySet<string> = new Set(['linux', 'mcelog', 'journal-export', 'journal-json']);
/** By then Linux has printed what it found in the banks, also where its decoder is a module. */
const START = 60;
/** Seconds between the line that says why the machine was reset and what it finds; lines, where there is no clock. */
const BEHIND = 120;
const BEHIND_LINES = 1024;

/**
 * Linux logs an uncorrected error without an exception only where it looks into the banks at its start (machine_check_poll with
 * MCP_UC), but for the classes that need none, UCNA and deferred ones. Its decoder for AMD does not print MCG_STATUS: but it prints
 * what is fatal only of a machine that goes on, which a fatal exception does not (mce_panic(), arch/x86/kernel/cpu/mce/core.c).
 */
export function isLeftOver(witness: Witness): boolean {
  const { record, reporter, severity, reset } = witness;
  if (record.raw.kind === 'cper') return record.raw.previousBoot === true;
  if (record.raw.kind !== 'x86-mca') return false;
  if (record.raw.within === 'previous-boot' || record.raw.within === 'start') return true;
  if (reporter !== 'machine-check' || !OF_LINUX.has(record.source.from) || record.bank === undefined) return false;
  // The poll of a machine that runs has the time; that at the start has none.
  if ((record.raw.tsc ?? 0n) !== 0n || isFirmwareBank(record) || !isLost(severity)) return false;
  const came = cameAsException(record);
  if (came !== undefined) return !came;
  if (reset !== undefined) return true;
  return severity === 'fatal' && record.raw.tsc === undefined && (bootSeconds(witness) ?? START) < START;
}

/** Whether a record that was left over is of the stop that ended the boot before. */
export const isOfStop = (witness: Witness): boolean => witness.severity === 'fatal' && isLeftOver(witness);

/** Whether a bank that was found full at the start holds what an exception brought before: the same of the same CPU. */
export function isFoundAgain({ record: found }: Witness, { record: before, reporter }: Witness): boolean {
  if (found.raw.kind !== 'x86-mca' || before.raw.kind !== 'x86-mca' || reporter !== 'machine-check') return false;
  if (cameAsException(before) !== true || found.source.input !== before.source.input) return false;
  return (
    found.bank === before.bank &&
    found.raw.status === before.raw.status &&
    found.raw.addr === before.raw.addr &&
    found.cpu === before.cpu
  );
}

/** What is seen of one input. */
interface Seen {
  /** The line that says why the machine was reset, while what it found may follow. */
  reset: Witness | undefined;
  /** By clock, the last time. */
  last: Map<string, number>;
  /** Number of the record with which the clock of the kernel began anew. */
  restart: number;
}

const MAX_INPUTS = 1024;
/** The console of several CPUs is not in the order of time. */
const RESTART = 1;

/** What the records of each input say, in their order, of the machine: why it was reset, and how long it ran. */
export class Course {
  readonly #inputs = new Map<string, Seen>();
  #input = '';
  #seen: Seen | undefined;

  /** Notes the time of a record, and marks one that was found close behind the reason of a reset. */
  take(witness: Witness): void {
    const { record, time } = witness;
    const seen = this.#of(record.source.input);
    if (record.class === 'reset-reason') seen.reset = witness;
    else if (seen.reset !== undefined) {
      const message = fieldsOf(seen.reset.record)['message'];
      if (isBehind(seen.reset, witness)) witness.reset = String(message);
      else seen.reset = undefined;
    }
    if (time === undefined) return;
    const before = seen.last.get(time.clock);
    if (time.clock === 'boot' && before !== undefined && time.seconds < before - RESTART) {
      seen.restart = witness.order ?? 0;
      seen.last.set('boot', time.seconds);
    } else if (before === undefined || time.seconds > before) seen.last.set(time.clock, time.seconds);
  }

  /** How many seconds the input goes on after a record; Infinity where the machine started again after it; undefined where nobody knows. */
  after({ record, time, order = 0 }: Witness): number | undefined {
    const seen = this.#inputs.get(record.source.input);
    if (seen === undefined || time === undefined) return undefined;
    if (time.clock === 'boot' && seen.restart > order) return Number.POSITIVE_INFINITY;
    const last = seen.last.get(time.clock);
    return last === undefined ? undefined : last - time.seconds;
  }

  #of(input: string): Seen {
    if (this.#seen !== undefined && this.#input === input) return this.#seen;
    const known = this.#inputs.get(input);
    const seen: Seen = known ?? { reset: undefined, last: new Map(), restart: 0 };
    if (known === undefined && this.#inputs.size < MAX_INPUTS) this.#inputs.set(input, seen);
    this.#input = input;
    this.#seen = seen;
    return seen;
  }
}

function isBehind(reset: Witness, witness: Witness): boolean {
  const apart = secondsApart(reset, witness);
  if (apart !== undefined) return apart <= BEHIND;
  return (witness.record.source.firstLine ?? 0) - (reset.record.source.firstLine ?? 0) <= BEHIND_LINES;
}
