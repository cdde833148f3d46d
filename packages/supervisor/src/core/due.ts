/**
 * @module When time itself brings something: the earliest moment at which a tick may want or change anything. Each part of the core names its
 * own moments, beside what looks at them; whoever drives the core needs no tick before the first of them.
 */
import { dueActs } from './acts.ts';
import { dueBreaker } from './breaker.ts';
import { mayBegin } from './budget.ts';
import { dueCounters } from './counters.ts';
import { dueHost, isWatched } from './host.ts';
import type { HostId, Time } from './ids.ts';
import { dueIncidents } from './incident.ts';
import { dueEvacuation } from './judge.ts';
import { dueWindows } from './ladder.ts';
import { dueMoves } from './move.ts';
import { lookup } from './lookup.ts';
import type { Host, State } from './state.ts';
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
  const { watched } = lookup(s);
  for (const [id, at] of watched.dues) if (at <= s.now) watched.unnoted.add(id);
  noteDues(s);
  for (const at of watched.dues.values()) due(at);
  for (const id of watched.always) {
    const host = s.hosts.get(id);
    if (host?.draining?.evacuate === true) dueEvacuation(s, host, due);
  }
  return next;
}

/** Notes of the hosts that were looked at, or of which something has changed, when time itself brings something there. At the end of each tick. */
export function noteDues(s: State): void {
  const { unnoted, always, dues } = lookup(s).watched;
  for (const id of unnoted) {
    const host = s.hosts.get(id);
    if (host === undefined) continue;
    let next = Number.POSITIVE_INFINITY;
    const due: Due = at => {
      if (at > s.now && at < next) next = at;
    };
    dueHost(s, host, due);
    dueCounters(host, due);
    const isJudged = host.draining?.evacuate === true || (!host.connected && host.boot !== undefined);
    // These are judged at each tick.
    if (isJudged) dueWindows(s, host, due);
    if (next < Number.POSITIVE_INFINITY) dues.set(id, next);
    else dues.delete(id);
    if (isWatched(host)) always.add(id);
    else always.delete(id);
  }
  unnoted.clear();
}

/**
 * The hosts that a tick has to look at, in their order: those of which something may have changed since the last one, those that every tick
 * looks at, and those at which time itself brings something now. Of all others it has nothing to say.
 * @param besides hosts that have changed in this tick
 */
export function hostsDue(s: State, besides: ReadonlySet<HostId>): Host[] {
  const found = lookup(s);
  const { changed, unnoted, always, dues } = found.watched;
  const ids = new Set([...changed, ...always, ...besides]);
  for (const [id, at] of dues) if (at <= s.now) ids.add(id);
  changed.clear();
  for (const id of ids) {
    unnoted.add(id);
    found.unranked.add(id);
  }
  return found.hosts(ids);
}
