/** @module The clocks of hosts, which may be wrong and may be set: how far they are off, and what was dated by one that was ahead. */
import type { HostId, Time } from './ids.ts';
import { hostOf } from './ledger.ts';
import { lookup } from './lookup.ts';
import { forgetClock, turnBack } from './places.ts';
import type { Row } from './said.ts';
import type { Copy, Host, Incident, State, Times, Vm } from './state.ts';
import { addTime, cellOf } from './times.ts';
import { alarm, calm } from './turn.ts';
import type { Turn } from './turn.ts';

/** Rows of so long tell how far a clock is off, and those of the time before it, ms. */
const WINDOW_MS = 300_000;
/** A clock that is so far ahead is told, ms: what its host dates is joined with the rest by time. */
const AHEAD_MS = 10_000;

/** A row of it came: none is faster than its clock is behind. One from the future shows a clock that is ahead. */
export function noteClock(t: Turn, { host: id, spool, seq, at }: Row): void {
  const host = hostOf(t.s, id);
  const { newest } = host;
  const isSame = newest?.spool === spool;
  const lifeOf = (of: string): number => host.spools?.get(of) ?? 0;
  if (newest === undefined || !isSame || seq > newest.seq) {
    // What stands later in its story and carries an earlier time. A spool of a later life begins such a story anew.
    const isLater = newest !== undefined && (isSame || lifeOf(spool) > lifeOf(newest.spool));
    if (isLater && at < newest.at) {
      if (isSame) turnBack(host, spool);
      setBack(t.s, host, at, newest.at - at);
    }
    host.newest = { spool, seq, at };
    const { clock } = host;
    if (clock === undefined || t.now - clock.began >= WINDOW_MS) {
      const isNext = clock !== undefined && t.now - clock.began < 2 * WINDOW_MS;
      host.clock = { began: t.now, least: t.now - at, ...(isNext ? { before: clock.least } : {}) };
    }
  }
  const window = (host.clock ??= { began: t.now, least: t.now - at });
  window.least = Math.min(window.least, t.now - at);
  host.behind = Math.min(window.least, window.before ?? Number.POSITIVE_INFINITY);
  if (host.behind > -AHEAD_MS / 2) calm(t, 'clock-ahead', host.id);
  else if (host.behind <= -AHEAD_MS)
    alarm(t, 'clock-ahead', host.id, {
      host: host.id,
      summary: `The clock of ${host.id} is ${Math.round(-host.behind / 1000)} s ahead of the controller's: the times of its events are wrong by that.`,
    });
}

/** Now by the clock of a host: what it writes later carries a later time, however wrong its clock is. */
export function hostNow(t: Turn, id: HostId): Time {
  return t.now - (t.s.hosts.get(id)?.behind ?? 0);
}

/** A time that a host has named, by our clock. */
export function atOurs(host: Host, at: Time): Time {
  return at + (host.behind ?? 0);
}

/**
 * A copy was seen to run, at a time of its host. It was not started later than that: the clock, which was thought to be ahead, was set right
 * meanwhile.
 */
export function ranBy(t: Turn, vm: Vm, copy: Copy, at: Time): void {
  if (copy.since <= at) return;
  copy.since = at - Math.max(0, t.now - (copy.asked ?? t.now));
  if (vm.home === copy.host) vm.settled = Math.min(vm.settled, copy.since);
  const host = t.s.hosts.get(copy.host);
  if (host !== undefined) forgetClock(host);
}

/**
 * What was dated by a clock that was ahead lies in the future of the one that was set back: it has happened all the same, and what happens
 * from now on comes behind it.
 * @param at now, by the host
 * @param by how far its clock was set back, at least
 */
function setBack(s: State, host: Host, at: Time, by: Time): void {
  const time = (was: Time): Time => (was > at ? Math.min(was - by, at) : was);
  const times = (was: Times): Times => {
    if (![...was.values()].some(([, last]) => last > at)) return was;
    const now: Times = new Map();
    for (const pair of was.values()) for (const one of pair) addTime(now, time(one));
    return now;
  };
  for (const page of host.pages.values()) {
    page.times = times(page.times);
    if (page.appliedAt !== undefined) page.appliedAt = time(page.appliedAt);
  }
  host.repairedAt = time(host.repairedAt);
  if (host.begun !== undefined) host.begun = time(host.begun);
  // What was said in its boot since is counted by time.
  if (host.bootPlace !== undefined) host.bootPlace = { ...host.bootPlace, at: time(host.bootPlace.at) };
  for (const incident of s.incidents.values()) if (incident.host === host.id) setIncident(incident, time);
  for (const vm of s.vms.values()) setVm(vm, host, at, { time, times });
  const found = lookup(s);
  found.quietFrom = 0;
  for (const id of s.moving) found.doubtful.add(id);
  for (const doing of s.acts.values()) if (doing.host === host.id && doing.at !== undefined) doing.at = time(doing.at);
}

interface Set {
  time: (was: Time) => Time;
  times: (was: Times) => Times;
}

function setIncident(incident: Incident, time: Set['time']): void {
  incident.first = time(incident.first);
  incident.last = time(incident.last);
  for (const witness of incident.witnesses.values()) {
    witness.first = time(witness.first);
    witness.last = time(witness.last);
  }
}

function setVm(vm: Vm, host: Host, at: Time, { time, times }: Set): void {
  for (const copy of vm.copies) {
    if (copy.host !== host.id) continue;
    copy.since = Math.min(copy.since, at);
    // Also of a reset that is under way.
    for (const answered of [copy.answered, vm.home === host.id ? vm.move?.answers : undefined]) {
      if (answered === undefined) continue;
      answered.from = time(answered.from);
      if (answered.to !== undefined) answered.to = time(answered.to);
      const cells = (of: number[]): number[] => [
        ...new Set(of.flatMap(cell => vm.met.get(host.id)?.unlocated.get(cell) ?? []).map(one => cellOf(time(one)))),
      ];
      answered.unlocated = cells(answered.unlocated);
      answered.unexplained = cells(answered.unexplained);
    }
  }
  if (vm.home === host.id) vm.settled = Math.min(vm.settled, at);
  if (vm.after.some(a => a.host === host.id && a.at > at))
    vm.after = vm.after.map(a => (a.host === host.id ? { ...a, at: time(a.at) } : a));
  const met = vm.met.get(host.id);
  if (met === undefined) return;
  met.unlocated = times(met.unlocated);
  met.consumed = times(met.consumed);
  met.recursive = times(met.recursive);
  met.hypervisor = times(met.hypervisor);
  for (const loose of met.loose) loose.at = time(loose.at);
}
