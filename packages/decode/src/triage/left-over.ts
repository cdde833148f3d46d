/**
 * @module Errors that a machine found when it started, and which are of the boot before: what firmware kept, what stood in a bank, what
 * stands behind the line that says why the processor was reset. And what a log shows of a machine after an error.
 */
import type { DecodedSeverity } from '../decode/record.ts';
import { cameAsException, fieldsOf, isFirmwareBank, isOneLog, rankOf, secondsApart } from './witness.ts';
import type { Witness } from './witness.ts';

export const isLost = (severity: DecodedSeverity): boolean => rankOf(severity) < rankOf('deferred');

/** Forms in which Linux, or mcelog after it, gives banks. */
const OF_LINUX: ReadonlySet<string> = new Set(['linux', 'mcelog', 'journal-export', 'journal-json']);
/** Whether the form that a record has is one of them. */
export const isOfLinux = ({ record }: Witness): boolean => OF_LINUX.has(record.source.from);
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
  const { record, reporter, severity, reset, boot = START } = witness;
  if (record.raw.kind === 'cper') return record.raw.previousBoot === true;
  if (record.raw.kind !== 'x86-mca') return false;
  if (record.raw.within === 'previous-boot' || record.raw.within === 'start') return true;
  if (reporter !== 'machine-check' || !isOfLinux(witness) || record.bank === undefined) return false;
  // The poll of a machine that runs has the time; that at the start has none.
  if ((record.raw.tsc ?? 0n) !== 0n || isFirmwareBank(record) || !isLost(severity)) return false;
  const came = cameAsException(record);
  if (came !== undefined) return !came;
  if (reset !== undefined) return true;
  return severity === 'fatal' && record.raw.tsc === undefined && boot < START;
}

/** Whether a record that was left over is of the stop that ended the boot before. */
export const isOfStop = (witness: Witness): boolean => witness.severity === 'fatal' && isLeftOver(witness);

/** Whether a bank that was found full at the start holds what an exception brought before: the same of the same CPU. */
export function isFoundAgain(again: Witness, first: Witness): boolean {
  const [{ record: found }, { record: before, reporter }] = [again, first];
  if (found.raw.kind !== 'x86-mca' || before.raw.kind !== 'x86-mca' || reporter !== 'machine-check') return false;
  if (cameAsException(before) !== true || !isOneLog(again, first)) return false;
  return (
    found.bank === before.bank &&
    found.raw.status === before.raw.status &&
    found.raw.addr === before.raw.addr &&
    found.cpu === before.cpu
  );
}

/**
 * What an input shows of a machine after an error. `started again`: the clock of its kernel began anew; `one start`: the same kernel
 * printed more, so many seconds later by its own clock; `a log`: its log goes on by its date, and nobody says whether it was started
 * again in between.
 */
export type After = { is: 'started again' } | { is: 'one start' | 'a log'; seconds: number };

/** What is seen of one machine in one input. */
interface Seen {
  /** The line that says why the machine was reset, while what it found may follow. */
  reset: Witness | undefined;
  /** The last time by a date, of each clock. */
  dates: Map<string, number>;
  /** The last stamp of the kernel since it started. */
  boot: number | undefined;
  /** Number of the record with which that clock began anew, and of the one with which it did before. */
  restart: number;
  restartBefore: number;
  /** By the date, when that clock began; and the number of the record from which on that was another moment. */
  began: number | undefined;
  moved: number;
}

const MAX_SEEN = 1024;
/** The console of several CPUs is not in the order of time. */
const RESTART = 1;
/** Dates may go back so far: lines come from several hosts and through queues. */
const BACK = 5;
/** syslogd gives all that was printed before it started one date; a clock is set right once the network is there. */
const MOVED = 600;

/** What the records of each machine in each input say of it, in their order: why it was reset, and how long it ran. */
export class Course {
  readonly #machines = new Map<string, Seen>();
  #input = '';
  #machine = '';
  #seen: Seen | undefined;

  /** Notes the time of a record, and marks one that was found close behind the reason of a reset. */
  take(witness: Witness): void {
    const { record, time, boot, order = 0 } = witness;
    const seen = this.#of(witness);
    if (record.class === 'reset-reason') seen.reset = witness;
    else if (seen.reset !== undefined) {
      const message = fieldsOf(seen.reset.record)['message'];
      if (isBehind(seen.reset, witness)) witness.reset = String(message);
      else seen.reset = undefined;
    }
    const date = time?.clock === 'boot' ? undefined : time;
    const last = date === undefined ? undefined : seen.dates.get(date.clock);
    if (boot !== undefined) {
      const isBack = seen.boot !== undefined && boot < seen.boot - RESTART;
      // What was printed before may stand behind: a buffer that was read late, a part of the log that was put there.
      if (isBack && date !== undefined && last !== undefined && date.seconds < last - BACK) return;
      if (isBack) {
        [seen.restartBefore, seen.restart] = [seen.restart, order];
        [seen.boot, seen.began] = [boot, undefined];
      } else if (seen.boot === undefined || boot > seen.boot) seen.boot = boot;
      if (date !== undefined) {
        const began = date.seconds - boot;
        if (seen.began !== undefined && Math.abs(began - seen.began) > MOVED) seen.moved = order;
        seen.began = began;
      }
    }
    if (date !== undefined && (last === undefined || date.seconds > last)) seen.dates.set(date.clock, date.seconds);
  }

  /** A record stands in the input a second time: the clock went back because a part of the log does, and nothing started again. */
  again(copy: Witness, original: number): void {
    const seen = this.#of(copy);
    if (seen.restart <= original || copy.boot === undefined) return;
    [seen.restart, seen.boot] = [seen.restartBefore, copy.boot];
  }

  /** What is seen of its machine after a record; undefined where nobody knows. */
  after(witness: Witness): After | undefined {
    const { time, boot, order = 0 } = witness;
    const seen = this.#of(witness);
    if (boot !== undefined && seen.restart > order) return { is: 'started again' };
    if (boot !== undefined && seen.boot !== undefined && seen.moved <= order)
      return { is: 'one start', seconds: seen.boot - boot };
    const last = time === undefined ? undefined : seen.dates.get(time.clock);
    return time === undefined || last === undefined ? undefined : { is: 'a log', seconds: last - time.seconds };
  }

  #of({ record, machine }: Witness): Seen {
    const { input } = record.source;
    if (this.#seen !== undefined && this.#input === input && this.#machine === machine) return this.#seen;
    const key = `${machine}\n${input}`;
    const known = this.#machines.get(key);
    const seen: Seen = known ?? {
      reset: undefined,
      dates: new Map(),
      boot: undefined,
      restart: 0,
      restartBefore: 0,
      began: undefined,
      moved: 0,
    };
    if (known === undefined && this.#machines.size < MAX_SEEN) this.#machines.set(key, seen);
    [this.#input, this.#machine, this.#seen] = [input, machine, seen];
    return seen;
  }
}

function isBehind(reset: Witness, witness: Witness): boolean {
  const apart = secondsApart(reset, witness);
  if (apart !== undefined) return apart <= BEHIND;
  return (witness.record.source.firstLine ?? 0) - (reset.record.source.firstLine ?? 0) <= BEHIND_LINES;
}
