/**
 * @module When time itself brings something: the earliest moment at which a tick may want or change anything. Each part of the core names its
 * own moments, beside what looks at them; whoever drives the core needs no tick before the first of them.
 */
import { dueActs } from './acts.ts';
import { dueBreaker } from './breaker.ts';
import { mayBegin } from './budget.ts';
import { dueCounters } from './counters.ts';
import { dueHost } from './host.ts';
import type { Time } from './ids.ts';
import { dueIncidents } from './incident.ts';
import { dueEvacuations } from './judge.ts';
import { dueWindows } from './ladder.ts';
import { dueMoves } from './move.ts';
import type { State } from './state.ts';
import { over } from './times.ts';
import type { Due } from './times.ts';
import { dueCopies } from './vm.ts';

/**
 * The earliest time, ms, after `state.now` at which a tick may do anything; Infinity where nothing comes of time alone. True of a state whose
 * last input was a tick that wanted nothing: behind any other input one tick is due at once.
 * @example while (step(state, { input: 'tick', at: clock.now() }).length === 0) await clock.until(nextDue(state))
 */
export function nextDue(s: State): Time {
  let next = Number.POSITIVE_INFINITY;
  const due: Due = at => {
    if (at > s.now && at < next) next = at;
  };
  // What waits for its turn takes it at the next step.
  if ((s.held?.length ?? 0) + (s.heldHosts?.length ?? 0) > 0 && mayBegin(s)) due(over(s.now));
  dueActs(s, due);
  dueBreaker(s, due);
  dueIncidents(s, due);
  dueMoves(s, due);
  dueCopies(s, due);
  let evacuates = false;
  for (const host of s.hosts.values()) {
    dueHost(s, host, due);
    dueCounters(host, due);
    const leaves = host.draining?.evacuate === true;
    evacuates ||= leaves;
    // These are judged at each tick.
    if (leaves || (!host.connected && host.boot !== undefined)) dueWindows(s, host, due);
  }
  if (evacuates) dueEvacuations(s, due);
  return next;
}
