/**
 * @module Controllers over a store, in a simulation: what has come is written together, and only what is written is acknowledged and
 * handed out. One that dies loses what it had not written; the next one makes its state anew of snapshot and inputs, as in production.
 */
import type { Act } from '../core/act.ts';
import type { ActionId, HostId, Time } from '../core/ids.ts';
import type { Effect, Input } from '../core/input.ts';
import type { Row } from '../core/said.ts';
import { newState, restore, snapshot, type State } from '../core/state.ts';
import { step } from '../core/step.ts';

/** Inputs between two snapshots, and for each host: fewer than in production, so that beginnings of both kinds are seen often. */
const SNAPSHOT_EVERY = 200;
const SNAPSHOT_EVERY_OF_HOST = 10;

/** Acts of which an answer may be a proof. */
const ENDS: ReadonlySet<string | undefined> = new Set(['stop', 'prove', 'terminate']);

/** What a controller is made without, to see whether that is noticed. */
export interface ControlFlaws {
  /** A row that comes again is taken again. */
  dedupe?: boolean;
  /** Whatever answers a stop is taken for its proof. */
  proof?: boolean;
  /** A controller whose lease has passed to another one goes on writing. */
  epoch?: boolean;
}

/** Another controller has the lease. */
export class LeaseLost extends Error {}

interface Written {
  upto: number;
  beyond: Set<number>;
}

/** What a commit brings. */
export interface Brought {
  input: Input;
  effects: readonly Effect[];
}

/** What outlives a controller. */
export class Store {
  /** Grows with each controller that begins: one of an earlier epoch writes nothing more. */
  epoch = 0;
  snapshot: string | undefined;
  /** Inputs since the snapshot. */
  tail: Input[] = [];
  decisions = { count: 0, hash: '' };
  readonly spools = new Map<string, Written>();
  /** Acts that are not over; `sent`: an agent may have them. */
  readonly open = new Map<ActionId, { act: Act; sent: boolean }>();
  /** How often each row of an agent was written: once. */
  readonly rows = new Map<string, number>();
  inputs = 0;
  /** Those rows themselves; when the last input was written, by the clock of whoever wrote it. */
  readonly taken = new WeakSet<Row>();
  at = 0;
}

export class Control {
  readonly store: Store;
  /** A commit is on its way; until when nothing of it runs, ms. */
  committing = false;
  pausedUntil = 0;
  /** How far the clock of its machine is off, ms. */
  off = 0;
  /** When time is to pass for it next. */
  tickAt = Number.POSITIVE_INFINITY;
  readonly #flaws: ControlFlaws;
  #epoch = 0;
  #state: State | undefined;
  #waiting: Input[] = [];
  /** Rows that came again and were taken again, under numbers of their own. */
  #again = 0;
  /** When it looked at its clock last, in truth, and what time it gave then. */
  #looked = 0;
  #time = 0;

  constructor(store: Store, flaws: ControlFlaws = {}) {
    this.store = store;
    this.#flaws = flaws;
  }

  /** What the controller that works knows; undefined while none works. */
  get state(): Readonly<State> | undefined {
    return this.#state;
  }

  /** The time that it gives to inputs: never less than before; half as fast while its clock is behind that (controller/clock.ts). */
  time(now: Time): Time {
    const passed = now - this.#looked;
    this.#time = Math.max(now + this.off, this.#time + passed / 2, this.store.at);
    this.#looked = now;
    return this.#time;
  }

  /** How long until it gives that time, ms, if its clock is left alone. */
  until(at: Time, now: Time): number {
    const behind = Math.max(0, this.time(now) - (now + this.off));
    const left = at - this.#time;
    return left <= behind ? left * 2 : left + behind;
  }

  /** Something has come, and is to be written. Where nobody works it is lost. */
  offer(input: Input): void {
    if (this.#state !== undefined) this.#waiting.push(input);
  }

  /** Whether anything but time waits to be written. */
  get hasNews(): boolean {
    return this.#waiting.some(({ input }) => input !== 'tick');
  }

  /** Up to which row all of a spool is written; undefined where nothing is known of it. */
  upto(host: HostId, spool: string): number | undefined {
    return this.store.spools.get(`${host} ${spool}`)?.upto;
  }

  /** The highest row of a spool that is written. Over one real connection none overtakes another, so that this is {@link upto}. */
  newest(host: HostId, spool: string): number {
    const { upto = 0, beyond = [] } = this.store.spools.get(`${host} ${spool}`) ?? {};
    return Math.max(upto, ...beyond);
  }

  /**
   * Writes what waits, all of it, and says what came of each, and of which spools there was something.
   * @throws LeaseLost
   */
  commit(now: Time): { brought: Brought[]; spools: ReadonlySet<string>; twice: number; reordered: number } {
    const spools = new Set<string>();
    const state = this.#state;
    const came = { twice: 0, reordered: 0 };
    if (state === undefined) return { brought: [], spools, ...came };
    const { store } = this;
    if (this.#epoch !== store.epoch && this.#flaws.epoch !== true) throw new LeaseLost();
    const brought: Brought[] = [];
    const at = this.time(now);
    for (const offered of this.#waiting.splice(0)) {
      // Also of rows that were written before it is said how far all is.
      if (offered.input === 'row') spools.add(`${offered.row.host} ${offered.row.spool}`);
      const isOvertaken = offered.input === 'row' && offered.row.seq < this.newest(offered.row.host, offered.row.spool);
      const input = this.#fresh({ ...offered, at });
      if (input === undefined) {
        came.twice++;
        continue;
      }
      if (isOvertaken) came.reordered++;
      const effects = step(state, input);
      store.tail.push(input);
      store.inputs++;
      for (const effect of effects)
        if (effect.effect === 'act') store.open.set(effect.act.id, { act: effect.act, sent: false });
      brought.push({ input, effects });
    }
    for (const [id, open] of store.open) {
      const now = state.acts.get(id)?.state;
      if (now === 'sent') open.sent = true;
      else if (now !== 'intent') store.open.delete(id);
    }
    store.at = at;
    store.decisions = { ...state.decisions };
    if (store.tail.length >= Math.max(SNAPSHOT_EVERY, SNAPSHOT_EVERY_OF_HOST * state.hosts.size)) {
      store.snapshot = snapshot(state);
      store.tail = [];
    }
    return { brought, spools, ...came };
  }

  /** The controller dies, with all that it had not written. */
  die(): void {
    this.#state = undefined;
    this.#waiting = [];
  }

  /**
   * It begins to work: takes the lease, and makes its state of what is written.
   * @param epoch of that lease
   * @returns why what it knows is not what was known, where that is so (I12)
   */
  begin(epoch = this.store.epoch + 1): string | undefined {
    const { store } = this;
    this.#epoch = store.epoch = epoch;
    const state = store.snapshot === undefined ? newState() : restore(store.snapshot);
    for (const input of store.tail) step(state, input);
    this.#state = state;
    const { count, hash } = state.decisions;
    return count === store.decisions.count && hash === store.decisions.hash
      ? undefined
      : `${count} decisions with hash ${hash} were ${store.decisions.count} with ${store.decisions.hash}`;
  }

  /** The input as it is written; undefined for a row that is written already. */
  #fresh(input: Input): Input | undefined {
    if (input.input !== 'row') return input;
    const { host, spool, seq } = input.row;
    const key = `${host} ${spool}`;
    const written = this.store.spools.get(key) ?? { upto: 0, beyond: new Set() };
    this.store.spools.set(key, written);
    const isOld = seq <= written.upto || written.beyond.has(seq);
    if (isOld && this.#flaws.dedupe !== true) return undefined;
    if (!isOld) {
      this.store.taken.add(input.row);
      written.beyond.add(seq);
      while (written.beyond.delete(written.upto + 1)) written.upto++;
    }
    const id = `${key} ${seq}`;
    this.store.rows.set(id, (this.store.rows.get(id) ?? 0) + 1);
    const row = isOld ? { ...input.row, seq: 1e9 + ++this.#again } : input.row;
    if (this.#flaws.proof === true) return { ...input, row: this.#believed(row) };
    return row === input.row ? input : { ...input, row };
  }

  /** A row in which whatever is said of a stop is its proof. */
  #believed(row: Row): Row {
    const { said, host, at } = row;
    if (said.kind !== 'result' || said.vm === undefined) return row;
    const { vm, epoch, action } = said;
    if (!ENDS.has(this.store.open.get(action)?.act.kind)) return row;
    const evidence = { process: 'absent', autostart: 'off' };
    const proof = { kind: 'process-gone', vm, host, epoch, at, evidence } as const;
    return { ...row, said: { kind: 'result', action, vm, epoch, state: 'confirmed', proof } };
  }
}
