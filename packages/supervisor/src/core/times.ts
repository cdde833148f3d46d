/** @module Sets of times that do not depend on the order in which their members come, and that a storm does not fill. */
import type { Time } from './ids.ts';
import type { Times } from './state.ts';

/** QMP's event, the kernel's line and QEMU's line of one error come within this; agents read them at different moments. */
export const JOIN_MS = 10_000;
/** AMD guests look for deferred errors every five minutes and may panic then (facts: the AMD deferred-error thread). */
export const LATE_MS = 420_000;
/** A reboot so soon after an error is a panic that nobody told. */
export const AT_ONCE_MS = 15_000;
/** Corrected errors are counted by quarters of an hour. */
export const QUARTER_MS = 900_000;
/** Errors without an address count at most once in that time and VM. */
export const UNLOCATED_MS = 60_000;
/**
 * Times are kept by cells of this length, and compared by cells: what is up to 10 s apart is near, what is more than 15 s apart
 * is not. So a storm costs nothing, and no order of arrival makes a difference.
 */
const CELL_MS = 5000;
const MAX_CELLS = 4000;

/**
 * A controller that has not renewed its lease for so long, ms, is followed by another one, which looks for that twenty times as often. It
 * renews it three times as often.
 */
export const TERM_MS = 4000;

/** Takes a moment at which time itself brings something. What is over already was seen to by the tick before. */
export type Due = (at: Time) => void;

/** The first moment after a time, where more than so long is asked for. */
export const over = (at: Time): Time => Math.floor(at) + 1;

/** The cell of a time: what is near one time of a cell is near all of them. */
export const cellOf = (at: Time): number => Math.floor(at / CELL_MS);

/** Adds a time. True when it says something new: not each member of a storm does. */
export function addTime(times: Times, at: Time): boolean {
  const cell = cellOf(at);
  const there = times.get(cell);
  if (there === undefined) {
    times.set(cell, [at, at]);
    if (times.size > MAX_CELLS) times.delete(Math.min(...times.keys()));
    return true;
  }
  if (at < there[0]) there[0] = at;
  if (at > there[1]) there[1] = at;
  return false;
}

/** Whether a member is near: within so many ms, and never more than a cell beyond. */
export function near(times: Times, at: Time, within: Time = JOIN_MS): boolean {
  const reach = Math.ceil(within / CELL_MS);
  const cell = cellOf(at);
  for (let i = cell - reach; i <= cell + reach; i++) if (times.has(i)) return true;
  return false;
}

/** How far the nearest member is, of those that begin a cell and are near; undefined where none is. */
export function distance(times: Times, at: Time): Time | undefined {
  const reach = Math.ceil(JOIN_MS / CELL_MS);
  const cell = cellOf(at);
  let least: Time | undefined;
  for (let i = cell - reach; i <= cell + reach; i++) {
    const found = times.get(i);
    if (found === undefined) continue;
    const apart = Math.abs(found[0] - at);
    if (least === undefined || apart < least) least = apart;
  }
  return least;
}

/** Whether it is the first of its cell. */
export function beginsCell(times: Times, at: Time): boolean {
  return times.get(cellOf(at))?.[0] === at;
}

/** All but those of some cells. */
export const without = (times: Times, cells: ReadonlySet<number>): Times =>
  cells.size === 0 ? times : new Map([...times].filter(([cell]) => !cells.has(cell)));

/** The earliest; undefined of an empty set. */
export function firstOf(times: Times): Time | undefined {
  let first: Time | undefined;
  for (const [a] of times.values()) if (first === undefined || a < first) first = a;
  return first;
}

/** The latest; undefined of an empty set. */
export function lastOf(times: Times): Time | undefined {
  let last: Time | undefined;
  for (const [, b] of times.values()) if (last === undefined || b > last) last = b;
  return last;
}

/** How many there are when at most one a minute counts, of those since a time that no other set explains. */
export function countApart(times: Times, since: Time, explained: (at: Time) => boolean): number {
  let counted = 0;
  let last = -Infinity;
  for (const [at] of [...times.values()].toSorted((a, b) => a[0] - b[0])) {
    if (at < since || at < last + UNLOCATED_MS || explained(at)) continue;
    counted++;
    last = at;
  }
  return counted;
}
