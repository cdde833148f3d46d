/**
 * @module What must hold of every run, checked on inputs and effects alone: a second opinion that shares no code with the core.
 * I5 a start has a proof for every older copy; I7 an id for each transition; I9 no live migration of what is not clean, none
 * toward a host that drains; I10 budgets; pause; I12 the same again.
 */
import type { Act, StopProof } from '../core/act.ts';
import type { Effect, Input } from '../core/input.ts';
import type { Policy } from '../core/policy.ts';
import type { LeaseReport, Said } from '../core/said.ts';

interface Known {
  epoch: number;
  proven: boolean;
  /** Row at which it was last seen running, or its start was ordered; and the newest row about it. */
  alive: number;
  newest: number;
  /** When its host was read as off: what was written before is older. */
  off?: number;
  /** The start or migration that was to bring it, while nobody has seen it there. */
  unseen?: string;
}

/** What proves a stop, written down once more: the policy of the tests counts no other. */
function proves(proof: StopProof, policy: Policy): boolean {
  const e = proof.evidence;
  const gone = ['absent', 'zombie', 'other-start-time'].includes(e['process'] ?? '') && e['autostart'] === 'off';
  if (proof.kind === 'process-gone') return gone;
  if (proof.kind === 'domain-destroyed') return gone && ['shut off', 'undefined'].includes(e['domain'] ?? '');
  if (proof.kind === 'power-off') return e['power'] === 'off';
  if (proof.kind === 'image-lock') return e['lock'] === 'free' && policy.proofs.imageLock === 'one-kernel';
  return false;
}

/** @throws Error where it does not */
export function holds(it: boolean, what: string): void {
  if (!it) throw new Error(what);
}

const alive = (state: string): boolean => state !== 'gone' && state !== 'shut-off';

function newest(of: Map<string, number>, key: string, seq: number): void {
  of.set(key, Math.max(seq, of.get(key) ?? 0));
}

export class Watch {
  readonly #copies = new Map<string, Map<string, Known>>();
  readonly #rows = new Set<string>();
  readonly #acts = new Map<string, Act>();
  /** Looks from another host: the row at which the copy was last seen alive when it was asked. */
  readonly #asked = new Map<string, number>();
  /** Acts whose answer is awaited, and which of them end a second copy. */
  readonly #open = new Map<string, { act: Act; urgent: boolean }>();
  readonly #notices = new Set<string>();
  /** The newest row that told of bad memory of a VM on a host, and the newest that told that a reset has given it fresh memory. */
  readonly #hit = new Map<string, number>();
  readonly #fresh = new Map<string, number>();
  readonly #draining = new Set<string>();
  /** Known bad pages of hosts, and those of them that are in use again since a boot. */
  readonly #bad = new Map<string, Set<string>>();
  readonly #inUse = new Map<string, Set<string>>();
  /** The boot of each host: its first row, and its newest report. */
  readonly #boots = new Map<string, { boot: string; first: number; seq: number }>();
  readonly #hosts = new Set<string>();
  /** What each host has told of its leases last, and which hosts nobody hears. */
  readonly #leases = new Map<string, { seq: number; leases: readonly LeaseReport[] }>();
  readonly #away = new Set<string>();
  /** Host pages that were told of, and hosts by the time of their last new one; since when so many had one that nothing new may begin. */
  readonly #pages = new Set<string>();
  readonly #news = new Map<string, number>();
  #storm: { last: number } | undefined;
  /** `vm incident` of which an act was wanted. */
  readonly #begun = new Set<string>();
  #policy: Policy | undefined;
  #paused = false;
  #ordered = false;

  take(input: Input, effects: readonly Effect[]): void {
    if (input.input === 'tick')
      for (const [id, { act }] of this.#open) if (input.at >= act.deadline) this.#open.delete(id);
    if (input.input === 'act' && input.state === 'unknown') this.#open.delete(input.action);
    if (input.input === 'result') this.#answered(input.host, input.result.action);
    if (input.input === 'row' && input.row.said.kind === 'result')
      this.#answered(input.row.host, input.row.said.action);
    if (input.input === 'policy') this.#policy = input.policy;
    if (input.input === 'agent') {
      this.#hosts.add(input.host);
      if (input.connected) this.#away.delete(input.host);
      else this.#away.add(input.host);
    }
    if (input.input === 'order') this.#order(input);
    if (input.input === 'result')
      this.#proof(input.host, input.result.action, input.result.proof, Number.MAX_SAFE_INTEGER, input.at);
    if (input.input === 'row') {
      const { host, spool, seq: number, said } = input.row;
      this.#hosts.add(host);
      const id = `${host} ${spool} ${number}`;
      // Spools of a host are numbered: what stands in a later one is later.
      const seq = Number(spool.slice(spool.lastIndexOf('-') + 1)) * 1e6 + number;
      // An agent that begins anew knows nothing of what it was asked.
      if (said.kind === 'source' && said.source === 'agent' && said.state === 'reading' && number === 1)
        for (const [open, { act }] of this.#open)
          if (act.host === host && act.kind !== 'fence') this.#open.delete(open);
      if (!this.#rows.has(id)) this.#said(host, seq, said, input.row.at);
      else holds(effects.length === 0, `row ${id} came twice and did something`);
      this.#rows.add(id);
    }
    this.#storms(input);
    for (const [i, effect] of effects.entries()) this.#effect(effect, effects[i - 1]);
    this.#meant(effects);
  }

  /** I7: what an owner is told will be done is not taken back in the same breath. */
  #meant(effects: readonly Effect[]): void {
    const planned = new Set<string>();
    for (const effect of effects) {
      if (effect.effect !== 'notice') continue;
      const { id, type } = effect.notice;
      if (type === 'vm.restart.planned') planned.add(`${id}/withdrawn`);
      holds(type !== 'vm.restart.withdrawn' || !planned.has(id), `I7: ${id} is told with what it takes back`);
    }
  }

  /** I10: whether so many hosts have a new bad page that nothing new may begin. */
  #storms(input: Input): void {
    const { breaker } = this.#policy ?? {};
    if (breaker === undefined) return;
    if (input.input === 'policy' || (input.input === 'order' && input.order.order === 'breaker-close')) {
      this.#storm = undefined;
      this.#news.clear();
    }
    if (this.#storm !== undefined && breaker.cooldown > 0 && input.at - this.#storm.last >= breaker.cooldown)
      this.#storm = undefined;
    if (input.input !== 'row' || input.row.said.kind !== 'event') return;
    const { host, at, said } = input.row;
    const { name, fields } = said.event;
    if (name !== 'host.sigbus-sent') return;
    const page = `${host} ${String((fields as { pfn?: bigint }).pfn)}`;
    if (this.#pages.has(page)) return;
    this.#pages.add(page);
    // What is old, by a clock that may be off, is left to the core.
    if (Math.abs(input.at - at) > breaker.within / 2) return;
    this.#news.set(host, input.at);
    for (const [other, last] of this.#news) if (input.at - last > breaker.within) this.#news.delete(other);
    const limit = Math.max(breaker.hosts, Math.ceil((this.#hosts.size * breaker.percent) / 100));
    if (this.#storm !== undefined || this.#news.size >= limit) this.#storm = { last: input.at };
  }

  /** What a rule of the policy wants is not begun in a storm. What a person has ordered is, and what has begun goes on. */
  #calm(act: Act, rule: string): void {
    if (act.vm === undefined || ['prove', 'check', 'ask-lock', 'ask-lease'].includes(act.kind)) return;
    const key = `${act.vm} ${act.incident}`;
    const isRule = this.#policy?.rules.some(({ name }) => name === rule) === true;
    holds(this.#storm === undefined || !isRule || this.#begun.has(key), `I10: ${act.id} is begun in a storm of errors`);
    this.#begun.add(key);
  }

  #answered(host: string, action: string): void {
    if (this.#open.get(action)?.act.host === host) this.#open.delete(action);
  }

  /** I10: so many VMs are acted on as the policy says, and one more whose second copy is ended. */
  #budget(act: Act, urgent: boolean): void {
    if (!['prove', 'check', 'ask-lock', 'ask-lease'].includes(act.kind)) this.#open.set(act.id, { act, urgent });
    const open = [...this.#open.values()].filter(o => o.act.vm !== undefined);
    const doubles = open.filter(o => o.urgent);
    holds(doubles.length <= 1, `I10: ${act.id}: ${doubles.length} second copies are ended at once`);
    const vms = new Set(open.filter(o => !o.urgent).map(o => o.act.vm));
    const most = this.#policy?.budget.moves ?? 0;
    holds(vms.size <= most, `I10: ${act.id}: ${vms.size} VMs are acted on at once, and ${most} may be`);
  }

  #order(input: Input & { input: 'order' }): void {
    const { order } = input;
    if (order.order === 'pause') this.#paused = true;
    if (order.order === 'resume') this.#paused = false;
    if (order.order === 'drain') {
      this.#draining.add(order.host);
      this.#ordered = true;
    }
    if (order.order === 'repaired') this.#repaired(order.host);
    if (order.order === 'undrain') this.#draining.delete(order.host);
    if (order.order !== 'attest' || this.#isComing(order.vm, order.host)) return;
    const known = this.#copies.get(order.vm)?.get(order.host);
    if (known?.epoch === order.epoch) known.proven = true;
  }

  /** What a person has seen says nothing of what is on its way. */
  #isComing(vm: string, host: string): boolean {
    return [...this.#open.values()].some(
      ({ act }) =>
        act.vm === vm && ((act.kind === 'start' && act.host === host) || (act.kind === 'migrate' && act.to === host)),
    );
  }

  #repaired(host: string): void {
    this.#draining.delete(host);
    this.#bad.delete(host);
    this.#inUse.delete(host);
    for (const hit of this.#hit.keys()) if (hit.endsWith(` ${host}`)) this.#hit.delete(hit);
  }

  #boot(host: string, seq: number, boot: string): void {
    const known = this.#boots.get(host);
    if (known?.boot === boot) known.first = Math.min(known.first, seq);
    if (known !== undefined && known.seq > seq) return;
    if (known !== undefined && known.boot !== boot) this.#inUse.set(host, new Set(this.#bad.get(host)));
    this.#boots.set(host, { boot, seq, first: known?.boot === boot ? known.first : seq });
  }

  /** A page is bad, or taken out of use: in the boot that is known, or before it. */
  #page(host: string, pfn: bigint | undefined, seq: number): void {
    const page = String(pfn);
    const bad = this.#bad.get(host) ?? new Set();
    const inUse = this.#inUse.get(host) ?? new Set();
    if (seq > (this.#boots.get(host)?.first ?? 0)) inUse.delete(page);
    else if (!bad.has(page)) inUse.add(page);
    this.#bad.set(host, bad.add(page));
    this.#inUse.set(host, inUse);
  }

  #of(vm: string): Map<string, Known> {
    const of = this.#copies.get(vm) ?? new Map<string, Known>();
    this.#copies.set(vm, of);
    return of;
  }

  #said(host: string, seq: number, said: Said, at: number): void {
    if (said.kind === 'result') this.#proof(host, said.action, said.proof, seq);
    if (said.kind === 'result' && said.state === 'refused') this.#stayed(host, said.action);
    if (said.kind === 'result' && said.state === 'confirmed' && this.#acts.get(said.action)?.kind === 'reset')
      newest(this.#fresh, `${this.#acts.get(said.action)?.vm} ${host}`, seq);
    if (said.kind === 'event' && said.vm !== undefined && /^(host|vmm)\./.test(said.event.name))
      if (/sigbus|memory-failure|arm-sea/.test(said.event.name)) newest(this.#hit, `${said.vm} ${host}`, seq);
    if (said.kind === 'event' && said.event.name === 'host.sigbus-sent')
      this.#page(host, (said.event.fields as { pfn?: bigint }).pfn, seq);
    const done = said.kind === 'result' && said.state === 'confirmed' ? this.#acts.get(said.action) : undefined;
    if (done?.kind === 're-offline') this.#page(host, done.pfn, seq);
    if (said.kind === 'host') this.#boot(host, seq, said.boot);
    if (said.kind === 'host' && seq > (this.#leases.get(host)?.seq ?? -1))
      this.#leases.set(host, { seq, leases: said.leases ?? [] });
    if (said.kind !== 'vm') return;
    const of = this.#of(said.vm);
    const known = of.get(host);
    if (known !== undefined && seq <= known.newest) return;
    if (known !== undefined) known.newest = seq;
    if (!alive(said.state) || (known?.off ?? -1) > at) return;
    if (known === undefined) {
      of.set(host, { epoch: said.epoch, proven: false, alive: seq, newest: seq });
      return;
    }
    // The first that is heard of a copy that was started, or has come, there: its memory is none that an earlier copy there had.
    if (known.unseen !== undefined && said.epoch >= known.epoch) newest(this.#fresh, `${said.vm} ${host}`, seq);
    known.epoch = Math.max(known.epoch, said.epoch);
    known.alive = seq;
    known.proven = false;
    delete known.unseen;
  }

  /** What a host refuses it does not begin: no copy was started there, or has come to the target of a migration, unless one was seen. */
  #stayed(host: string, action: string): void {
    const act = this.#acts.get(action);
    if (act?.host !== host || (act.kind !== 'migrate' && act.kind !== 'start')) return;
    const known = this.#copies.get(act.vm ?? '')?.get(act.kind === 'start' ? act.host : (act.to ?? ''));
    if (known?.unseen === act.id) known.proven = true;
  }

  #proof(host: string, action: string, proof: StopProof | undefined, seq: number, off?: number): void {
    const act = this.#acts.get(action);
    if (proof === undefined || act === undefined || act.host !== host || act.vm === undefined) return;
    const of = act.of ?? host;
    if (proof.host !== of || proof.vm !== act.vm || this.#policy === undefined) return;
    if (proof.kind === 'sanlock' ? !this.#wasReset(of, proof, this.#policy) : !proves(proof, this.#policy)) return;
    const known = this.#copies.get(act.vm)?.get(of);
    if (known === undefined || proof.epoch < known.epoch) return;
    if (off !== undefined) known.off = off;
    // What another host has seen is true where its own host has told nothing since that was asked.
    if (act.of === undefined ? seq > known.alive : this.#asked.get(act.id) === known.alive) known.proven = true;
  }

  /** sanlock's rule: the lease that the host has told of, with a watchdog for it, has not been renewed for longer than its reset takes. */
  #wasReset(host: string, { evidence: e }: StopProof, { proofs }: Policy): boolean {
    const told = this.#leases
      .get(host)
      ?.leases.find(
        l =>
          `${l.lockspace} ${l.hostId} ${l.generation} ${l.owner}` ===
          `${e['lockspace']} ${e['hostId']} ${e['generation']} ${e['ownerName']}`,
      );
    const isDue = Number(e['unseenSeconds']) > 8 * (told?.ioTimeout ?? 0) + (told?.watchdog?.fireSeconds ?? Infinity);
    return proofs.sanlock && e['lease'] === 'dead' && isDue && this.#away.has(host);
  }

  #effect(effect: Effect, before: Effect | undefined): void {
    if (effect.effect === 'notice') {
      holds(!this.#notices.has(effect.notice.id), `I7: notice ${effect.notice.id} twice`);
      this.#notices.add(effect.notice.id);
      if (effect.notice.type === 'host.draining' && effect.notice.host !== undefined) this.#drains(effect.notice.host);
      return;
    }
    if (effect.effect === 'decision') {
      holds(/^[^@]+@/.test(effect.decision.policy), 'a decision without its policy');
      holds(effect.decision.rule !== '', 'a decision without its rule');
      return;
    }
    const { act } = effect;
    holds(before?.effect === 'decision', `act ${act.id} has no decision before it`);
    holds(!this.#acts.has(act.id), `I6: act ${act.id} is wanted twice`);
    holds(!this.#paused, `act ${act.id} while the fleet is paused`);
    this.#acts.set(act.id, act);
    this.#calm(act, before?.effect === 'decision' ? before.decision.rule : '');
    if (act.of !== undefined) this.#asked.set(act.id, this.#copies.get(act.vm ?? '')?.get(act.of)?.alive ?? 0);
    this.#budget(act, before?.effect === 'decision' && before.decision.rule === 'core/second-copy');
    if (act.kind === 'start') this.#start(act);
    if (act.kind === 'migrate') this.#migrate(act);
  }

  #drains(host: string): void {
    this.#draining.add(host);
    const { drainingPercent = 100, drainingAtLeast = 0 } = this.#policy?.budget ?? {};
    const most = Math.max(drainingAtLeast, Math.floor((this.#hosts.size * drainingPercent) / 100));
    holds(this.#ordered || this.#draining.size <= most, 'I10: too many hosts drain');
  }

  #start(act: Act): void {
    const of = this.#of(act.vm ?? '');
    for (const [host, known] of of) {
      holds(
        known.proven,
        `I4, I5: ${act.id}: the copy of epoch ${known.epoch} on ${host} is not proven to have stopped`,
      );
      holds(act.epoch > known.epoch, `I5: ${act.id} does not raise the epoch`);
    }
    holds(!this.#draining.has(act.host), `I8, I9: ${act.id} goes to a draining host`);
    this.#hasNoBadPage(act.id, act.host);
    const newest = of.get(act.host)?.newest ?? 0;
    of.set(act.host, { epoch: act.epoch, proven: false, alive: newest, newest, unseen: act.id });
  }

  #hasNoBadPage(act: string, host: string): void {
    const inUse = this.#inUse.get(host)?.size ?? 0;
    holds(inUse === 0, `I8: ${act} goes to ${host}, where ${inUse} bad pages are in use`);
  }

  #migrate(act: Act): void {
    const of = this.#of(act.vm ?? '');
    const about = `${act.vm} ${act.host}`;
    const isBad = (this.#hit.get(about) ?? -1) > (this.#fresh.get(about) ?? -1);
    holds(!isBad, `I9: ${act.id} moves a VM with bad memory while it runs`);
    holds(!this.#draining.has(act.to ?? ''), `I9: ${act.id} goes to a draining host`);
    this.#hasNoBadPage(act.id, act.to ?? '');
    const newest = of.get(act.to ?? '')?.newest ?? 0;
    of.set(act.to ?? '', { epoch: act.epoch, proven: false, alive: newest, newest, unseen: act.id });
  }
}
