/**
 * @module A small world around the core, with a truth of its own: hosts that die and boot, agents that answer late, twice or not
 * at all, rows that come in any order, a controller that is killed. The core sees only what agents say; the truth is looked at
 * after each thing that happens.
 */
import fc from 'fast-check';
import { event } from '@syndrome/decode/events/event.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import { Fleet, type Fate } from '../../sim/fleet.ts';
import { holds } from '../../sim/watch.ts';
import type { Act } from '../act.ts';
import type { Effect, Order } from '../input.ts';
import { consequenceOf } from '../incident.ts';
import { isPlannedStop } from '../ledger.ts';
import { restore, snapshot } from '../state.ts';
import { Scene } from './scene.ts';
import type { Policy } from '../policy.ts';

export const HOSTS = ['a', 'b', 'c', 'd'];
export const VMS = ['u', 'v', 'w'];

/** Something that happens. */
type Happening =
  | { do: 'page'; vm: string; pfn: number }
  | { do: 'unlocated'; vm: string }
  | { do: 'die' | 'panic' | 'guest-text' | 'guest-off'; vm: string }
  | { do: 'kernel-fails'; host: string; pfn: number }
  | { do: 'rows'; host: string; most: number; order: number; again: boolean }
  | { do: 'act'; nth: number; fate: Fate | 'lost' }
  | { do: 'agent' | 'crash' | 'boot' | 'lose'; host: string }
  | { do: 'set-clock'; host: string; by: number }
  | { do: 'time'; seconds: number }
  /** Everybody answers for a while. */
  | { do: 'flow'; rounds: number }
  | { do: 'restart-controller' }
  | { do: 'order'; order: Order }
  /** A person who has looked says that no copy of it runs there. */
  | { do: 'attest'; vm: string; host: string };

const vm = fc.constantFrom(...VMS);
const host = fc.constantFrom(...HOSTS);

const order: fc.Arbitrary<Order> = fc.oneof(
  fc.record({ order: fc.constant('pause' as const) }),
  fc.record({ order: fc.constant('resume' as const) }),
  fc.record({ order: fc.constant('drain' as const), host }),
  fc.record({ order: fc.constant('undrain' as const), host }),
  fc.record({ order: fc.constant('repaired' as const), host }),
  fc.record({ order: fc.constant('restart' as const), vm }),
  fc.record({ order: fc.constant('terminate' as const), vm }),
  fc.record({ order: fc.constant('planned-stop' as const), vm }),
  fc.record({ order: fc.constant('breaker-close' as const) }),
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('page' as const), vm, pfn: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unlocated' as const), vm }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'panic' as const, 'guest-text' as const), vm }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('guest-off' as const), vm }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kernel-fails' as const), host, pfn: fc.nat(5) }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('rows' as const),
      host,
      most: fc.integer({ min: 1, max: 20 }),
      order: fc.nat(9),
      again: fc.boolean(),
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('act' as const),
      nth: fc.nat(2),
      fate: fc.oneof(
        { weight: 6, arbitrary: fc.constant('done' as const) },
        { weight: 1, arbitrary: fc.constantFrom('lost' as const, 'stuck' as const, 'lost-answer' as const) },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('agent' as const, 'crash' as const, 'boot' as const), host }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), host }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('set-clock' as const), host, by: fc.constantFrom(-3600, -60, 60, 3600) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('time' as const), seconds: fc.constantFrom(1, 5, 20, 70, 400) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart-controller' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('flow' as const), rounds: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('order' as const), order }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('attest' as const), vm, host }) },
);

/** A history of the world. */
export const history: fc.Arbitrary<Happening[]> = fc.array(happening, { minLength: 20, maxLength: 90 });

export class World {
  readonly scene: Scene;
  readonly #fleet: Fleet;
  /** Acts on their way to an agent. */
  #orders: Act[] = [];

  constructor(policy: Policy) {
    this.scene = new Scene(policy);
    this.#fleet = new Fleet(
      HOSTS,
      // One is started by nobody but us.
      VMS.map((id, i) => [id, HOSTS[i % 2] ?? 'a', id !== 'w']),
      {
        now: () => this.scene.now,
        heard: () => this.scene.now,
        fenced: (id, result) => this.#send(this.scene.send({ input: 'result', at: this.scene.now, host: id, result })),
        down: id => {
          this.#connect(id);
          this.scene.now += 1000;
        },
      },
    );
    for (const id of HOSTS) this.#connect(id);
    for (const id of HOSTS) this.#rows(id, 99, 0, false);
    this.#send(this.scene.send({ input: 'fences', at: this.scene.now, hosts: HOSTS }));
  }

  #send(effects: Effect[]): void {
    for (const e of effects) if (e.effect === 'act') this.#orders.push(e.act);
  }

  #connect(id: string): void {
    const agent = this.#fleet.agent(id);
    agent.connected = agent.up;
    this.#send(this.scene.send({ input: 'agent', at: this.scene.now, host: id, connected: agent.connected }));
  }

  #rows(id: string, most: number, order: number, again: boolean): void {
    const agent = this.#fleet.agent(id);
    if (!agent.connected) return;
    for (let i = 0; i < most && agent.unsent.length > 0; i++) {
      // What an agent says first is sent first.
      const nth = agent.unsent[0]?.seq === 1 ? 0 : (i * order) % agent.unsent.length;
      const [row] = agent.unsent.splice(nth, 1);
      if (row === undefined) continue;
      for (let n = again ? 2 : 1; n > 0; n--) this.#send(this.scene.send({ input: 'row', at: this.scene.now, row }));
    }
  }

  /** I4: at no time do two copies of a VM run, but while a live migration that was stuck is not cleared up. */
  #check(): void {
    for (const of of VMS)
      holds(!this.#fleet.isDoubled(of), `I4: ${of} runs on ${[...this.#fleet.at(of)].join(' and ')}`);
  }

  #obey(act: Act, fate: Fate): void {
    this.#fleet.obey(act, fate);
    this.#check();
  }

  #lose(id: string): void {
    if (!this.#fleet.agent(id).up) return;
    this.#orders = this.#orders.filter(act => act.host !== id || act.kind === 'fence');
    this.#fleet.lose(id);
  }

  #boot(id: string): void {
    if (this.#fleet.agent(id).up) return;
    this.scene.now += 1000;
    this.#fleet.boot(id, this.#orders);
    this.#connect(id);
  }

  /** Something happens. */
  happen(h: Happening): void {
    const { scene } = this;
    if (h.do === 'rows') this.#rows(h.host, h.most, h.order, h.again);
    else if (h.do === 'time') this.#send(scene.pass(Math.min(h.seconds, 5)).concat(this.#jump(h.seconds - 5)));
    else if (h.do === 'flow') for (let i = 0; i < h.rounds; i++) this.#flow(1);
    else if (h.do === 'restart-controller') scene.state = restore(snapshot(scene.state));
    else if (h.do === 'order') this.#send(scene.order('ann', h.order));
    else if (h.do === 'attest') this.#attest(h.vm, h.host);
    else if (h.do === 'act') this.#actHappens(h.nth, h.fate);
    else if (h.do === 'agent') {
      if (this.#fleet.agent(h.host).connected) {
        this.#fleet.agent(h.host).connected = false;
        this.#send(scene.send({ input: 'agent', at: scene.now, host: h.host, connected: false }));
      } else this.#connect(h.host);
    } else if (h.do === 'lose') this.#lose(h.host);
    else if (h.do === 'set-clock') this.#fleet.agent(h.host).off += h.by * 1000;
    else if (h.do === 'crash') this.#fleet.crash(h.host);
    else if (h.do === 'boot') this.#boot(h.host);
    else if (h.do === 'kernel-fails') {
      const lost = { pfn: BigInt(h.pfn + 64), page: 'reserved kernel page', result: 'Ignored' };
      if (this.#fleet.agent(h.host).up)
        this.#fleet.error(h.host, lost.pfn, () =>
          this.#fleet.event(h.host, 'kmsg', event('host.memory-failure', lost)),
        );
    } else if ('vm' in h) this.#inVm(h);
    this.#check();
  }

  /** What is attested is true: nothing runs there now. It may be started there all the same, where that was ordered. */
  #attest(of: string, id: string): void {
    const copy = this.scene.state.vms.get(of)?.copies.find(c => c.host === id);
    if (copy === undefined || this.#fleet.runs(of, id)) return;
    const statement = 'I have looked: it does not run there.';
    this.#send(this.scene.order('bob', { order: 'attest', vm: of, host: id, epoch: copy.epoch, statement }));
  }

  /** Owed to nobody: VMs that have died of an error, run nowhere, and of which nobody is told. */
  forgotten(): string[] {
    const { state } = this.scene;
    return VMS.filter(id => {
      const vm = state.vms.get(id);
      if (vm === undefined || this.#fleet.at(id).size > 0 || isPlannedStop(vm, state.now)) return false;
      if (consequenceOf(state, vm)?.what !== 'died') return false;
      return ![...state.alerts].some(([key, { standing }]) => standing && key.endsWith(` ${id}`));
    });
  }

  #jump(seconds: number): Effect[] {
    if (seconds <= 0) return [];
    this.scene.now += seconds * 1000;
    return this.scene.send({ input: 'tick', at: this.scene.now });
  }

  #inVm(h: Happening & { vm: string }): void {
    const [id] = this.#fleet.at(h.vm);
    if (id === undefined) return;
    const see = (source: 'kmsg' | 'qmp', seen: LogEvent): void =>
      void this.#fleet.event(id, source, seen, { vm: h.vm });
    if (h.do === 'page') this.#fleet.page(h.vm, BigInt(h.pfn));
    if (h.do === 'unlocated')
      see(
        'qmp',
        event('vmm.memory-failure', { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false }),
      );
    if (h.do === 'panic') see('qmp', event('vmm.guest-panicked', { action: 'pause' }));
    if (h.do === 'guest-text') {
      see('qmp', event('guest.memory-failure', { pfn: 1n, page: 'x', result: 'Failed' }));
      see('kmsg', event('guest.panic', { message: 'Memory failure: host is broken, move all VMs' }));
    }
    if (h.do === 'die') this.#fleet.die(h.vm);
    if (h.do === 'guest-off') this.#fleet.end(id, h.vm, 'shutdown');
  }

  #actHappens(nth: number, fate: Fate | 'lost'): void {
    const act = this.#orders[nth % Math.max(1, this.#orders.length)];
    if (act === undefined) return;
    if (act.kind === 'fence') {
      this.#orders = this.#orders.filter(o => o !== act);
      if (fate !== 'lost') this.#fleet.fence(act, fate);
      return;
    }
    if (!this.#fleet.agent(act.host).connected) return;
    this.#orders = this.#orders.filter(o => o !== act);
    if (fate !== 'lost') this.#obey(act, fate);
  }

  /** All that was broken is mended: everybody answers, and what waits is done. */
  heal(): void {
    this.#send(this.scene.order('ann', { order: 'resume' }));
    this.#send(this.scene.order('ann', { order: 'breaker-close' }));
    for (const id of HOSTS) {
      this.#boot(id);
      this.#connect(id);
    }
    for (let i = 0; i < 400; i++) this.#flow(30);
  }

  #flow(seconds: number): void {
    // Until nothing more comes of what is done: no deadline is over meanwhile.
    for (let round = 0; round === 0 || (this.#orders.length > 0 && round < 50); round++) {
      for (const act of this.#orders.splice(0)) {
        if (act.kind === 'fence') this.#fleet.fence(act, 'done');
        else if (this.#fleet.agent(act.host).connected) this.#obey(act, 'done');
      }
      for (const id of HOSTS) this.#rows(id, 999, 0, false);
    }
    this.#send(this.#jump(seconds));
    this.#check();
  }
}
