/**
 * @module A site whose ledgers are shared by several controllers, in a simulation: which of them works on which is decided by the share and the
 * leases of production, under the clock of the agenda. Beside what must hold of each ledger: S1 one of them writes to a ledger; S2 after
 * everything is mended each ledger is worked on, and no controller works on two more of them than another one.
 */
import { type Lease, releaseLease, takeLease } from '@syndrome/base/store/lease.ts';
import type { Store } from '@syndrome/base/store/store.ts';
import { LEASE, MEMBER } from '../controller/lease-name.ts';
import { isPassing } from '../controller/passing.ts';
import { Share } from '../controller/share.ts';
import { TERM_MS } from '../core/times.ts';
import { Agenda } from './agenda.ts';
import { Dice } from './chance.ts';
import type { Control } from './control.ts';
import { leaseStore } from './lease-store.ts';
import { type Governor, HEAL_MS, HOUR, noNemeses, Site, type SiteCounts, type SiteOptions, START } from './site.ts';

/** Controllers of a site. */
const CONTROLLERS = 3;
/** A lease lasts longer than in production, ms: asked for as often in its time, it is asked for more rarely. What stands still does so longer. */
const TTL_MS = 240_000;
const LONGER = TTL_MS / TERM_MS;
/** A controller ends in order as often as it dies. */
const IN_ORDER = 0.5;

interface Shard {
  site: Site;
  store: Store;
}

/** What a controller works on. */
interface Led {
  shard: Shard;
  control: Control;
  lease: Lease;
  /** It is held no more. */
  left: () => void;
}

/** One process of a controller. */
interface Life {
  owner: string;
  share: Share;
  stop: AbortController;
  isDead: boolean;
  pausedUntil: number;
  readonly leads: Map<Shard, Led>;
}

class Shards implements Governor {
  readonly agenda = new Agenda(START);
  readonly #options: SiteOptions;
  readonly #dice: Dice;
  readonly #shards: Shard[];
  readonly #lives = new Set<Life>();
  #nth = 0;
  /** Something is asked of a store: it is answered before anything else happens. */
  #asked = false;

  constructor(options: SiteOptions) {
    this.#options = options;
    const count = options.shards ?? 1;
    this.#dice = new Dice(options.seed ^ 0x5a5a);
    this.#shards = Array.from({ length: count }, (_, nth) => {
      const hosts = Math.floor(options.hosts / count) + (nth < options.hosts % count ? 1 : 0);
      const site = new Site({ ...options, hosts, seed: options.seed + nth * 1_000_003 }, this);
      return {
        site,
        store: leaseStore(
          () => Math.floor(this.agenda.now),
          () => site.isAway,
        ),
      };
    });
  }

  async run(signal?: AbortSignal, told?: (hours: number) => void): Promise<SiteCounts> {
    for (let i = 0; i < CONTROLLERS; i++) this.agenda.after(this.#dice.between(0, TTL_MS), () => this.#born());
    for (const { site } of this.#shards) site.start();
    await this.#pass(this.#options.hours * HOUR, signal, told);
    for (const life of this.#lives) life.pausedUntil = 0;
    for (const { site } of this.#shards) site.heal();
    await this.#pass(HEAL_MS, signal);
    const sum = this.#sum();
    for (const life of this.#lives) this.#end(life, false);
    for (const { store } of this.#shards) await store.close();
    return sum;
  }

  dies(control: Control, ms: number): void {
    const life = this.#lifeOf(control);
    if (life === undefined) return;
    this.#end(life, this.#dice.happens(IN_ORDER));
    this.agenda.after(ms * LONGER, () => this.#born());
  }

  pauses(control: Control, ms: number): void {
    const life = this.#lifeOf(control);
    if (life === undefined) return;
    life.pausedUntil = this.agenda.now + ms * LONGER;
    for (const led of life.leads.values()) led.control.pausedUntil = life.pausedUntil;
    // Time passes for the core as soon as it goes on: it writes, or finds that it may not.
    this.agenda.after(ms * LONGER, () => {
      for (const led of life.leads.values()) led.shard.site.tick(led.control);
    });
  }

  away(ms: number): void {
    for (const life of this.#lives) {
      this.#end(life, false);
      this.agenda.after(ms, () => this.#born());
    }
  }

  lost(control: Control): void {
    const life = this.#lifeOf(control);
    for (const led of life?.leads.values() ?? [])
      if (led.control === control && life !== undefined) this.#leave(life, led);
  }

  #lifeOf(control: Control): Life | undefined {
    return [...this.#lives].find(({ leads }) => [...leads.values()].some(led => led.control === control));
  }

  async #pass(ms: number, signal: AbortSignal | undefined, told?: (hours: number) => void): Promise<void> {
    const began = this.agenda.now;
    for (let n = 1; this.agenda.next(began + ms); n++) {
      if (!this.#asked && n % 10_000 !== 0) continue;
      this.#asked = false;
      await new Promise(resolve => setImmediate(resolve));
      signal?.throwIfAborted();
      if (n % 10_000 === 0) told?.((this.agenda.now - began) / HOUR);
    }
  }

  /** A controller begins: it is one of them, and tries to get its part. */
  #born(): void {
    const owner = `c${++this.#nth}`;
    const life: Life = {
      // As Share names owners.
      owner: `${MEMBER}${owner}/lease`,
      stop: new AbortController(),
      isDead: false,
      pausedUntil: 0,
      leads: new Map(),
      share: new Share(
        this.#shards.length,
        TTL_MS,
        () => {},
        { now: () => this.agenda.now, sleep: ms => this.#sleep(life, ms) },
        owner,
      ),
    };
    this.#lives.add(life);
    const [first] = this.#shards;
    this.#asked = true;
    if (first !== undefined) void life.share.run(first.store, life.stop.signal).catch(() => {});
    for (const shard of this.#shards) this.#try(life, shard, this.#dice.between(0, TTL_MS / 10));
  }

  /** Of one that was killed nothing goes on. */
  #sleep(life: Life, ms: number): Promise<void> {
    return new Promise(resolve => this.#later(life, ms, resolve));
  }

  /** Something is done by a controller, when it does not stand still. */
  #later(life: Life, ms: number, run: () => void): void {
    this.agenda.after(ms, () => {
      if (life.isDead) return;
      const wait = life.pausedUntil - this.agenda.now;
      // What it does first when it goes on is chance: it may write before it looks whether it still may.
      if (wait > 0) return this.#later(life, wait + this.#dice.between(0, 200), run);
      this.#asked = true;
      run();
    });
  }

  #try(life: Life, shard: Shard, ms: number): void {
    this.#later(life, ms, () => {
      const again = (): void => this.#try(life, shard, TTL_MS / 10);
      if (life.leads.has(shard)) return again();
      life.share
        .attempt(shard.store, life.owner, TTL_MS)
        .then(lease => {
          if (lease !== undefined) this.#lead(life, shard, lease);
        })
        .catch((error: unknown) => {
          if (!isPassing(error)) throw error;
        })
        .finally(again);
    });
  }

  #lead(life: Life, shard: Shard, lease: Lease): void {
    // A lease that one got that was killed meanwhile is nobody's.
    if (life.isDead) return;
    const control = shard.site.lead(Number(lease.epoch));
    const end = (): void => {
      const led = life.leads.get(shard);
      if (led === undefined) return;
      shard.site.leave(control, true);
      this.#leave(life, led);
      this.#asked = true;
      void releaseLease(shard.store, lease).catch(() => {});
    };
    const left = life.share.took(shard.store, end);
    const led = { shard, control, lease, left };
    life.leads.set(shard, led);
    this.#renew(life, led);
  }

  #renew(life: Life, led: Led): void {
    this.#later(life, TTL_MS / 3, () => {
      if (life.leads.get(led.shard) !== led) return;
      takeLease(led.shard.store, LEASE, life.owner, TTL_MS)
        .then(
          lease => {
            if (lease?.epoch === led.lease.epoch || life.leads.get(led.shard) !== led) return;
            if (led.control.state !== undefined) led.shard.site.leave(led.control, false);
            this.#leave(life, led);
          },
          (error: unknown) => {
            if (!isPassing(error)) throw error;
          },
        )
        .finally(() => this.#renew(life, led));
    });
  }

  #leave(life: Life, { shard, left }: Led): void {
    life.leads.delete(shard);
    left();
  }

  /** A controller ends: killed, or in order. */
  #end(life: Life, inOrder: boolean): void {
    if (inOrder) {
      this.#asked = true;
      life.stop.abort();
    }
    for (const led of life.leads.values()) {
      led.shard.site.leave(led.control, inOrder);
      this.#leave(life, led);
      if (inOrder) void releaseLease(led.shard.store, led.lease).catch(() => {});
    }
    life.isDead = true;
    this.#lives.delete(life);
  }

  #sum(): SiteCounts {
    const sum: SiteCounts = { faults: 0, starts: 0, proofs: 0, inputs: 0, nemesis: noNemeses(), violations: [] };
    for (const [nth, { site }] of this.#shards.entries()) {
      const counts = site.settled();
      for (const name of ['faults', 'starts', 'proofs', 'inputs'] as const) sum[name] += counts[name];
      for (const name of Object.keys(sum.nemesis) as (keyof SiteCounts['nemesis'])[])
        sum.nemesis[name] += counts.nemesis[name];
      for (const found of counts.violations)
        sum.violations.push({ ...found, seed: this.#options.seed, what: `shard ${nth + 1}: ${found.what}` });
    }
    const parts = [...this.#lives].map(({ leads }) => leads.size);
    const led = parts.reduce((all, part) => all + part, 0);
    if (led !== this.#shards.length || Math.max(...parts) - Math.min(...parts) > 1)
      sum.violations.push({
        invariant: 'S2',
        seed: this.#options.seed,
        hours: (this.agenda.now - START) / HOUR,
        what: `${parts.length} controllers work on ${parts.join(', ')} of ${this.#shards.length} shards though everything is mended`,
      });
    return sum;
  }
}

/**
 * Simulates a site: with one ledger, or with several that controllers share.
 * @throws what the signal gives as its reason
 */
export function runSite(
  options: SiteOptions,
  signal?: AbortSignal,
  told?: (hours: number) => void,
): Promise<SiteCounts> {
  return (options.shards ?? 1) > 1 ? new Shards(options).run(signal, told) : new Site(options).run(signal, told);
}
