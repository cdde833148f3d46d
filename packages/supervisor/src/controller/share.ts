/**
 * @module The part of one of several controllers that share the ledgers of a site. Each of them works on no more than its part while another
 * one has room; on all that is left when nobody else takes it. Whoever has come anew gets its part from those that have too much.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { holderOf, type Lease, takeLease } from '@syndrome/base/store/lease.ts';
import type { Store } from '@syndrome/base/store/store.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { isPassing } from './passing.ts';
import { LEASE, MEMBER } from './lease-name.ts';

/** After how long a ledger that nobody works on is taken by one that has its part already, in times of a lease. */
const PATIENCE = 2;
/** What one that has ended has left of itself is kept so long, ms. */
const KEPT_MS = 86_400_000;
/** The names of the leases of all members, as a pattern of SQL. */
const ALL = `${MEMBER}%`;

/**
 * How many of so many ledgers one of several controllers works on: as many as the others, or one more.
 * @param rank its place among them, from 0 on
 * @example [0, 1, 2].map(rank => partOf(4, 3, rank)) // [2, 1, 1]
 */
export function partOf(shards: number, members: number, rank: number): number {
  return Math.floor(shards / members) + (rank < shards % members ? 1 : 0);
}

/** The controller in the name of an owner. */
const memberIn = (owner: string): string => owner.slice(0, owner.lastIndexOf('/'));

/** How time passes; a simulation makes its own. */
interface Pace {
  /** ms since some moment, steady. */
  now(): number;
  /** Resolves after so many ms, or when the signal says so. */
  sleep(ms: number, stop: AbortSignal): Promise<void>;
}

const REAL: Pace = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
};

/** One of several controllers, and what it works on. */
export class Share {
  readonly #shards: number;
  readonly #ttlMs: number;
  readonly #log: (line: string) => void;
  readonly #pace: Pace;
  readonly #name: string;
  /** What ends the work on each ledger that is held, in the order in which they were taken. */
  readonly #held = new Map<Store, () => void>();
  /** Ledgers that nobody works on, and since when that is seen, by the steady clock. */
  readonly #free = new Map<Store, number>();
  /** Ledgers whose lease is asked for, or was got a moment ago. */
  readonly #reserved = new Set<Store>();
  /** Where the controllers find each other; nothing is known of the others before it is there. */
  #meeting: Store | undefined;
  #part = 0;
  /** Which controllers there were when that was looked at last, by name. */
  #members: ReadonlySet<string> = new Set();
  /** Since when more is held than its part. */
  #surplus: number | undefined;

  /**
   * @param shards how many ledgers there are
   * @param ttlMs how long one that says nothing counts as one of them
   * @param name another one than that of any other controller
   */
  constructor(shards: number, ttlMs: number, log: (line: string) => void, pace = REAL, name: string = randomUUID()) {
    [this.#shards, this.#ttlMs, this.#log, this.#pace] = [shards, ttlMs, log, pace];
    this.#name = `${MEMBER}${name}`;
  }

  /** A new name for an owner of a lease of a ledger, in which the others find whose it is. */
  newOwner(): string {
    return `${this.#name}/${randomUUID()}`;
  }

  /** Takes a lease that is free, where it is this one's turn to. @throws StoreError of that store */
  async attempt(store: Store, owner: string, ttlMs: number): Promise<Lease | undefined> {
    const holder = await holderOf(store, LEASE);
    if (holder !== undefined && holder.overMs <= 0) {
      this.#free.delete(store);
      return undefined;
    }
    const since = this.#free.get(store) ?? this.#pace.now();
    this.#free.set(store, since);
    // Whoever had it was killed, and may be one of the controllers for a while yet: its part is shared already.
    const isLeft = (): boolean => holder !== undefined && holder.until > 0 && this.#members.has(memberIn(holder.owner));
    const part = (): number =>
      isLeft() && this.#members.size > 1 ? Math.ceil(this.#shards / (this.#members.size - 1)) : this.#part;
    const hasRoom = (): boolean => this.#held.size + this.#reserved.size < part();
    // Who there is may be others by now.
    if (!hasRoom()) await this.#look().catch(() => {}); // Its part stays what it was.
    if (!hasRoom() && this.#pace.now() - since < PATIENCE * ttlMs) return undefined;
    this.#free.delete(store);
    this.#reserved.add(store);
    let lease: Lease | undefined;
    try {
      return (lease = await takeLease(store, LEASE, owner, ttlMs));
    } finally {
      if (lease === undefined) this.#reserved.delete(store);
    }
  }

  /**
   * Counts a ledger as held.
   * @param end ends the work on it, in order
   * @returns is called when it is held no more
   */
  took(store: Store, end: () => void): () => void {
    this.#reserved.delete(store);
    this.#held.set(store, end);
    return () => this.#held.delete(store);
  }

  /** Forgets a store that is closed. */
  forget(store: Store): void {
    this.#free.delete(store);
  }

  /**
   * Is one of the controllers until the signal, looks who else is, and gives away what is more than its part.
   * @param meeting where the controllers find each other: the same for all of them
   * @throws StoreError, of what does not pass; its part stays what it was then
   */
  async run(meeting: Store, stop: AbortSignal): Promise<void> {
    this.#meeting = meeting;
    try {
      await this.#meet(meeting, stop);
    } finally {
      this.#meeting = undefined;
    }
  }

  async #meet(meeting: Store, stop: AbortSignal): Promise<void> {
    const { query, dialect } = meeting;
    while (!stop.aborted) {
      try {
        await takeLease(meeting, this.#name, this.#name, this.#ttlMs);
        await query(`delete from lease where name like $1 and expires < ${dialect.now} - $2`, [ALL, KEPT_MS]);
        await this.#look();
        this.#giveAway();
      } catch (error) {
        if (!isPassing(error)) throw error;
        // Its part stays what it was: what nobody works on is taken after a while, whoever there is.
        this.#log(`who else works is not known: ${messageOf(error)}`);
      }
      await this.#pace.sleep(this.#ttlMs / 4, stop);
    }
    await query('delete from lease where name = $1', [this.#name]).catch(() => {});
  }

  /** Looks who is here, and what its part is with them. */
  async #look(): Promise<void> {
    if (this.#meeting === undefined) return;
    const { query, dialect } = this.#meeting;
    const members = await query(
      `select name from lease where name like $1 and expires >= ${dialect.now} order by name${dialect.byBytes}`,
      [ALL],
    );
    const rank = members.findIndex(member => member['name'] === this.#name);
    if (rank < 0) return;
    this.#members = new Set(members.map(member => String(member['name'])));
    const before = this.#part;
    this.#part = partOf(this.#shards, members.length, rank);
    if (this.#part !== before)
      this.#log(`${members.length} controllers: ${this.#part} of ${this.#shards} shards are this one's part`);
  }

  /** Leaves one of those that are more than its part, once others had the time to see who is here. */
  #giveAway(): void {
    if (this.#held.size <= this.#part) {
      this.#surplus = undefined;
      return;
    }
    this.#surplus ??= this.#pace.now();
    if (this.#pace.now() - this.#surplus < this.#ttlMs) return;
    this.#log('one shard is left to a controller that has fewer');
    [...this.#held.values()].at(-1)?.();
    this.#surplus = undefined;
  }
}
