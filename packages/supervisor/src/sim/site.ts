/**
 * @module A site in a simulation: the production core under controllers over a store, agents with spools, links between them, and
 * everything that fails. All chance comes from one seed. What must hold is looked at after each thing that happens (facts: I1, I3 to I12
 * of the invariants; beside the core's own account, the truth of who runs where).
 */
import { event } from '@syndrome/decode/events/event.ts';
import type { Act } from '../core/act.ts';
import type { HostId, Time, VmId } from '../core/ids.ts';
import { nextDue } from '../core/due.ts';
import { consequenceOf } from '../core/incident.ts';
import type { Effect, Input, Order } from '../core/input.ts';
import { isPlannedStop } from '../core/ledger.ts';
import type { Policy } from '../core/policy.ts';
import { TERM_MS } from '../core/times.ts';
import type { State } from '../core/state.ts';
import { Agenda } from './agenda.ts';
import { Dice } from './chance.ts';
import { type Brought, Control, type ControlFlaws, LeaseLost, Store } from './control.ts';
import { ACT_FATES, DELAY, type Fault, FAULTS, LASTS, WORST } from './faults.ts';
import { Fleet, type FleetFlaws, RESET_MS } from './fleet.ts';
import { Watch } from './watch.ts';

/** 2026-12-01T00:00:00Z. */
export const START = Date.UTC(2026, 11, 1);
export const HOUR = 3_600_000;
/** Of one site; what is wrong once is wrong again. */
const MAX_VIOLATIONS = 20;
/** Within so long behind whatever comes, time passes for the core; then when it has something due. */
const TICK_MS = 1_000;
/** An agent of which nothing is heard for so long is taken for gone. */
const SILENT_MS = 15_000;
/** Decisions that say that errors of a host may have been missed. */
const GAPS: ReadonlySet<string> = new Set(['core/gap', 'core/unseen-errors', 'core/agent-anew']);
/** After everything is mended all has to come to its end within so long. */
export const HEAL_MS = 4 * HOUR;

/** Something that must hold and did not. */
export interface Violation {
  /** `I4`, …; `core` where the core itself failed. */
  invariant: string;
  seed: number;
  /** Hours since the beginning. */
  hours: number;
  what: string;
}

/** What a site is made without, to see whether that is noticed. */
export interface SiteFlaws extends FleetFlaws, ControlFlaws {
  /** No storm stops anything. */
  breaker?: boolean;
  /** An agent compares with the last number of its spool alone, whoever wrote that row. */
  numbers?: boolean;
}

export interface SiteOptions {
  seed: number;
  hosts: number;
  /** How long, before everything is mended. */
  hours: number;
  faultsPerHostHour: number;
  policy: Policy;
  flaws?: SiteFlaws;
  /** Ledgers that several controllers share, each of hosts of its own. Default 1. */
  shards?: number;
}

/** What there was. */
export interface SiteCounts {
  faults: number;
  starts: number;
  proofs: number;
  inputs: number;
  /** How often each thing that fails was met: those that were struck, and what came of them on the way. */
  nemesis: Nemeses;
  violations: Violation[];
}

/** What fails by itself because something else has: rows and acts that are lost on their way, …; a controller that is paused beyond its lease. */
const MET = [
  'rows-dropped',
  'rows-twice',
  'rows-reordered',
  'acts-dropped',
  'acts-late',
  'answers-lost',
  'acts-stuck',
  'lease-outlived',
  'shards-led',
  'shards-given',
  'late-write-refused',
  'commits-lost',
  'rows-unwritten',
  'pid-reused',
  'arm-silent',
  'fence-failed',
] as const;

/** Everything that fails, and how often it did. */
export type Nemeses = Record<Fault | (typeof MET)[number], number>;

/** Of nothing anything yet. */
export const noNemeses = (): Nemeses =>
  Object.fromEntries([...Object.keys(FAULTS), ...MET].map(name => [name, 0])) as Nemeses;

interface Link {
  /** Whom the agent is connected to, if it is. */
  to: Control | undefined;
  /** Grows with each connection; what was on its way in an earlier one is lost. */
  session: number;
  /** Rows of this session that are on their way or there. */
  sent: number;
  cutUntil: Time;
  pausedUntil: Time;
  /** Acts that lie in the socket of an agent that is paused: it reads them once it goes on, whatever has become of the connection. */
  buffered: Act[];
}

/** Whoever decides which controller works on a ledger, where that is shared among several of them. */
export interface Governor {
  readonly agenda: Agenda;
  /** The process of a controller dies, and begins anew after so long. */
  dies(control: Control, ms: number): void;
  /** It stands still for so long. */
  pauses(control: Control, ms: number): void;
  /** All of them die, and begin anew after so long. */
  away(ms: number): void;
  /** It has found that another one has its lease. */
  lost(control: Control): void;
}

export class Site {
  readonly #options: SiteOptions;
  readonly #governor: Governor | undefined;
  readonly #dice: Dice;
  readonly #agenda: Agenda;
  readonly #fleet: Fleet;
  readonly #store = new Store();
  /** The one that has the lease. */
  #control: Control;
  /** Those that were paused for longer than their lease, and do not know it yet. */
  readonly #late = new Set<Control>();
  readonly #watch = new Watch();
  readonly #links = new Map<HostId, Link>();
  /** Fence agents that do not switch anything off until then. */
  readonly #fenceDead = new Map<HostId, Time>();
  /** Acts that are on their way, or that a fence agent works on. */
  readonly #underWay = new Map<string, Act>();
  readonly #counts: SiteCounts = {
    faults: 0,
    starts: 0,
    proofs: 0,
    inputs: 0,
    nemesis: noNemeses(),
    violations: [],
  };
  #storeAwayUntil = 0;
  /** Ends of gaps that last. */
  readonly #open = new Set<() => void>();
  /** With the next commit its server fails, ms: until then nobody knows whether that commit was written. */
  #failsOver: number | undefined;
  #unsureUntil = 0;
  /** Errors that a kernel has counted and nobody has read, by host and boot: the newest; and when a host was last told to have such. */
  readonly #unread = new Map<string, Time>();
  readonly #gaps = new Map<HostId, Time>();
  /** Boots of hosts of which errors without an address were told: how many errors these are is not certain. */
  readonly #blurred = new Set<string>();
  /** Acts that were under way when the last controller went, while none works. */
  #orphans: ReadonlySet<string> | undefined;
  #hasBegun = false;
  #healing = false;
  #pfn = 0n;

  constructor(options: SiteOptions, governor?: Governor) {
    this.#options = options;
    this.#governor = governor;
    this.#agenda = governor?.agenda ?? new Agenda(START);
    this.#dice = new Dice(options.seed);
    const hosts = Array.from({ length: options.hosts }, (_, i) => `h${i + 1}`);
    // Room is left for what moves.
    const homes = Array.from({ length: Math.max(1, Math.ceil(options.hosts * 0.75)) }, (_, i) => {
      const autostart = this.#dice.happens(0.7);
      return [`v${i + 1}`, hosts[i % Math.ceil(hosts.length * 0.6)] ?? 'h1', autostart] as const;
    });
    for (const id of hosts)
      this.#links.set(id, { to: undefined, session: 0, sent: 0, cutUntil: 0, pausedUntil: 0, buffered: [] });
    this.#control = new Control(this.#store, options.flaws);
    this.#fleet = new Fleet(
      hosts,
      homes,
      {
        now: () => this.#agenda.now,
        heard: () => this.#control.time(this.#agenda.now),
        fenced: (host, result) => this.#offer({ input: 'result', at: 0, host, result }),
        down: host => {
          this.#link(host).buffered = [];
          this.#break(host);
        },
        spooled: host => this.#hasBegun && this.#wake(host),
        unread: host => this.#unread.set(`${host} ${this.#fleet.agent(host).boot}`, this.#agenda.now),
      },
      options.flaws,
    );
  }

  /**
   * Lets all of it happen, some minutes at a time.
   * @param told is called with the hours that have passed, of those that were asked for
   * @throws what the signal gives as its reason
   */
  async run(signal?: AbortSignal, told?: (hours: number) => void): Promise<SiteCounts> {
    this.start();
    await this.#pass(this.#options.hours * HOUR, signal, told);
    this.heal();
    await this.#pass(HEAL_MS, signal);
    return this.settled();
  }

  /** From now on agents connect, and things fail. */
  start(): void {
    const { hosts, faultsPerHostHour } = this.#options;
    this.#hasBegun = true;
    for (const id of this.#fleet.hosts) {
      this.#fleet.agent(id).connected = false;
      this.#agenda.after(this.#dice.between(0, 2000), () => this.#connect(id));
    }
    if (this.#governor === undefined) this.#begin();
    const mean = HOUR / (hosts * faultsPerHostHour);
    const next = (): void =>
      this.#agenda.after(this.#dice.exponential(mean), () => {
        if (this.#healing) return;
        this.#strike(this.#dice.weighted(FAULTS));
        next();
      });
    next();
  }

  /** Whether its store answers nobody now. */
  get isAway(): boolean {
    return this.#storeAwayUntil > this.#agenda.now;
  }

  /** Another controller has got the lease of its ledger, and works from now on. */
  lead(epoch: number): Control {
    const before = this.#control;
    if (before.state !== undefined) {
      this.#late.add(before);
      this.#met('lease-outlived');
    }
    if (epoch <= this.#store.epoch) this.#wrong('S1', `epoch ${epoch} follows ${this.#store.epoch}`);
    this.#met('shards-led');
    this.#forgetFences();
    this.#control = new Control(this.#store, this.#options.flaws);
    this.#begin(epoch);
    if (this.#healing) this.#resume();
    return this.#control;
  }

  /** Time passes for a controller. */
  tick(control: Control): void {
    this.#offer({ input: 'tick', at: 0 }, control);
  }

  /** A controller works on its ledger no more. @param inOrder what has come to it is written first */
  leave(control: Control, inOrder: boolean): void {
    if (inOrder) {
      this.#met('shards-given');
      this.#commit(control);
    }
    if (control.state !== undefined) this.#leave(control);
    if (control === this.#control) this.#forgetFences();
  }

  /** Between two pieces of it the rest of the program lives: an hour of few hosts, less of many. */
  async #pass(ms: number, signal: AbortSignal | undefined, told?: (hours: number) => void): Promise<void> {
    const began = this.#agenda.now;
    const piece = Math.max(10_000, HOUR / Math.max(1, this.#options.hosts / 50));
    while (this.#agenda.now < began + ms) {
      this.#agenda.until(Math.min(began + ms, this.#agenda.now + piece));
      await new Promise(resolve => setImmediate(resolve));
      signal?.throwIfAborted();
      told?.((this.#agenda.now - began) / HOUR);
    }
  }

  /** Notes that something that must hold did not. */
  #wrong(invariant: string, what: string): void {
    const { violations } = this.#counts;
    const last = violations.at(-1);
    if (violations.length >= MAX_VIOLATIONS || last?.what === what) return;
    violations.push({
      invariant,
      seed: this.#options.seed,
      hours: Math.round(((this.#agenda.now - START) / HOUR) * 1000) / 1000,
      what,
    });
  }

  #met(what: keyof Nemeses, times = 1): void {
    this.#counts.nemesis[what] += times;
  }

  #link(host: HostId): Link {
    const link = this.#links.get(host);
    if (link === undefined) throw new RangeError(`no host ${host}`);
    return link;
  }

  #delay(): number {
    const { from, to, slow, slowTo } = DELAY;
    return this.#dice.between(from, this.#dice.happens(slow) ? slowTo : to);
  }

  /** Something comes to a controller, and is written with whatever else comes meanwhile. */
  #offer(input: Input, control = this.#control): void {
    control.offer(input);
    this.#commitSoon(control, this.#dice.between(1, 10));
  }

  #commitSoon(control: Control, ms: number): void {
    if (control.committing) return;
    control.committing = true;
    this.#agenda.after(Math.max(ms, this.#awayFor(control)), () => {
      control.committing = false;
      // It may have gone away since.
      if (this.#awayFor(control) > 0) this.#commitSoon(control, 50);
      else this.#commit(control);
    });
  }

  /** How long a controller writes nothing, ms. */
  #awayFor(control: Control): number {
    return Math.max(this.#storeAwayUntil, control.pausedUntil) - this.#agenda.now;
  }

  #commit(control: Control): void {
    if (this.#failsOver !== undefined && control === this.#control && control.hasNews) {
      this.#unsureUntil = this.#agenda.now + this.#failsOver;
      this.#failsOver = undefined;
    }
    // A server that takes the place of another one may lack what that one wrote last, and told nobody of.
    if (
      !this.#healing &&
      control === this.#control &&
      this.#unsureUntil > this.#agenda.now &&
      this.#dice.happens(WORST.loses)
    ) {
      this.#met('commits-lost');
      return this.#killController(this.#unsureUntil - this.#agenda.now);
    }
    try {
      const { brought, spools, twice, reordered } = control.commit(this.#agenda.now);
      this.#met('rows-twice', twice);
      this.#met('rows-reordered', reordered);
      if (this.#governor !== undefined && control !== this.#control && brought.length > 0)
        this.#wrong('S1', 'one that leads no more has written');
      for (const { input, effects } of brought) this.#look(input, effects);
      this.#tickNext(brought, control);
      // At the worst moment: it is written, and nobody knows.
      const dies = WORST.dies * Math.min(1, WORST.few / this.#options.hosts);
      if (brought.length > 0 && !this.#healing && this.#dice.happens(dies)) return this.#killController(1000);
      const tell = (): void => {
        for (const { effects } of brought)
          for (const effect of effects) if (effect.effect === 'act') this.#hand(effect.act, control);
        for (const spool of spools) this.#acknowledge(spool, control);
      };
      // Another server has taken the place of the one that wrote it: that it has it is seen when it is there.
      if (this.#unsureUntil > this.#agenda.now) {
        this.#storeAwayUntil = Math.max(this.#storeAwayUntil, this.#unsureUntil);
        this.#agenda.after(this.#unsureUntil - this.#agenda.now, tell);
      } else tell();
    } catch (error) {
      if (error instanceof LeaseLost) {
        this.#met('late-write-refused');
        this.#leave(control);
        return this.#governor?.lost(control);
      }
      this.#wrong('core', error instanceof Error ? error.message : String(error));
    }
  }

  /** A controller ends, and those that were connected to it come to the one that works. */
  #leave(control: Control): void {
    control.die();
    this.#late.delete(control);
    for (const host of this.#fleet.hosts) {
      const link = this.#link(host);
      if (link.to !== control) continue;
      this.#cut(host);
      this.#agenda.after(this.#dice.between(20, 2000), () => this.#connect(host));
    }
  }

  /** A second opinion on what the core wants, and the count of it. */
  #look(input: Input, effects: readonly Effect[]): void {
    if (input.input === 'row' && input.row.said.kind === 'result' && input.row.said.proof !== undefined)
      this.#counts.proofs++;
    if (input.input === 'result' && input.result.proof !== undefined) this.#counts.proofs++;
    for (const effect of effects) if (effect.effect === 'act' && effect.act.kind === 'start') this.#counts.starts++;
    for (const effect of effects)
      if (effect.effect === 'decision' && effect.decision.host !== undefined && GAPS.has(effect.decision.rule))
        this.#gaps.set(effect.decision.host, this.#agenda.now);
    try {
      // It judges by what the operator wanted.
      const { policy } = this.#options;
      this.#watch.take(input.input === 'policy' ? { ...input, policy } : input, effects);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      this.#wrong(/^(I\d+)/.exec(what)?.[1] ?? 'core', what);
    }
  }

  #acknowledge(key: string, control: Control): void {
    const [host = '', spool = ''] = key.split(' ');
    const upto = control.upto(host, spool) ?? 0;
    const link = this.#link(host);
    if (link.to !== control) return;
    const { session } = link;
    this.#agenda.after(this.#delay(), () => {
      if (link.session === session) this.#forget(host, spool, upto);
    });
  }

  /** An agent keeps no longer what is durable elsewhere. */
  #forget(host: HostId, spool: string, upto: number): void {
    const { unsent } = this.#fleet.agent(host);
    const link = this.#link(host);
    const { length } = unsent;
    const kept = unsent.findIndex(row => row.spool !== spool || row.seq > upto);
    for (const row of unsent.splice(0, kept < 0 ? length : kept))
      if (!this.#store.taken.has(row))
        this.#wrong('I1', `${host}: row ${row.seq} of ${row.spool} is acknowledged, and another one was taken for it`);
    link.sent = Math.max(0, link.sent - (length - unsent.length));
  }

  /** An act goes to its agent, or to a fence agent beside the controller. */
  #hand(act: Act, control: Control): void {
    const { state } = control;
    if (state === undefined || (state.paused !== undefined && act.kind !== 'prove')) return;
    if (act.kind === 'fence') return this.#fence(act);
    const link = this.#link(act.host);
    if (link.to !== control) return;
    const { session } = link;
    this.#underWay.set(act.id, act);
    this.#offer({ input: 'act', at: 0, action: act.id, state: 'sent' }, control);
    this.#agenda.after(this.#delay(), () => {
      if (link.pausedUntil > this.#agenda.now) {
        this.#met('acts-late');
        link.buffered.push(act);
      } else if (link.session === session) this.#obey(act);
      else {
        this.#met('acts-dropped');
        this.#underWay.delete(act.id);
      }
    });
  }

  #obey(act: Act): void {
    this.#underWay.delete(act.id);
    if (!this.#fleet.agent(act.host).up) return;
    if (this.#orphans?.has(act.id) === false) this.#wrong('I13', `${act.id} is carried out while no controller works`);
    const fate = this.#healing ? 'done' : this.#dice.weighted(ACT_FATES);
    if (fate !== 'done') this.#met(fate === 'stuck' ? 'acts-stuck' : 'answers-lost');
    this.#fleet.obey(act, fate);
    if (act.vm !== undefined) this.#check(act.vm);
  }

  #fence(act: Act): void {
    if (this.#underWay.has(act.id)) return;
    this.#underWay.set(act.id, act);
    this.#agenda.after(this.#dice.between(1000, 10_000), () => {
      this.#underWay.delete(act.id);
      const dead = (this.#fenceDead.get(act.host) ?? 0) > this.#agenda.now;
      if (dead) this.#met('fence-failed');
      this.#fleet.fence(act, dead ? 'stuck' : 'done');
      // Whoever was switched off is switched on again by somebody.
      if (!this.#fleet.agent(act.host).up) this.#bootLater(act.host, this.#dice.between(60_000, 900_000));
    });
  }

  /** I4, by the truth. */
  #check(vm: VmId): void {
    if (this.#fleet.isDoubled(vm)) this.#wrong('I4', `${vm} runs on ${[...this.#fleet.at(vm)].join(' and ')}`);
  }

  /** Rows of an agent go out: all that were not sent in this connection. */
  #wake(host: HostId): void {
    const agent = this.#fleet.agent(host);
    const link = this.#link(host);
    if (!agent.connected || link.pausedUntil > this.#agenda.now || link.sent >= agent.unsent.length) return;
    const rows = agent.unsent.slice(link.sent);
    link.sent = agent.unsent.length;
    agent.known = Math.max(agent.known, agent.seq);
    const { session, to } = link;
    this.#agenda.after(this.#delay(), () => {
      if (link.session !== session) return this.#met('rows-dropped', rows.length);
      for (const row of rows) this.#offer({ input: 'row', at: 0, row }, to);
    });
    // At the worst moment: rows, or what is said of them, are lost on their way.
    if (!this.#healing && this.#dice.happens(WORST.breaks))
      this.#agenda.after(this.#dice.between(0, 60), () => {
        if (link.session !== session) return;
        this.#break(host);
        this.#connect(host);
      });
  }

  /** A connection ends, and what is on its way in it is lost. */
  #break(host: HostId): void {
    const { to } = this.#link(host);
    this.#cut(host);
    if (to !== undefined) this.#offer({ input: 'agent', at: 0, host, connected: false }, to);
  }

  #cut(host: HostId): void {
    const link = this.#link(host);
    link.session++;
    link.sent = 0;
    link.to = undefined;
    this.#fleet.agent(host).connected = false;
  }

  /** An agent connects, where it can; else it tries again. */
  #connect(host: HostId): void {
    const agent = this.#fleet.agent(host);
    const link = this.#link(host);
    if (agent.connected || !agent.up) return;
    const { now } = this.#agenda;
    const wait = Math.max(link.cutUntil, link.pausedUntil) - now;
    if (wait > 0 || this.#control.state === undefined) {
      this.#agenda.after(Math.max(wait, 500) + this.#dice.between(0, 500), () => this.#connect(host));
      return;
    }
    agent.connected = true;
    link.session++;
    link.sent = 0;
    link.to = this.#control;
    // Rows that it neither has found on its disk nor has sent: the disk has lost them, and their numbers may not be used for others.
    const known = this.#options.flaws?.numbers === true ? agent.seq : agent.known;
    if (this.#control.newest(host, `${host}-${agent.life}`) > known) this.#fleet.renew(host);
    const spool = `${host}-${agent.life}`;
    const upto = this.#control.upto(host, spool);
    const anew = upto === undefined;
    // That is said when it is welcomed.
    if (!anew) this.#forget(host, spool, upto);
    this.#offer({ input: 'agent', at: 0, host, connected: true });
    for (const { act, sent } of this.#store.open.values()) {
      if (act.host !== host || act.kind === 'fence') continue;
      const reason = 'its agent has another spool, and may have lost what it did';
      if (anew && sent) this.#offer({ input: 'act', at: 0, action: act.id, state: 'unknown', reason });
      else this.#hand(act, this.#control);
    }
    this.#wake(host);
  }

  /** A controller begins to work: it hears nobody yet. */
  #begin(epoch?: number): void {
    const isFirst = this.#store.inputs === 0;
    this.#orphans = undefined;
    const strayed = this.#control.begin(epoch);
    if (strayed !== undefined) this.#wrong('I12', strayed);
    if (isFirst) {
      const { policy, flaws } = this.#options;
      const none = { ...policy.breaker, hosts: 1e9, percent: 100 };
      const given = flaws?.breaker === true ? { ...policy, breaker: none } : policy;
      this.#offer({ input: 'policy', at: 0, by: 'site', policy: given });
    }
    for (const host of this.#fleet.hosts) {
      this.#offer({ input: 'agent', at: 0, host, connected: false });
      this.#agenda.after(this.#dice.between(20, 2000), () => this.#connect(host));
    }
    this.#offer({ input: 'fences', at: 0, hosts: this.#fleet.hosts });
    for (const { act } of this.#store.open.values()) if (act.kind === 'fence') this.#hand(act, this.#control);
  }

  /** Time passes for a controller at that moment, or earlier where that is asked for. */
  #tickAt(at: Time, control: Control): void {
    if (at >= control.tickAt) return;
    control.tickAt = at;
    this.#agenda.after(at - this.#agenda.now, () => {
      if (control.tickAt !== at) return;
      control.tickAt = Number.POSITIVE_INFINITY;
      this.#offer({ input: 'tick', at: 0 }, control);
    });
  }

  /** Time passes again when it brings something: soon behind whatever else came. */
  #tickNext(brought: readonly Brought[], control: Control): void {
    const { state } = control;
    if (state === undefined) return;
    const isQuiet = brought.every(({ input, effects }) => input.input === 'tick' && effects.length === 0);
    if (!isQuiet) this.#tickAt(this.#agenda.now + this.#dice.between(0, TICK_MS), control);
    else if (brought.length > 0) {
      const due = nextDue(state);
      const { now } = this.#agenda;
      if (due < Number.POSITIVE_INFINITY) this.#tickAt(now + Math.max(1, control.until(due, now)), control);
    }
  }

  #bootLater(host: HostId, ms: number): void {
    this.#agenda.after(ms, () => {
      if (this.#fleet.agent(host).up) return;
      this.#fleet.boot(host, this.#underWay.values());
      for (const vm of this.#fleet.on(host)) this.#check(vm);
      this.#connect(host);
    });
  }

  #order(order: Order): void {
    this.#offer({ input: 'order', at: 0, by: 'ann', order });
  }

  /** How long a fault lasts, ms. */
  #lasts(fault: Fault): number {
    const [from, to] = LASTS[fault] ?? [0, 0];
    return this.#dice.between(from, to);
  }

  #strike(fault: Fault): void {
    this.#counts.faults++;
    this.#met(fault);
    const dice = this.#dice;
    const fleet = this.#fleet;
    const host = dice.pick(fleet.hosts);
    const vm = dice.pick(fleet.vms);
    const ms = this.#lasts(fault);
    const link = this.#link(host);
    switch (fault) {
      case 'page':
        return fleet.page(vm, ++this.#pfn);
      case 'page-again':
        return fleet.page(vm, BigInt(dice.below(Number(this.#pfn) + 1)));
      case 'unlocated':
      case 'guest-panics':
      case 'guest-lies':
      case 'guest-off':
        return this.#inGuest(fault, vm);
      case 'vmm-dies':
        return fleet.die(vm);
      case 'kernel-fails':
        return this.#failKernel(host);
      case 'page-storm': {
        const pfn = ++this.#pfn;
        for (let i = 0; i < 500; i++) fleet.page(vm, pfn);
        return;
      }
      case 'repeat-storm':
        return this.#repeat(vm, ++this.#pfn, 30);
      case 'silent-error':
        if (fleet.agent(host).up) fleet.error(host, ++this.#pfn, () => false);
        return;
      case 'many-hosts':
        for (const other of fleet.vms)
          if (dice.happens(0.5)) for (let i = 0; i < 3; i++) fleet.page(other, ++this.#pfn);
        return;
      case 'host-crash':
      case 'host-crash-short':
        if (!fleet.agent(host).up) return;
        fleet.crash(host);
        return this.#bootLater(host, ms);
      case 'disk-lies':
        // At the worst moment: what is said last may be known to the controller, and not be on the disk.
        for (const there of fleet.on(host)) fleet.page(there, ++this.#pfn);
        return this.#agenda.after(dice.between(0, 1500), () => {
          if (!fleet.agent(host).up) return;
          this.#met('rows-unwritten', fleet.crash(host, true));
          this.#bootLater(host, ms);
        });
      case 'disk-full':
      case 'reader-stops':
        return this.#gap(host, fault === 'disk-full' ? 'full' : 'deaf', ms);
      case 'storage-lost':
        // Its watchdog resets it once its lease is over.
        return this.#agenda.after(RESET_MS, () => {
          if (!fleet.agent(host).up) return;
          fleet.crash(host);
          this.#bootLater(host, dice.between(30_000, 300_000));
        });
      case 'link-break':
      case 'link-cut':
        link.cutUntil = Math.max(link.cutUntil, this.#agenda.now + ms);
        if (!fleet.agent(host).connected) return;
        this.#break(host);
        return this.#connect(host);
      case 'agent-pause':
        return this.#pauseAgent(host, ms);
      case 'agent-restarts':
        return this.#restartAgent(host);
      case 'agent-loses-disk':
        return this.#loseDisk(host);
      case 'host-clock':
        fleet.agent(host).off += dice.pick([-3_600_000, -60_000, 60_000, 3_600_000]);
        return;
      case 'rows-again':
        link.sent = 0;
        return this.#wake(host);
      case 'fence-dead': {
        // Nobody asks the BMC of a host without VMs.
        const [its = host] = fleet.at(vm);
        this.#fenceDead.set(its, this.#agenda.now + ms);
        // One that has no power of its own is dead when it is needed.
        if (!fleet.agent(its).up || !dice.happens(WORST.together)) return;
        fleet.crash(its);
        return this.#bootLater(its, ms);
      }
      case 'controller-dies':
        return this.#killController(ms);
      case 'controller-pauses':
        return this.#pauseController(ms);
      case 'controller-clock':
        this.#control.off = dice.pick([-3_600_000, -60_000, 60_000, 3_600_000]);
        return;
      case 'controllers-away':
        if (this.#governor === undefined) this.#killController(ms);
        else this.#governor.away(ms);
        this.#orphans = new Set(this.#underWay.keys());
        return;
      case 'store-away':
        this.#storeAwayUntil = this.#agenda.now + ms;
        return;
      case 'store-fails-over':
        this.#failsOver = ms;
        return;
      case 'pause':
        this.#order({ order: 'pause' });
        return this.#agenda.after(ms, () => this.#order({ order: 'resume' }));
      case 'drain':
      case 'undrain':
      case 'repaired':
        return this.#order({ order: fault, host });
      case 'restart':
      case 'terminate':
      case 'planned-stop':
        return this.#order({ order: fault, vm });
      case 'attest':
        return this.#attest();
    }
  }

  #failKernel(host: HostId): void {
    if (!this.#fleet.agent(host).up) return;
    const pfn = ++this.#pfn;
    const seen = event('host.memory-failure', { pfn, page: 'reserved kernel page', result: 'Ignored' });
    this.#fleet.error(host, pfn, () => this.#fleet.event(host, 'kmsg', seen));
  }

  /** A guest reads a page again and again, ten thousand times a second: its agent puts together what comes within a second. */
  #repeat(vm: VmId, pfn: bigint, seconds: number): void {
    this.#fleet.page(vm, pfn, 10_000);
    if (seconds > 1) this.#agenda.after(1000, () => this.#repeat(vm, pfn, seconds - 1));
  }

  #gap(host: HostId, what: 'full' | 'deaf', ms: number): void {
    const gap = this.#fleet.gap(host, what, ms);
    if (gap === undefined) return;
    this.#open.add(gap.end);
    this.#agenda.after(ms, () => {
      if (this.#open.delete(gap.end)) gap.end();
    });
  }

  /** The process of an agent begins anew. What lies in its socket is lost. */
  #restartAgent(host: HostId): void {
    const agent = this.#fleet.agent(host);
    if (!agent.up || this.#link(host).pausedUntil > this.#agenda.now) return;
    if (agent.connected) this.#break(host);
    const reused = this.#dice.happens(0.5);
    if (reused) this.#met('pid-reused');
    this.#fleet.restart(host, reused);
    this.#connect(host);
  }

  #inGuest(fault: 'unlocated' | 'guest-panics' | 'guest-lies' | 'guest-off', vm: VmId): void {
    const [host] = this.#fleet.at(vm);
    if (host === undefined) return;
    if (fault === 'guest-off') return this.#fleet.end(host, vm, 'shutdown');
    const seen = {
      unlocated: event('vmm.memory-failure', {
        recipient: 'guest',
        action: 'inject',
        actionRequired: true,
        recursive: false,
      }),
      'guest-panics': event('vmm.guest-panicked', { action: 'pause' }),
      'guest-lies': event('guest.memory-failure', { pfn: 1n, page: 'x', result: 'Failed' }),
    }[fault];
    if (fault !== 'unlocated') return void this.#fleet.event(host, 'qmp', seen, { vm });
    if (this.#fleet.isArm(host)) this.#met('arm-silent');
    // Its kernel has handled that, whoever tells of it.
    this.#blurred.add(`${host} ${this.#fleet.agent(host).boot}`);
    this.#fleet.error(
      host,
      ++this.#pfn,
      () => !this.#fleet.isArm(host) && this.#fleet.event(host, 'qmp', seen, { vm }),
    );
  }

  #pauseAgent(host: HostId, ms: number): void {
    const link = this.#link(host);
    const agent = this.#fleet.agent(host);
    if (!agent.up) return;
    const until = this.#agenda.now + ms;
    link.pausedUntil = Math.max(link.pausedUntil, until);
    if (ms > SILENT_MS)
      this.#agenda.after(SILENT_MS, () => {
        if (agent.connected && link.pausedUntil > this.#agenda.now) this.#break(host);
      });
    this.#agenda.after(ms, () => {
      if (link.pausedUntil > this.#agenda.now) return;
      for (const act of link.buffered.splice(0)) this.#obey(act);
      if (agent.connected) this.#wake(host);
      else this.#connect(host);
    });
  }

  #loseDisk(host: HostId): void {
    const agent = this.#fleet.agent(host);
    if (!agent.up) return;
    this.#link(host).buffered = [];
    if (agent.connected) this.#break(host);
    this.#fleet.lose(host);
    this.#connect(host);
  }

  /** A controller dies, and another one takes its place. */
  #killController(ms: number): void {
    if (this.#control.state === undefined) return;
    if (this.#governor !== undefined) return this.#governor.dies(this.#control, ms);
    this.#leave(this.#control);
    this.#forgetFences();
    this.#control = new Control(this.#store, this.#options.flaws);
    this.#agenda.after(ms, () => this.#control.state ?? this.#begin());
  }

  /** A fence agent is a child of its controller, and goes with it. */
  #forgetFences(): void {
    for (const [id, act] of this.#underWay) if (act.kind === 'fence') this.#underWay.delete(id);
  }

  /** A controller stands still. Where that lasts longer than its lease, another one begins; agents hang on the old one until it moves. */
  #pauseController(ms: number): void {
    const control = this.#control;
    if (control.state === undefined || this.#late.size > 0) return;
    if (this.#governor !== undefined) return this.#governor.pauses(control, ms);
    control.pausedUntil = this.#agenda.now + ms;
    const gone = TERM_MS + this.#dice.between(0, TERM_MS / 10);
    if (ms <= gone) return;
    this.#agenda.after(gone, () => {
      if (this.#control !== control || control.state === undefined) return;
      this.#met('lease-outlived');
      this.#late.add(control);
      this.#control = new Control(this.#store, this.#options.flaws);
      this.#begin();
    });
  }

  /** Somebody looks after a VM that waits for a proof. What is attested is true at that moment. */
  #attest(): void {
    const state = this.#control.state;
    for (const id of state?.moving ?? []) {
      for (const { host, epoch } of state?.vms.get(id)?.copies ?? []) {
        if (this.#fleet.runs(id, host)) continue;
        const statement = 'I have looked: it does not run there.';
        return this.#order({ order: 'attest', vm: id, host, epoch, statement });
      }
    }
  }

  /** Everything is mended, and nothing fails any more: now all has to come to an end (I1, I11). */
  heal(): void {
    this.#healing = true;
    this.#fenceDead.clear();
    this.#failsOver = undefined;
    this.#storeAwayUntil = this.#unsureUntil = this.#control.pausedUntil = this.#control.off = 0;
    for (const end of this.#open) end();
    this.#open.clear();
    for (const late of this.#late) this.#leave(late);
    if (this.#control.state === undefined && this.#governor === undefined) this.#begin();
    for (const host of this.#fleet.hosts) {
      const link = this.#link(host);
      link.cutUntil = link.pausedUntil = 0;
      for (const act of link.buffered.splice(0)) this.#obey(act);
      if (!this.#fleet.agent(host).up) this.#bootLater(host, 1000);
      else this.#connect(host);
      this.#wake(host);
    }
    this.#resume();
  }

  #resume(): void {
    this.#order({ order: 'resume' });
    this.#order({ order: 'breaker-close' });
  }

  /** I2: where errors may have been missed that is told, unless the host has booted since, or how many it had is not certain. */
  #seen(state: Readonly<State>): void {
    for (const [key, at] of this.#unread) {
      const [host = '', boot] = key.split(' ');
      if (boot !== String(this.#fleet.agent(host).boot) || this.#blurred.has(key)) continue;
      const isTold = (this.#gaps.get(host) ?? 0) >= at || state.alerts.get(`unseen-errors ${host}`)?.standing === true;
      if (!isTold) this.#wrong('I2', `${host} has had an error that nobody has read, and nobody was told of that`);
    }
  }

  /** What is the case some hours after everything was mended, and what there was. */
  settled(): SiteCounts {
    this.#ended();
    this.#counts.inputs = this.#store.inputs;
    return this.#counts;
  }

  #ended(): void {
    const { state } = this.#control;
    if (state === undefined) return this.#wrong('I11', 'no controller works though everything is mended');
    for (const host of this.#fleet.hosts) {
      const agent = this.#fleet.agent(host);
      if (agent.unsent.length > 0) this.#wrong('I1', `${host}: ${agent.unsent.length} rows were never taken`);
      const upto = this.#control.upto(host, `${host}-${agent.life}`) ?? 0;
      if (upto !== agent.seq) this.#wrong('I1', `${host}: ${agent.seq} rows were written, and ${upto} are durable`);
    }
    this.#seen(state);
    for (const [row, times] of this.#store.rows)
      if (times !== 1) this.#wrong('I3', `row ${row} was taken ${times} times`);
    for (const id of state.moving) {
      const move = state.vms.get(id)?.move?.step ?? 'none';
      if (!['unproven', 'no-target', 'failed'].includes(move)) this.#wrong('I11', `${id} is ${move} for ever`);
      const type = move === 'failed' ? 'action-failed' : move;
      if (state.alerts.get(`${type} ${id}`)?.standing !== true)
        this.#wrong('I11', `nobody was told that ${id} is ${move}`);
    }
    const held = new Set(state.moving.map(id => state.vms.get(id)?.move?.incident));
    for (const { id, state: is } of state.incidents.values())
      if (is === 'open' && !held.has(id)) this.#wrong('I11', `${id} is open for ever`);
    for (const id of this.#fleet.vms) {
      const vm = state.vms.get(id);
      if (vm === undefined || this.#fleet.at(id).size > 0 || isPlannedStop(vm, state.now)) continue;
      if (consequenceOf(state, vm)?.what !== 'died') continue;
      const isTold = [...state.alerts].some(([key, { standing }]) => standing && key.endsWith(` ${id}`));
      if (!isTold) this.#wrong('I11', `${id} has died of an error, runs nowhere, and nobody was told`);
    }
  }
}
