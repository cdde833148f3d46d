/** @module Rows come at least once and in any order: each is taken once. */
import type { Row } from './said.ts';
import type { State } from './state.ts';

/** Rows beyond a hole that are remembered one by one. A spool has no holes for long: its agent sends until it is answered. */
const MAX_BEYOND = 20_000;

/**
 * Whether a row is taken for the first time, and remembers it.
 * @example takeRow(state, row) // true, then false for ever
 */
export function takeRow(s: State, { host, spool, seq }: Row): boolean {
  const key = `${host} ${spool}`;
  const taken = s.taken.get(key) ?? { upTo: 0, beyond: [] };
  s.taken.set(key, taken);
  if (seq <= taken.upTo) return false;
  if (seq === taken.upTo + 1) {
    taken.upTo = seq;
  } else {
    const at = taken.beyond.findLastIndex(b => b <= seq);
    if (taken.beyond[at] === seq) return false;
    taken.beyond.splice(at + 1, 0, seq);
    // A hole that is never filled: what was in it is lost, and what comes of it now is taken for a repeat.
    if (taken.beyond.length > MAX_BEYOND) taken.upTo = taken.beyond.shift() ?? taken.upTo;
  }
  let gone = 0;
  while (taken.beyond[gone] === taken.upTo + 1) {
    taken.upTo++;
    gone++;
  }
  if (gone > 0) taken.beyond.splice(0, gone);
  return true;
}
