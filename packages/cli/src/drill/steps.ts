/** @module What has to follow an injection, and what of it came: the steps of a game day, from what the controller says alone. */
import { pageOf } from '@syndrome/decode/registers/address.ts';
import type { Effect } from '@syndrome/supervisor/core/input.ts';
import { type Rung, RUNGS } from '@syndrome/supervisor/core/policy.ts';

/** In the order in which they come. */
const STEPS = ['durable', 'incident', 'witness', 'notice', 'address', 'act', 'proof', 'start'] as const;
export type StepName = (typeof STEPS)[number];

const SEEN = ['durable', 'incident'] as const;
/** What each rung leads to; of `hold` nothing more than that it is told. */
const FOLLOWS: Readonly<Record<Rung, readonly StepName[]>> = {
  observe: SEEN,
  tell: [...SEEN, 'notice'],
  quarantine: [...SEEN, 'notice'],
  reboot: [...SEEN, 'notice', 'act'],
  migrate: [...SEEN, 'notice', 'act', 'start'],
  'restart-elsewhere': [...SEEN, 'notice', 'act', 'proof', 'start'],
  terminate: [...SEEN, 'notice', 'act', 'proof'],
  hold: [...SEEN, 'notice'],
};

/** Why a step may not have come, for the person who looks for it. */
const GAP: Readonly<Record<StepName, string>> = {
  durable: 'no event of this VM was committed: see `syndrome fleet hosts`, is its QMP source reading?',
  incident: 'nothing was decided: a page that is known already is no new error, and a policy may have no rule for it',
  witness: "the agent has not read the drill's file: does it run with this site?",
  notice: 'no target has taken it: see `syndrome fleet outbox`, and who is under notify:',
  address:
    'no target was told which page of the guest it was: see `syndrome fleet outbox`, and `syndrome fleet explain` of the incident',
  act: 'nothing was sent to an agent: see `syndrome fleet status`; an announced act waits for the notice time of its rule',
  proof: 'no proof that the old copy has stopped: see `syndrome fleet actions`',
  start: 'it was not seen running elsewhere: see the alerts of `syndrome fleet status`, and `syndrome fleet actions`',
};

export interface Step {
  step: StepName;
  /** When, ms UTC, and so long after the injection. Both are missing for what did not come. */
  at?: number;
  ms?: number;
  what?: string;
}

/** What is known of an incident, from `fleet explain`. */
export interface Explained {
  incident?: { id?: string; absorbedBy?: string; witnesses?: Record<string, { last: number }> };
  notices?: readonly { id: string; state: string; target: string; done: number | null }[];
}

/** Takes what the controller decides of one VM from an injection on. */
export class GameDay {
  readonly #vm: string;
  readonly #came = new Map<StepName, { at: number; what: string }>();
  readonly #notices = new Set<string>();
  #began: number | undefined;
  readonly #located = new Set<string>();
  #page: bigint | undefined;
  readonly incidents = new Set<string>();
  readonly witnesses = new Set<string>();
  /** The highest rung that a rule of the policy has led to. */
  decided: { rung: Rung; rule: string; policy: string; why: string } | undefined;
  /** The earliest time of an act that was announced, ms UTC. */
  notBefore: number | undefined;

  constructor(vm: string) {
    this.#vm = vm;
  }

  /** The error is injected now: what came before is none of it. @param at ms UTC */
  begin(at: number): void {
    this.#began = at;
  }

  /** The injector has written which page it was: an agent has to read it, and whoever is told of the loss is told of its page. */
  expectWitness(gpa: bigint): void {
    this.#page = pageOf(gpa);
  }

  #note(step: StepName, at: number, what: string): void {
    if (!this.#came.has(step)) this.#came.set(step, { at, what });
  }

  /** Takes an effect that was subscribed to. @param now when it came, ms UTC */
  take(effect: Effect, now: number): void {
    if (this.#began === undefined) return;
    if (effect.effect === 'act') {
      const { kind, host, vm } = effect.act;
      if (vm === this.#vm) this.#note('act', now, `${kind} on ${host}`);
    } else if (effect.effect === 'notice') {
      const { id, vm, type, summary, at, notBefore, lost } = effect.notice;
      if (vm !== this.#vm) return;
      // It came as JSON.
      if (lost?.gpa !== undefined && BigInt(lost.gpa) === this.#page) this.#located.add(id);
      // That an address is known later is news of a notice that was given.
      if (type !== 'vm.memory.located') this.#notices.add(id);
      if (notBefore !== undefined) this.notBefore = notBefore;
      if (type === 'vm.restarted' || type === 'vm.migrated') this.#note('start', at, summary);
    } else this.#decision(effect.decision, now);
  }

  #decision(decision: (Effect & { effect: 'decision' })['decision'], now: number): void {
    const { vm, incident, rule, policy, why, at } = decision;
    if (vm !== this.#vm) return;
    if (rule === 'core/stop-proof') this.#note('proof', at, why);
    const rung = RUNGS.find(known => known === decision.rung);
    if (rung === undefined || incident === undefined || rule.startsWith('core/')) return;
    this.incidents.add(incident);
    this.#note('durable', at, 'the event is in the ledger');
    this.#note('incident', now, why);
    const higher = this.decided === undefined || RUNGS.indexOf(rung) > RUNGS.indexOf(this.decided.rung);
    if (higher) this.decided = { rung, rule, policy, why };
  }

  /** Takes what is known of one of its incidents by now. */
  explained({ incident, notices = [] }: Explained): void {
    const began = this.#began ?? 0;
    if (incident?.absorbedBy !== undefined) this.incidents.add(incident.absorbedBy);
    for (const [who, { last }] of Object.entries(incident?.witnesses ?? {})) {
      if (last < began) continue;
      this.witnesses.add(who);
      if (who.startsWith('drill ')) this.#note('witness', last, who);
    }
    for (const { id, state, target, done } of notices) {
      if (state !== 'delivered' || done === null) continue;
      if (this.#notices.has(id)) this.#note('notice', done, `${target} has ${id}`);
      if (this.#located.has(id)) this.#note('address', done, `${target} has ${id}`);
    }
  }

  /** What has to come by what was decided so far. */
  #expected(): ReadonlySet<StepName> {
    const follows = FOLLOWS[this.decided?.rung ?? 'observe'];
    const witness = this.#page === undefined ? [] : (['witness'] as const);
    const address = this.#page !== undefined && follows.includes('notice') ? (['address'] as const) : [];
    return new Set<StepName>([...follows, ...witness, ...address]);
  }

  /** What has to come and has not. */
  gaps(): { step: StepName; why: string }[] {
    const expected = this.#expected();
    return STEPS.filter(step => expected.has(step) && !this.#came.has(step)).map(step => ({ step, why: GAP[step] }));
  }

  /** All that came or has to. */
  steps(): Step[] {
    const expected = this.#expected();
    return STEPS.filter(step => expected.has(step) || this.#came.has(step)).map(step => {
      const came = this.#came.get(step);
      return came === undefined ? { step } : { step, ...came, ms: Math.max(0, came.at - (this.#began ?? came.at)) };
    });
  }
}
