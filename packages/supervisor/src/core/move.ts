/**
 * @module What is being done with a VM, step by step, from what is the case: autostart off, stop, proof, place, start. Each step is
 * taken when the one before is seen done; nothing is done twice, and nothing is taken for done.
 */
import type { Act, ActKind } from './act.ts';
import { isFlying, want } from './acts.ts';
import { withdraw } from './announce.ts';
import { handsOff, isActedOn, mayBegin, mayFence, neverFence } from './budget.ts';
import { hostNow } from './clock.ts';
import { closeIncident } from './incident.ts';
import type { HostId, IncidentId, Time, VmId } from './ids.ts';
import { answeredBy, duePlannedStop, homeCopy, isAlive, isClean, isPlannedStop, lifeAfter } from './ledger.ts';
import { leaseToAsk } from './lease.ts';
import { beginMove, bindMove, lookup, putCopy } from './lookup.ts';
import { mayAskLock } from './lock.ts';
import { RUNGS } from './policy.ts';
import type { Rung } from './policy.ts';
import { agedCopy, dropProof, dueProofs, isProven, mayStart, unprovenCopies } from './proof.ts';
import type { Aftermath, Announced, Copy, Doing, Incident, Move, State, Vm } from './state.ts';
import { bestPlace, placeFor } from './target.ts';
import type { Ruled } from './target.ts';
import type { Due } from './times.ts';
import { alarm, calm, decide, isStanding, tellOnce } from './turn.ts';
import type { Turn } from './turn.ts';
import { nameOf } from './words.ts';

/** A copy that could not be proven is looked at again after so long, then after twice as long each time. */
const AGAIN_MS = 60_000;
const MAX_AGAIN_MS = 3_600_000;
/** Starts that may fail before a person has to look. */
const MAX_STARTS = 3;
/** A live migration that failed is not tried again for so long. */
const NO_MIGRATE_MS = 3_600_000;

interface Asked {
  rung: Rung;
  rule: string;
  incident: IncidentId;
  by: string;
  wait: Time;
}

/**
 * Plans a move. One that has begun goes on, and its end has the VM judged anew, where a rule wants more; one that waits gives way to a
 * higher rung, to the same at an earlier time, or to a person.
 */
export function planMove(t: Turn, vm: Vm, asked: Asked): boolean {
  const { move } = vm;
  let announced: Announced | undefined;
  if (move !== undefined) {
    if (move.begun) {
      if (asked.by === '') vm.owed = true;
      return false;
    }
    const rise = RUNGS.indexOf(asked.rung) - RUNGS.indexOf(move.rung);
    const byPerson = asked.by !== '' && move.by === '';
    const sooner = rise === 0 && move.by === '' && asked.wait < move.wait;
    if (rise <= 0 && !byPerson && !sooner) return false;
    if (sooner) announced = move.announced;
    else withdraw(t, vm, 'something else is done with it instead');
  }
  vm.move = {
    ...asked,
    step: 'waiting',
    begun: false,
    tried: new Map(),
    again: 0,
    rounds: 0,
    failed: [],
    ...(announced === undefined ? {} : { announced }),
  };
  if (lookup(t.s).planned(vm.id)) t.s.moving.push(vm.id);
  return true;
}

/** Gives up what is planned or under way; where its owner was told of it, that it is not done is told too. */
export function giveUpMove(t: Turn, vm: Vm, why: string): void {
  withdraw(t, vm, why);
  end(t, vm);
}

/** Nothing is under way with it any more: it is judged, and anew where a rule wanted something meanwhile. */
function free(t: Turn, vm: Vm): void {
  delete vm.move;
  if (vm.owed === true) delete vm.decided;
  delete vm.owed;
  t.s.moving = t.s.moving.filter(id => id !== vm.id);
  lookup(t.s).unplanned(vm.id);
  t.vms.add(vm.id);
}

function end(t: Turn, vm: Vm): void {
  free(t, vm);
  for (const type of ['unproven', 'no-target', 'action-failed'] as const) calm(t, type, vm.id);
  // It may have left a host that is to be empty.
  const { draining } = lookup(t.s);
  for (const { host } of vm.copies) if (draining.has(host)) t.hosts.add(host);
}

/** Takes every move as far as it goes now: first those that have begun, then as many more as the budget allows. */
export function advanceMoves(t: Turn): void {
  const { s } = t;
  const found = lookup(s);
  const { begun, doubtful } = found;
  for (const id of found.moving(begun)) {
    const vm = s.vms.get(id);
    if (vm?.move?.begun === true) advance(t, vm, vm.move);
  }
  for (const id of begun) if (s.vms.get(id)?.move?.begun !== true) begun.delete(id);
  // What has just ended is judged first: its old hosts learn of it before something else is begun.
  if (t.vms.size > 0) return;
  // While nothing more may be begun, or it is too early for it, the many that wait cost nothing.
  const acted = s.flying.flatMap(id => s.acts.get(id)?.vm ?? []);
  let full = !mayBegin(s);
  const isFew = full || t.now < found.readyAt;
  let readyAt = Number.POSITIVE_INFINITY;
  let wanted = t.out.length;
  for (const id of isFew ? found.moving([...doubtful, ...acted]) : [...s.moving]) {
    const vm = s.vms.get(id);
    if (vm?.move === undefined || vm.move.begun) continue;
    // Its owner hears of it also while others are acted on.
    if (doubtful.has(id) && !stillWanted(t, vm, vm.move)) continue;
    readyAt = Math.min(readyAt, vm.move.wait);
    if (vm.move.wait > t.now) continue;
    // Where nothing was wanted since, there is as much room as before.
    if (!full && t.out.length > wanted) [full, wanted] = [!mayBegin(s), t.out.length];
    // A VM that counts already, because a page is taken out of it, counts no more when it is moved.
    if (!full || isActedOn(s, vm)) advance(t, vm, vm.move);
  }
  if (!isFew) found.readyAt = readyAt;
  doubtful.clear();
}

function advance(t: Turn, vm: Vm, move: Move): void {
  if (move.wait > t.now && !move.begun) return;
  if (t.s.paused !== undefined || (t.s.breaker.open !== undefined && !move.begun && move.by === '')) return;
  const last = t.s.acts.get(move.act ?? '');
  if (isFlying(last) && !isMoot(vm, last)) return;
  // What waits is looked at again when something has changed, and takes its place in the budget again.
  const idle = move.step === 'unproven' || move.step === 'no-target';
  if (idle && !t.awake) return;
  if (move.begun && move.step !== 'working' && !mayBegin(t.s)) return;
  // That its pages are taken out of it is no reason to wait; that an old host is still told of it is.
  if (!move.begun && isActedOn(t.s, vm, ['quarantine'])) return;
  switch (move.rung) {
    case 'reboot':
      return reboot(t, vm, move);
    case 'migrate':
      return migrate(t, vm, move);
    case 'terminate':
      return terminate(t, vm, move);
    default:
      return restart(t, vm, move);
  }
}

/** When {@link advanceMoves} takes a move further, or finds that it is not wanted any more. */
export function dueMoves(s: State, due: Due): void {
  for (const id of s.moving) {
    const vm = s.vms.get(id);
    if (vm?.move === undefined) continue;
    const { begun, wait, again, checked } = vm.move;
    if (!begun) due(wait);
    due(again);
    for (const { at } of checked?.values() ?? []) due(at + AGAIN_MS);
    if (!begun) duePlannedStop(vm, due);
    dueProofs(vm, due);
  }
}

/** Whether an act that is under way looks for a proof that has come by another way: an attestation, above all. */
function isMoot(vm: Vm, doing: Doing | undefined): boolean {
  const copy = vm.copies.find(c => c.host === doing?.host && c.epoch === doing.epoch);
  const looks = doing?.kind === 'prove' || doing?.kind === 'stop' || doing?.kind === 'fence';
  return looks && copy !== undefined && isProven(vm, copy);
}

/** Why nothing is done with a VM that has not begun. Undefined where it may be. @param by who wants it; empty for a rule */
export function unwanted(t: Turn, vm: Vm, by: string): string | undefined {
  return (
    handsOff(vm) ??
    (isPlannedStop(vm, t.now) ? 'it was stopped on purpose' : undefined) ??
    // What a rule wants of a VM that runs is not done with one that its owner has shut down.
    (by === '' && wasShutDown(vm) ? 'it runs no more, and nothing says that it has failed' : undefined)
  );
}

/** What has changed since it was planned may have made it wrong. */
function stillWanted(t: Turn, vm: Vm, move: Move): boolean {
  const off = unwanted(t, vm, move.by);
  if (off === undefined) return true;
  drop(t, vm, move, off);
  return false;
}

/** Whether a VM ended in order, as far as its host can tell: it has neither died nor panicked since it was started. */
function wasShutDown(vm: Vm): boolean {
  const home = homeCopy(vm);
  if (home === undefined || isAlive(home.state)) return false;
  return !vm.after.some(
    ({ what, at, host }) => what !== 'rebooted' && at >= home.since && (host ?? home.host) === home.host,
  );
}

function drop(t: Turn, vm: Vm, move: Move, why: string): void {
  decide(t, {
    incident: move.incident,
    vm: vm.id,
    rule: move.rule,
    rung: 'observe',
    inputs: { planned: move.rung },
    why: `${word(move.rung)} of VM ${nameOf(vm)} is given up: ${why}.`,
  });
  giveUpMove(t, vm, why);
}

const WORDS: Partial<Record<Rung, string>> = {
  reboot: 'The reboot',
  migrate: 'The live migration',
  'restart-elsewhere': 'The restart on another host',
  terminate: 'The end',
};
const word = (rung: Rung): string => WORDS[rung] ?? 'The act';

interface Step {
  kind: ActKind;
  copy: Copy;
  why: string;
  to?: string;
  /** A look from another host: who looks, and at which lease. */
  at?: HostId;
  lease?: NonNullable<Act['lease']>;
  rule?: string;
  inputs?: Record<string, string | number | boolean>;
}

function act(t: Turn, vm: Vm, move: Move, { kind, copy, why, to, at, lease, rule, inputs }: Step): Doing | undefined {
  const doing = want(t, {
    kind,
    host: at ?? copy.host,
    ...(at === undefined ? {} : { of: copy.host }),
    vm,
    epoch: copy.epoch,
    incident: move.incident,
    rule: rule ?? move.rule,
    rung: move.rung,
    why,
    ...(to === undefined ? {} : { to }),
    ...(lease === undefined ? {} : { lease }),
    ...(inputs === undefined ? {} : { inputs }),
  });
  if (doing === undefined) return undefined;
  move.act = doing.id;
  // To look from another host does nothing: what has not begun has not begun by it.
  if (at !== undefined && !move.begun) return doing;
  beginMove(t.s, vm, move);
  move.step = 'working';
  lookup(t.s).working.add(vm.id);
  return doing;
}

/** The last act of the move of a kind, on a copy. */
function lastOf(t: Turn, move: Move, kind: ActKind, copy: Copy): Doing | undefined {
  const last = t.s.acts.get(move.act ?? '');
  return last?.kind === kind && last.host === copy.host && last.epoch === copy.epoch ? last : undefined;
}

const copyName = (copy: Copy): string => `${copy.host}/${copy.epoch}`;

/**
 * A start whose outcome is not known is looked at before anything is stopped; so is the source of a live migration that has
 * arrived, which ends by itself.
 */
const LOOKS = {
  running: ['autostart-off', 'stop', 'prove'],
  starting: ['prove', 'autostart-off', 'stop'],
  moved: ['prove', 'autostart-off', 'stop'],
} as const satisfies Record<string, ActKind[]>;

type Look = Pick<Step, 'kind' | 'lease'> & { at: HostId };

/** What can be asked of a copy whose host is silent, where it would be started. Under a policy that counts the answer only. */
function looksAside(t: Turn, vm: Vm, move: Move, { host }: Copy, tried: readonly ActKind[]): Look[] {
  const { hosts, policy } = t.s;
  const mayAsk = {
    'ask-lock': mayAskLock(policy, vm),
    'ask-lease':
      policy.proofs.sanlock && hosts.get(host)?.leases?.some(({ watchdog }) => watchdog !== undefined) === true,
  };
  // To look for another host is no small thing, and a copy that nobody can prove is looked at again and again.
  const isLeft = (['ask-lock', 'ask-lease'] as const).some(kind => mayAsk[kind] && !tried.includes(kind));
  const at = isLeft ? bestPlace(t.s, vm, ruledOut(t, vm, move)) : undefined;
  if (at === undefined) return [];
  const lease = leaseToAsk(policy, hosts.get(host), hosts.get(at));
  return [
    ...(mayAsk['ask-lock'] ? [{ kind: 'ask-lock', at } as const] : []),
    ...(lease === undefined ? [] : [{ kind: 'ask-lease', at, lease } as const]),
  ];
}

/** What to do next so that a copy is known to have stopped: first what is sure, then what is left. */
function towardsProof(t: Turn, vm: Vm, move: Move, copy: Copy): void {
  const host = t.s.hosts.get(copy.host);
  const name = copyName(copy);
  const tried = move.tried.get(name) ?? [];
  const left: ActKind[] = [];
  /** Why its host is not powered off. */
  let never: string | undefined;
  const asides = host?.connected === true ? [] : looksAside(t, vm, move, copy, tried);
  const aside = asides.find(look => !tried.includes(look.kind));
  if (host?.connected === true) {
    const looks = LOOKS[move.arrived === true ? 'moved' : copy.state === 'starting' ? 'starting' : 'running'];
    left.push(...looks.filter(kind => !tried.includes(kind)));
    // A stop that was not seen to work may have worked since.
    if (copy.state === 'starting' && left.length === 0 && tried.filter(k => k === 'prove').length < 2)
      left.push('prove');
  } else if (aside !== undefined) {
    left.push(aside.kind);
  } else if (
    // A host is powered off only as a whole: when all of its VMs are to leave it, and nobody can ask it.
    t.s.fences.includes(copy.host) &&
    host?.draining?.evacuate === true &&
    t.s.policy.proofs.fence &&
    !tried.includes('fence')
  ) {
    never = neverFence(t.s, host.id);
    if (never === undefined && !mayFence(t.s, host.id, move.by !== '')) {
      // It takes its turn, and holds up nobody meanwhile.
      move.step = 'waiting';
      return;
    }
    if (never === undefined) left.push('fence');
  }
  const kind = left[0];
  if (kind !== undefined) {
    const arrivedAt = move.arrived === true && kind !== 'autostart-off' ? move.to : undefined;
    const to = arrivedAt === undefined ? {} : { to: arrivedAt };
    const look = aside?.kind === kind ? aside : {};
    if (act(t, vm, move, { kind, copy, why: whyOf(kind, vm, copy), ...to, ...look }) !== undefined)
      move.tried.set(name, [...tried, kind]);
    return;
  }
  if (move.step !== 'unproven') {
    move.step = 'unproven';
    beginMove(t.s, vm, move);
    move.again = t.now + againIn(move);
    move.rounds++;
    const { host: at, epoch } = copy;
    const state =
      move.arrived === true
        ? `VM ${nameOf(vm)} runs on ${move.to ?? '?'}, and nobody can prove that its process on ${at} has ended`
        : `VM ${nameOf(vm)} is not started anywhere: nobody can prove that its copy of epoch ${epoch} on ${at} has stopped`;
    const why = never === undefined ? state : `${state}, and its host is not powered off (${never})`;
    hold(t, vm, move, copy, `${why}. Look at ${at}; when it is certainly gone, attest it.`);
    return;
  }
  if (t.now < move.again) return;
  move.again = t.now + againIn(move);
  if (!move.tried.delete(name)) return;
  towardsProof(t, vm, move, copy);
}

const againIn = (move: Move): Time => Math.min(AGAIN_MS * 2 ** move.rounds, MAX_AGAIN_MS);

/** Nothing more may be done without a proof: decided and told once, until there is one. */
function hold(t: Turn, vm: Vm, move: Move, copy: Copy, summary: string): void {
  if (isStanding(t, 'unproven', vm.id)) return;
  const { host, epoch } = copy;
  decide(t, {
    incident: move.incident,
    host,
    vm: vm.id,
    rule: 'core/never-twice',
    rung: 'hold',
    inputs: {
      host,
      epoch,
      tried: (move.tried.get(copyName(copy)) ?? []).join(' '),
      connected: t.s.hosts.get(host)?.connected === true,
    },
    why: summary,
  });
  alarm(t, 'unproven', vm.id, { incident: move.incident, host, vm: vm.id, vmName: vm.name, summary });
}

function whyOf(kind: ActKind, vm: Vm, copy: Copy): string {
  const what = `VM ${nameOf(vm)}, epoch ${copy.epoch}`;
  if (kind === 'autostart-off') return `${copy.host} must not start ${what} again by itself.`;
  if (kind === 'stop') return `${what} is stopped on ${copy.host}, and its end has to be seen.`;
  if (kind === 'ask-lock')
    return `Nobody can ask ${copy.host} about ${what}: its storage is asked whether a copy holds the lock on its disks.`;
  if (kind === 'ask-lease')
    return `Nobody can ask ${copy.host} about ${what}: sanlock is asked whether ${copy.host} has been reset for not renewing its lease.`;
  if (kind === 'fence') return `Nobody can ask ${copy.host} about ${what}: its power is switched off and read back.`;
  return `Whether ${what} still runs on ${copy.host} has to be seen.`;
}

/** Restart on another host: each copy is proven to have stopped, then it is placed and started in the next epoch. */
function restart(t: Turn, vm: Vm, move: Move): void {
  const started = move.to === undefined ? undefined : vm.copies.find(c => c.host === move.to);
  if (started !== undefined && runsAt(t, move, started)) {
    arrived(t, vm, move, started);
    return;
  }
  const ended = started !== undefined && (isProven(vm, started) || !started.ran);
  if (ended && move.to !== undefined && !move.failed.includes(move.to)) {
    move.failed.push(move.to);
    delete move.to;
  }
  const open = unprovenCopies(vm)[0];
  if (open !== undefined) {
    if (!move.begun && RUNS.has(open.state) && !hasTarget(t, vm, move)) return;
    towardsProof(t, vm, move, open);
    return;
  }
  calm(t, 'unproven', vm.id);
  tellDown(t, vm, move);
  if (move.failed.length >= MAX_STARTS) {
    fail(t, vm, move, `VM ${nameOf(vm)} is down: ${MAX_STARTS} hosts could not start it (${move.failed.join(', ')}).`);
    return;
  }
  const out = ruledOut(t, vm, move);
  const to = bestPlace(t.s, vm, out);
  if (to === undefined) {
    noTarget(t, vm, move, out);
    return;
  }
  if (!hasAll(t, vm, move, to)) return;
  calm(t, 'no-target', vm.id);
  const aged = agedCopy(vm, t.now);
  if (aged !== undefined) {
    askAnew(t, vm, move, aged);
    return;
  }
  start(t, vm, move, to, out);
}

/** A proof that waited too long for a place to start the VM is looked for once more. */
function askAnew(t: Turn, vm: Vm, move: Move, copy: Copy): void {
  const { host, epoch, proof } = copy;
  dropProof(copy);
  move.tried.delete(copyName(copy));
  decide(t, {
    incident: move.incident,
    host,
    vm: vm.id,
    rule: 'core/proof-aged',
    rung: 'hold',
    inputs: { proof: proof?.kind ?? '', epoch },
    why: `That the copy of VM ${nameOf(vm)} on ${host} had stopped was seen too long ago: its host may have been switched on and have started it since.`,
  });
  towardsProof(t, vm, move, copy);
}

/** Hosts on which a VM is not to be started. */
function ruledOut(t: Turn, vm: Vm, move: Move): Ruled {
  const home = homeCopy(vm);
  const missing = new Map<HostId, string>();
  for (const [host, { at, missing: what }] of move.checked ?? [])
    if (what !== undefined && t.now - at < AGAIN_MS) missing.set(host, what);
  return { but: [...(home === undefined ? [] : [home.host]), ...move.failed], missing };
}

/**
 * Whether a host is known to have the files that the VM needs: it is asked, and what it says is true until this move is over; of what it
 * does not have it is asked again after a while. Nothing is done by asking, so that the move has not begun by it.
 */
function hasAll(t: Turn, vm: Vm, move: Move, to: HostId): boolean {
  if (vm.needs === undefined || vm.needs.length === 0) return true;
  const checked = (move.checked ??= new Map());
  const last = t.s.acts.get(move.act ?? '');
  if (last?.kind === 'check' && !isFlying(last)) {
    delete move.act;
    const missing = last.state === 'confirmed' ? {} : { missing: last.reason ?? 'it does not say whether it has all' };
    checked.set(last.host, { at: t.now, ...missing });
    t.vms.add(vm.id);
  }
  const known = checked.get(to);
  if (known !== undefined && known.missing === undefined) return true;
  if (known !== undefined && t.now - known.at < AGAIN_MS) return false;
  const asked = want(t, {
    kind: 'check',
    host: to,
    vm,
    epoch: vm.epoch,
    incident: move.incident,
    rule: move.rule,
    rung: move.rung,
    inputs: { files: vm.needs.length },
    why: `Whether ${to} has all files that VM ${nameOf(vm)} needs has to be known before it is started there.`,
  });
  if (asked !== undefined) move.act = asked.id;
  return false;
}

const RUNS: ReadonlySet<Copy['state']> = new Set(['running', 'paused']);

/** A VM that runs is not stopped while there is no other host for it: with lost pages it serves better than not at all. */
function hasTarget(t: Turn, vm: Vm, move: Move): boolean {
  const out = ruledOut(t, vm, move);
  const to = bestPlace(t.s, vm, out);
  if (to === undefined) {
    noTarget(t, vm, move, out);
    return false;
  }
  if (!hasAll(t, vm, move, to)) return false;
  calm(t, 'no-target', vm.id);
  return true;
}

/** The one place from which a VM is started. */
function start(t: Turn, vm: Vm, move: Move, to: HostId, out: Ruled): void {
  if (t.s.paused !== undefined) return;
  if (!mayStart(vm)) return;
  const { reason, against } = placeFor(t.s, vm, out);
  const proofs = vm.copies.flatMap(c =>
    c.ran && c.proof !== undefined ? [`${c.host}/${c.epoch}: ${c.proof.kind}`] : [],
  );
  const copy: Copy = {
    host: to,
    epoch: vm.epoch + 1,
    ordered: true,
    state: 'starting',
    ran: true,
    since: hostNow(t, to),
    asked: t.now,
    autostart: false,
    told: 0,
  };
  const old = vm.copies.find(c => c.host === to);
  if (old?.place !== undefined) copy.place = old.place;
  if (old !== undefined) [copy.told, copy.life] = [old.told, lifeAfter(old)];
  vm.epoch = copy.epoch;
  move.before = vm.after;
  putCopy(t.s, vm, copy);
  bindMove(t.s, vm, move, to);
  act(t, vm, move, {
    kind: 'start',
    copy,
    inputs: { proofs: proofs.join('; '), target: reason, ...prefixed(against) },
    why: `All copies of VM ${nameOf(vm)} are proven to have stopped; it is started on ${to}: ${reason}.`,
  });
}

/** Hosts that are named one by one; of more it is said how many there are for each reason, and who some of them are. */
const NAMED_HOSTS = 16;
const SOME_HOSTS = 3;

/** What speaks against hosts, in the order of their names. */
function listed(against: Readonly<Record<string, string>>): (readonly [who: string, why: string])[] {
  const all = Object.entries(against).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (all.length <= NAMED_HOSTS) return all;
  const reasons = new Map<string, string[]>();
  for (const [host, why] of all) {
    const hosts = reasons.get(why) ?? [];
    reasons.set(why, hosts);
    hosts.push(host);
  }
  return [...reasons].map(([why, hosts]) => {
    const some = hosts.slice(0, SOME_HOSTS).join(', ');
    const all = hosts.length > SOME_HOSTS ? `${hosts.length} hosts (${some}, …)` : some;
    return [all, why] as const;
  });
}

const prefixed = (against: Record<string, string>): Record<string, string> =>
  Object.fromEntries(listed(against).map(([who, why]) => [`not ${who}`, why]));

/** A start is done when the VM is seen to run there, by the answer or by a report. */
function runsAt(t: Turn, move: Move, copy: Copy): boolean {
  if (copy.state !== 'starting') return copy.state === 'running' || copy.state === 'paused';
  const last = t.s.acts.get(move.act ?? '');
  const about = last?.host === copy.host && last.epoch === copy.epoch && last.seen === 'running';
  return about && (last.kind === 'prove' || (last.kind === 'start' && last.state === 'confirmed'));
}

/** What became of the copies before is none of the new one's business, whatever the clocks of their hosts say. */
function forgetBefore(vm: Vm, move: Move): void {
  vm.after = vm.after.filter(a => !wasBefore(move, a));
}

const wasBefore = ({ before = [] }: Move, a: Aftermath): boolean =>
  before.some(b => b.what === a.what && b.at === a.at && b.host === a.host);

function arrived(t: Turn, vm: Vm, move: Move, copy: Copy): void {
  const from = vm.home;
  if (copy.state === 'starting') copy.state = 'running';
  vm.home = copy.host;
  vm.settled = copy.since;
  forgetBefore(vm, move);
  delete vm.down;
  finish(t, vm, move, {
    type: 'vm.restarted',
    transition: `restarted/${copy.epoch}`,
    summary: `VM ${nameOf(vm)} runs again, on ${copy.host}; the copy on ${from ?? '?'} is proven to have stopped.`,
    inputs: { from: from ?? '', to: copy.host, epoch: copy.epoch },
  });
}

interface Finished {
  type: 'vm.restarted' | 'vm.migrated' | 'vm.terminated';
  transition: string;
  summary: string;
  inputs: Record<string, string | number | boolean>;
}

/** A move has reached its end: it is said, and what led to it is closed. */
function finish(t: Turn, vm: Vm, move: Move, { type, transition, summary, inputs }: Finished): void {
  const incident = t.s.incidents.get(move.incident);
  decide(t, { incident: move.incident, vm: vm.id, rule: move.rule, rung: move.rung, inputs, why: summary });
  if (incident !== undefined)
    tellOnce(t, incident, transition, { type, severity: 'info', ...subject(vm, incident), summary });
  for (const open of openOf(t, vm.id)) closeIncident(t, open, move.rule, `VM ${nameOf(vm)}: ${move.rung} is done.`);
  end(t, vm);
}

const openOf = (t: Turn, vm: VmId): Incident[] =>
  lookup(t.s)
    .incidentsOf(vm)
    .filter(i => i.state === 'open' && i.vm === vm && i.also === undefined && i.cause !== 'host');

const subject = (vm: Vm, incident: Incident): { host: string; vm: string; vmName: string } => ({
  host: vm.home ?? incident.host,
  vm: vm.id,
  vmName: vm.name,
});

function tellDown(t: Turn, vm: Vm, move: Move): void {
  const incident = t.s.incidents.get(move.incident);
  if (vm.down === true || incident === undefined) return;
  vm.down = true;
  tellOnce(t, incident, `down/${vm.epoch}`, {
    type: 'vm.down',
    severity: 'critical',
    ...subject(vm, incident),
    summary: `VM ${nameOf(vm)} is stopped, and is started again on another host.`,
  });
}

function noTarget(t: Turn, vm: Vm, move: Move, out: Ruled): void {
  if (move.step === 'no-target') return;
  move.step = 'no-target';
  const { against } = placeFor(t.s, vm, out);
  const summary = `VM ${nameOf(vm)} has nowhere to go: ${
    listed(against)
      .map(([who, why]) => `${who}: ${why}`)
      .join('; ')
      .slice(0, 500) || 'there is no other host'
  }.`;
  decide(t, {
    incident: move.incident,
    vm: vm.id,
    rule: 'core/no-target',
    rung: 'hold',
    inputs: prefixed(against),
    why: summary,
  });
  alarm(t, 'no-target', vm.id, { incident: move.incident, vm: vm.id, vmName: vm.name, summary });
}

function fail(t: Turn, vm: Vm, move: Move, summary: string): void {
  if (move.step === 'failed') return;
  move.step = 'failed';
  decide(t, {
    incident: move.incident,
    vm: vm.id,
    rule: move.rule,
    rung: 'hold',
    inputs: { failed: move.failed.join(' ') },
    why: summary,
  });
  alarm(t, 'action-failed', vm.id, { incident: move.incident, vm: vm.id, vmName: vm.name, summary });
}

/** Stop and stay stopped. */
function terminate(t: Turn, vm: Vm, move: Move): void {
  const open = unprovenCopies(vm)[0];
  if (open !== undefined) {
    const name = copyName(open);
    const tried = move.tried.get(name) ?? [];
    // `terminate` is the stop of this rung.
    if (tried.includes('autostart-off') && !tried.includes('stop') && t.s.hosts.get(open.host)?.connected === true) {
      const why = `VM ${nameOf(vm)} is stopped on ${open.host} for good, and its end has to be seen.`;
      if (act(t, vm, move, { kind: 'terminate', copy: open, why }) !== undefined)
        move.tried.set(name, [...tried, 'stop']);
      return;
    }
    towardsProof(t, vm, move, open);
    return;
  }
  calm(t, 'unproven', vm.id);
  vm.plannedStop = t.now;
  finish(t, vm, move, {
    type: 'vm.terminated',
    transition: `terminated/${vm.epoch}`,
    summary: `VM ${nameOf(vm)} is stopped for good, and will not be started again by us.`,
    inputs: { epoch: vm.epoch },
  });
}

/** Reset in place: QEMU gives the guest fresh memory for pages that were bad. */
function reboot(t: Turn, vm: Vm, move: Move): void {
  const home = homeCopy(vm);
  if (home === undefined || !isAlive(home.state)) {
    drop(t, vm, move, 'it does not run');
    return;
  }
  const done = lastOf(t, move, 'reset', home);
  if (done === undefined) {
    const host = t.s.hosts.get(home.host);
    if (host?.connected !== true) return;
    const why = `VM ${nameOf(vm)} is reset: it gets fresh memory for its bad pages.`;
    if (act(t, vm, move, { kind: 'reset', copy: home, why }) === undefined) return;
    move.answers = answeredBy(vm, host, hostNow(t, home.host));
    move.before = vm.after;
    return;
  }
  if (done.state === 'confirmed') {
    vm.settled = done.at ?? hostNow(t, home.host);
    // However it was dated: what was known when the reset was ordered is no reason for another.
    if (move.answers !== undefined) home.answered = { ...move.answers, to: vm.settled };
    vm.after = vm.after.map(a => (wasBefore(move, a) ? { ...a, answered: true } : a));
    delete vm.decided;
    finish(t, vm, move, {
      type: 'vm.restarted',
      transition: `rebooted/${done.id}`,
      summary: `VM ${nameOf(vm)} was reset on ${home.host}, and has fresh memory for the pages that were bad.`,
      inputs: { host: home.host, epoch: home.epoch },
    });
    return;
  }
  giveUp(t, vm, move, `VM ${nameOf(vm)} could not be reset on ${home.host}: ${done.reason ?? done.state}.`);
}

/** Says that it did not work, and ends: the VM is where it was. */
function giveUp(t: Turn, vm: Vm, move: Move, summary: string): void {
  fail(t, vm, move, summary);
  withdraw(t, vm, summary.replace(/\.$/, ''));
  free(t, vm);
}

/** Live migration, of clean VMs only. It ends when the process at its source is proven to be gone. */
function migrate(t: Turn, vm: Vm, move: Move): void {
  const home = homeCopy(vm);
  if (home === undefined) {
    drop(t, vm, move, 'it is not known where it runs');
    return;
  }
  if (move.to === undefined) {
    beginMigration(t, vm, move, home);
    return;
  }
  const source = home;
  const target = vm.copies.find(c => c.host === move.to);
  if (target === undefined) return;
  const last = t.s.acts.get(move.act ?? '');
  if (last?.kind === 'migrate' && last.state === 'confirmed') move.arrived = true;
  if (last?.host === target.host && last.kind === 'prove' && last.seen === 'running') move.arrived = true;
  if (target.state === 'running' && !isAlive(source.state)) move.arrived = true;
  if (move.arrived === true) {
    // The target runs: what is left at the source is stopped, and the target is not started again.
    if (!isProven(vm, source)) {
      towardsProof(t, vm, move, source);
      return;
    }
    calm(t, 'unproven', vm.id);
    if (target.state === 'starting') target.state = 'running';
    vm.home = target.host;
    vm.settled = target.since;
    forgetBefore(vm, move);
    finish(t, vm, move, {
      type: 'vm.migrated',
      transition: `migrated/${vm.epoch}/${target.host}`,
      summary: `VM ${nameOf(vm)} was moved to ${target.host} while it ran; its process on ${source.host} is proven to be gone.`,
      inputs: { from: source.host, to: target.host, epoch: vm.epoch },
    });
    return;
  }
  // It failed, or nobody knows. Where no copy is at the target the VM is where it was.
  if (target.ran && !isProven(vm, target)) {
    lookAtTarget(t, vm, move, target);
    return;
  }
  notMigrated(
    t,
    vm,
    move,
    `VM ${nameOf(vm)} could not be migrated to ${target.host}: ${last?.reason ?? 'it did not arrive'}.`,
  );
}

/** What has failed is not tried again at once: its owner would be told of each try. */
function notMigrated(t: Turn, vm: Vm, move: Move, summary: string): void {
  vm.noMigrate = t.now + NO_MIGRATE_MS;
  giveUp(t, vm, move, summary);
}

/** A target whose copy nobody can see is only looked at: to stop it could end the only copy that there is. */
function lookAtTarget(t: Turn, vm: Vm, move: Move, target: Copy): void {
  const name = copyName(target);
  const tried = move.tried.get(name) ?? [];
  const connected = t.s.hosts.get(target.host)?.connected === true;
  if (connected && (tried.length === 0 || t.now >= move.again)) {
    move.again = t.now + AGAIN_MS;
    const why = `Whether VM ${nameOf(vm)} has arrived on ${target.host} has to be seen.`;
    if (act(t, vm, move, { kind: 'prove', copy: target, why }) !== undefined) move.tried.set(name, [...tried, 'prove']);
    return;
  }
  if (move.step === 'unproven') return;
  move.step = 'unproven';
  const where = `Nobody can tell whether VM ${nameOf(vm)} runs on ${target.host}, to which it was migrated.`;
  hold(t, vm, move, target, `${where} Nothing is done with it until that is known.`);
}

/** Whether the source will not start it by itself; else that is wanted first, or it is given up. */
function autostartIsOff(t: Turn, vm: Vm, move: Move, home: Copy): boolean {
  const last = lastOf(t, move, 'autostart-off', home);
  if (last === undefined)
    act(t, vm, move, { kind: 'autostart-off', copy: home, why: whyOf('autostart-off', vm, home) });
  else if (last.state === 'confirmed') return true;
  else
    notMigrated(
      t,
      vm,
      move,
      `VM ${nameOf(vm)} is not migrated: ${home.host} may start it again by itself (${last.reason ?? last.state}).`,
    );
  return false;
}

function beginMigration(t: Turn, vm: Vm, move: Move, home: Copy): void {
  if (!isClean(t.s, vm)) {
    drop(t, vm, move, 'it has bad pages, and QEMU cannot carry them over');
    return;
  }
  if (home.state !== 'running' || t.s.hosts.get(home.host)?.connected !== true) {
    drop(t, vm, move, 'it does not run, or its host cannot be reached');
    return;
  }
  if (unprovenCopies(vm).some(c => c !== home)) {
    drop(t, vm, move, 'another copy of it is not proven to have stopped');
    return;
  }
  const out = { but: [home.host] };
  const to = bestPlace(t.s, vm, out);
  if (to === undefined) {
    noTarget(t, vm, move, out);
    return;
  }
  calm(t, 'no-target', vm.id);
  // A source that dies half-way and boots would start it beside the copy that has arrived.
  if (home.autostart && !autostartIsOff(t, vm, move, home)) return;
  const old = vm.copies.find(c => c.host === to);
  const { reason, against } = placeFor(t.s, vm, out);
  const doing = act(t, vm, move, {
    kind: 'migrate',
    copy: home,
    to,
    inputs: { target: reason, ...prefixed(against) },
    why: `VM ${nameOf(vm)} has no bad page and can be moved while it runs, to ${to}: ${reason}.`,
  });
  if (doing === undefined) return;
  move.before = vm.after;
  bindMove(t.s, vm, move, to);
  const copy: Copy = {
    host: to,
    epoch: home.epoch,
    ordered: true,
    state: 'starting',
    ran: true,
    since: hostNow(t, to),
    asked: t.now,
    autostart: false,
    told: old?.told ?? 0,
  };
  if (old?.place !== undefined) copy.place = old.place;
  if (old !== undefined) copy.life = lifeAfter(old);
  putCopy(t.s, vm, copy);
}
