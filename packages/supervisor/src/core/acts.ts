/** @module The life of an act: intent → sent → confirmed, failed or refused; after its deadline unknown, which is looked at. */
import type { Act, ActKind, ActResult, StopProof } from './act.ts';
import { alarm, calm, decide } from './turn.ts';
import type { Turn } from './turn.ts';
import type { ActionId, Epoch, HostId, IncidentId, Time } from './ids.ts';
import { hostNow, ranBy } from './clock.ts';
import { isAlive, newer } from './ledger.ts';
import { withLease } from './lease.ts';
import { storageOf } from './lock.ts';
import { beginMove, lookup } from './lookup.ts';
import { placeBeside } from './places.ts';
import { proofFault, proofSays, senderFault, setProof, STORAGE_BETWEEN, tellerOf } from './proof.ts';
import type { Teller } from './proof.ts';
import type { Policy } from './policy.ts';
import type { Doing, Page, Place, State, Vm } from './state.ts';
import type { Due } from './times.ts';
import { voidProof } from './vm.ts';

/** Finished acts that are kept, so that a late or second answer is known for what it is. */
const MAX_DONE = 5000;

const DEADLINE: Partial<Record<ActKind, keyof Policy['deadlines']>> = {
  stop: 'stop',
  terminate: 'stop',
  start: 'start',
  migrate: 'migrate',
  prove: 'prove',
  'autostart-off': 'prove',
  check: 'prove',
  'ask-lock': 'prove',
  'ask-lease': 'prove',
  fence: 'fence',
};

interface Wanted {
  kind: ActKind;
  host: HostId;
  vm?: Vm;
  page?: Page;
  epoch: Epoch;
  incident: IncidentId;
  to?: HostId;
  of?: HostId;
  lease?: NonNullable<Act['lease']>;
  urgent?: true;
  /** Rule and rung of the decision, its facts, and why. */
  rule: string;
  rung: string;
  inputs?: Record<string, string | number | boolean>;
  why: string;
}

/** Whether an act is under way. */
export function isFlying(doing: Doing | undefined): boolean {
  return doing?.state === 'intent' || doing?.state === 'sent';
}

/**
 * Wants an act, with the decision behind it. Nothing is wanted while the fleet is paused.
 * The id is a function of what is wanted and how often it was: a core that forgot that it wanted it wants the same again.
 * @returns the act, or undefined while the fleet is paused
 */
export function want(t: Turn, w: Wanted): Doing | undefined {
  const { s } = t;
  if (s.paused !== undefined) return undefined;
  const about = w.vm?.id ?? w.page?.key ?? w.host;
  const base = `${w.incident}/${w.kind}/${w.host}/${about}/${w.epoch}`;
  let id: ActionId = base;
  for (let n = 2; s.acts.has(id); n++) id = `${base}/${n}`;
  const deadline: Time = t.now + s.policy.deadlines[DEADLINE[w.kind] ?? 'act'];
  const doing: Doing = {
    id,
    kind: w.kind,
    host: w.host,
    epoch: w.epoch,
    incident: w.incident,
    deadline,
    state: 'intent',
    ...(w.vm === undefined ? {} : { vm: w.vm.id }),
    ...(w.page === undefined ? {} : { page: w.page.key }),
    ...(w.of === undefined ? {} : { of: w.of }),
    ...(w.lease === undefined ? {} : { asked: t.now }),
    ...(w.to === undefined ? {} : { to: w.to }),
    ...(w.urgent === undefined ? {} : { urgent: w.urgent }),
  };
  s.acts.set(id, doing);
  s.flying.push(id);
  const vm = w.vm === undefined ? {} : { vm: w.vm.id };
  decide(t, {
    incident: w.incident,
    host: w.host,
    ...vm,
    rule: w.rule,
    rung: w.rung,
    inputs: { act: w.kind, epoch: w.epoch, ...(w.to === undefined ? {} : { to: w.to }), ...w.inputs },
    why: w.why,
  });
  const act: Act = {
    id,
    kind: w.kind,
    host: w.host,
    ...vm,
    epoch: w.epoch,
    incident: w.incident,
    deadline,
    ...(w.to === undefined ? {} : { to: w.to }),
    ...(w.vm?.definition !== undefined && (w.kind === 'start' || w.kind === 'migrate')
      ? { definition: w.vm.definition }
      : {}),
    ...(w.of === undefined ? {} : { of: w.of }),
    ...(w.kind === 'ask-lock' && w.vm !== undefined ? { disks: w.vm.disks } : {}),
    ...(w.lease === undefined ? {} : { lease: w.lease }),
    ...(w.kind === 'check' && w.vm?.needs !== undefined ? { needs: w.vm.needs } : {}),
    ...(w.page?.pfn === undefined ? {} : { pfn: BigInt(w.page.pfn) }),
    ...(w.page?.gpa === undefined ? {} : { gpa: BigInt(w.page.gpa) }),
  };
  t.out.push({ effect: 'act', act });
  return doing;
}

const OFFLINES: ReadonlySet<ActKind> = new Set(['soft-offline', 'hard-offline', 're-offline']);

/** Ends the wait for an act. */
export function land(t: Turn, doing: Doing, state: Exclude<Doing['state'], 'intent' | 'sent'>, reason?: string): void {
  doing.state = state;
  if (reason !== undefined) doing.reason = reason.slice(0, 300);
  const { s } = t;
  // Its agent may not do it, also not when it is asked again.
  if (state === 'refused' && doing.kind === 're-offline') {
    const page = s.hosts.get(doing.host)?.pages.get(doing.page ?? '');
    if (page?.reofflines !== undefined) page.reofflines.again = Number.MAX_SAFE_INTEGER;
  }
  if (state !== 'confirmed' && OFFLINES.has(doing.kind))
    alarm(t, 'action-failed', `${doing.host} page ${doing.page ?? '?'}`, {
      incident: doing.incident,
      host: doing.host,
      summary: `Page ${doing.page ?? '?'} of ${doing.host} is not taken out of use: ${doing.reason ?? state}.`,
    });
  if (state === 'confirmed' && doing.page !== undefined) calm(t, 'action-failed', `${doing.host} page ${doing.page}`);
  s.flying = s.flying.filter(id => id !== doing.id);
  if (doing.vm !== undefined) t.vms.add(doing.vm);
  t.hosts.add(doing.host);
  if (s.acts.size <= MAX_DONE) return;
  for (const [id, old] of s.acts) {
    if (s.acts.size <= MAX_DONE) break;
    if (isFlying(old) || s.vms.get(old.vm ?? '')?.move?.incident === old.incident) continue;
    s.acts.delete(id);
    // Pages that it has moved are not known to be so any more.
    lookup(s).touch(old.host);
  }
}

/** An act whose deadline is over has an unknown outcome: it is looked at, never assumed. */
export function expireActs(t: Turn): void {
  for (const id of t.s.flying) {
    const doing = t.s.acts.get(id);
    if (doing === undefined || t.now < doing.deadline) continue;
    land(t, doing, 'unknown', 'no answer before its deadline');
  }
}

/** When the deadlines of {@link expireActs} are over. */
export function dueActs(s: State, due: Due): void {
  for (const id of s.flying) due(s.acts.get(id)?.deadline ?? 0);
}

/** Acts whose outcome counts only with a proof. */
const NEEDS_PROOF: ReadonlySet<ActKind> = new Set(['stop', 'prove', 'ask-lock', 'ask-lease', 'terminate', 'fence']);

/** Strangers' answers to one act that are noted: more of them say no more. */
const MAX_STRANGERS = 4;

/** Who answers: on which host, and whether it is the host's agent or a fence agent beside the controller. */
interface Answerer {
  host: HostId;
  teller: Teller;
}

/** An answer that is not its sender's to give changes nothing, and is noted. */
function refuse(t: Turn, doing: Doing, { host, teller }: Answerer, { proof, state }: ActResult, why: string): void {
  const name = `${teller} ${host}`;
  const known = doing.strangers ?? [];
  if (known.includes(name) || known.length >= MAX_STRANGERS) return;
  doing.strangers = [...known, name];
  decide(t, {
    incident: doing.incident,
    host,
    ...(doing.vm === undefined ? {} : { vm: doing.vm }),
    rule: 'core/answer-refused',
    rung: 'hold',
    inputs: { act: doing.id, from: name, state, ...(proof === undefined ? {} : { proof: proof.kind }) },
    why: `An answer to ${doing.kind} on ${doing.host} is refused: ${why}.`,
  });
}

/**
 * Takes the answer of an agent, or of a fence agent. What counts is what was seen, never that a command returned: a stop is
 * confirmed by its proof alone, also where the command failed because the host was off already.
 * @param place where the answer stands in the story of its host, where it came from there
 */
export function takeResult(t: Turn, from: Answerer, result: ActResult, place: Place): void {
  const { s } = t;
  const doing = s.acts.get(result.action);
  if (doing === undefined) return;
  if (doing.host !== from.host) return refuse(t, doing, from, result, `it is ${doing.host} that was asked`);
  const asked = tellerOf(doing.kind);
  if (asked !== from.teller) return refuse(t, doing, from, result, `that is answered by the ${asked} alone`);
  if (result.epoch !== doing.epoch)
    return refuse(t, doing, from, result, `it is for epoch ${result.epoch}, and epoch ${doing.epoch} was asked for`);
  if (doing.state !== 'intent' && doing.state !== 'sent' && doing.state !== 'unknown') return;
  doing.at = place.at;
  const vm = s.vms.get(doing.vm ?? '');
  const seen = result.seen?.['state'] ?? (result.seen?.['pid'] === undefined ? undefined : 'running');
  if (seen !== undefined) doing.seen = seen.slice(0, 40);
  if (NEEDS_PROOF.has(doing.kind)) {
    const sender = result.proof === undefined ? undefined : senderFault(result.proof.kind, from.teller, doing.kind);
    if (sender !== undefined) refuse(t, doing, from, result, sender);
    const fault = vm === undefined ? 'the VM is not known' : (sender ?? takeProof(t, vm, doing, result, place));
    if (fault === undefined) land(t, doing, 'confirmed');
    else land(t, doing, result.state === 'confirmed' ? 'unknown' : result.state, result.reason ?? fault);
    return;
  }
  // That a start was ordered is not seen to run.
  const unseen = doing.kind === 'start' && result.state === 'confirmed' && doing.seen !== 'running';
  if (result.state === 'confirmed') pageDone(t, doing, place);
  const copy = vm?.copies.find(c => c.host === doing.host);
  if (vm !== undefined && copy !== undefined && doing.kind === 'start' && doing.seen === 'running')
    ranBy(t, vm, copy, place.at);
  if (copy !== undefined && doing.kind === 'autostart-off' && result.state === 'confirmed') {
    copy.autostart = false;
    copy.told = Math.max(copy.told, doing.epoch);
  }
  if (doing.kind === 'start' && result.state === 'refused') neverRan(vm, doing);
  if (doing.kind === 'migrate' && result.state === 'refused') neverRan(vm, { ...doing, host: doing.to ?? '' });
  if (copy !== undefined && doing.kind === 'migrate' && result.seen?.['memory'] === 'poisoned') copy.poisoned = true;
  // Whatever was attested meanwhile: it runs.
  if (
    copy !== undefined &&
    doing.kind === 'start' &&
    result.state === 'confirmed' &&
    !unseen &&
    vm !== undefined &&
    newer(place, copy.proofPlace)
  )
    voidProof(t, vm, copy, doing.epoch);
  // Its VMM gives it fresh memory.
  if (copy !== undefined && doing.kind === 'reset' && result.state === 'confirmed') delete copy.poisoned;
  land(t, doing, unseen ? 'unknown' : result.state, unseen ? 'it was not seen to run' : result.reason);
}

/** An agent refuses before it does anything: the copy that was ordered is none. */
function neverRan(vm: Vm | undefined, { host, epoch }: Pick<Doing, 'host' | 'epoch'>): void {
  const copy = vm?.copies.find(c => c.host === host && c.epoch === epoch);
  if (copy?.state !== 'starting' || copy.another === true) return;
  copy.ran = false;
  copy.state = 'gone';
}

/** What an act on a page has come to, in the ledger. */
function pageDone({ s }: Turn, doing: Doing, place: Place): void {
  const host = s.hosts.get(doing.host);
  const page = host?.pages.get(doing.page ?? '');
  if (host === undefined || page === undefined) return;
  if (doing.kind === 'quarantine') page.quarantined = true;
  const sinceBoot = host.bootPlace === undefined || !newer(host.bootPlace, place);
  if (doing.kind !== 'quarantine' && sinceBoot) {
    page.applied = true;
    page.appliedAt = place.at;
  }
}

/**
 * Of a proof from another host: whether that has the kernel of the copy's host is ours to say, by the boots that both have told, and so is
 * on which storage the disks are.
 */
function fromAside({ s }: Turn, vm: Vm, { of = '', host: at }: Doing, proof: StopProof): StopProof {
  const boot = s.hosts.get(of)?.boot;
  const kernel = boot !== undefined && boot === proof.evidence['boot'] ? 'shared' : 'another';
  const asker = s.hosts.get(at);
  const storage = asker === undefined ? '' : storageOf(asker, vm).join(STORAGE_BETWEEN);
  return { ...proof, evidence: { ...proof.evidence, kernel, storage } };
}

/** Records a proof that counts; else says why it does not. */
function takeProof(t: Turn, vm: Vm, doing: Doing, { proof: given }: ActResult, told: Place): string | undefined {
  if (given === undefined) return 'no proof came with it';
  // Of a VM that is only looked at its copy is as its host has told it last.
  if (doing.of !== undefined && vm.move?.act !== doing.id) return 'what it was asked for is given up';
  const of = doing.of ?? doing.host;
  const copy = vm.copies.find(c => c.host === of);
  if (copy === undefined) return 'no copy is known there';
  const isLease = doing.kind === 'ask-lease';
  const aside = (): StopProof => (isLease ? withLease(t.s, copy, doing, given) : fromAside(t, vm, doing, given));
  const proof = doing.of === undefined ? given : aside();
  // What another host has seen stands in the story of the copy's host by its time: hosts of one kernel have one clock, others each their own.
  const seenAt = isLease ? hostNow(t, of) : told.at;
  const place = doing.of === undefined ? told : placeBeside(t.s, of, seenAt);
  if (proof.epoch !== doing.epoch)
    return `it is for epoch ${proof.epoch}, not for epoch ${doing.epoch} that was asked for`;
  const fault = proofFault(t.s.policy, vm.id, copy, proof);
  if (fault !== undefined) return fault;
  if (copy.place !== undefined && isAlive(copy.state) && newer(copy.place, place)) return 'it was seen to run since';
  setProof(t.s, copy, proof, place);
  // Known to have stopped, it is started again, whatever has not begun before.
  if (doing.of !== undefined && vm.move !== undefined) beginMove(t.s, vm, vm.move);
  decide(t, {
    incident: doing.incident,
    host: of,
    vm: vm.id,
    rule: 'core/stop-proof',
    rung: 'observe',
    inputs: { proof: proof.kind, epoch: proof.epoch, act: doing.id, ...proof.evidence },
    why: `The copy of epoch ${proof.epoch} on ${of} has stopped: ${proofSays(proof.kind)}.`,
  });
  return undefined;
}
