/**
 * @module Notices on their way: each to each of its targets, at least once, with the same id on every try, for as long as it
 * takes. What was tried is remembered by the store.
 */
import { type Lease, underLease } from '@syndrome/base/store/lease.ts';
import type { Store } from '@syndrome/base/store/store.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Notice } from '../core/notice.ts';
import type { Delivery } from '../notify/target.ts';

/** Of one target at a time. */
const AT_ONCE = 4;
/** The wait after the first failure; doubled by each further one, up to five minutes. A receiver may ask for an hour. */
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 300_000;
const MAX_ASKED_MS = 3_600_000;
/** Looked at so often without being woken. */
const LOOK_MS = 1000;

interface Options {
  store: Store;
  lease: Lease;
  ttlMs: number;
  /** One try. */
  deliver: (notice: Notice, target: string, signal: AbortSignal) => Promise<Delivery>;
  /** ms UTC. */
  now: () => number;
  log: (line: string) => void;
  /** Is told of a notice that a target has taken. */
  told: (target: string, notice: Notice) => void;
  /** Ends the leadership: the store refused. */
  failed: (error: unknown) => void;
}

/** How long to wait after so many failures. */
export const waitAfter = (attempts: number, askedMs = 0): number =>
  Math.max(Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20), MAX_WAIT_MS), Math.min(askedMs, MAX_ASKED_MS));

/** Delivers what waits, to each target by itself: one that does not answer holds up no other. */
export class Outbox {
  readonly #options: Options;
  readonly #stop = new AbortController();
  readonly #wakers = new Set<() => void>();
  readonly #running: Promise<void>[];

  constructor(options: Options, targets: readonly string[]) {
    this.#options = options;
    this.#running = targets.map(target => this.#serve(target));
  }

  /** Something new may wait. */
  wake(): void {
    for (const waker of this.#wakers) waker();
  }

  /** Breaks off what is under way: it is done again by whoever comes next. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await Promise.all(this.#running);
  }

  async #serve(target: string): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if ((await this.#round(target)) < AT_ONCE) await this.#idle();
      } catch (error) {
        if (signal.aborted) return;
        this.#options.failed(error);
        await this.#idle();
      }
    }
  }

  #idle(): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, LOOK_MS);
      this.#wakers.add(done);
    });
  }

  /** @returns how many were due */
  async #round(target: string): Promise<number> {
    const { store, lease, ttlMs, now, log } = this.#options;
    const rows = await store.query(
      `select id, attempts, body from outbox where state = 'waiting' and target = $1 and due <= $2 order by seq, id limit $3`,
      [target, now(), AT_ONCE],
    );
    if (rows.length === 0) return 0;
    const tried = await Promise.all(
      rows.map(async row => {
        const notice = noticeOf(String(row['body']));
        const attempts = Number(row['attempts']) + 1;
        return { id: String(row['id']), attempts, notice, delivery: await this.#try(notice, target) };
      }),
    );
    // What was broken off was no try; what was taken is remembered, that nobody is told twice for an end in order.
    const tries = this.#stop.signal.aborted ? tried.filter(({ delivery }) => delivery.ok) : tried;
    if (tries.length === 0) return 0;
    await store.transaction(async query => {
      await underLease(store, query, lease, ttlMs);
      for (const { id, attempts, delivery } of tries) {
        if (delivery.ok) {
          await query(
            `update outbox set state = 'delivered', attempts = $3, done = $4, error = null where id = $1 and target = $2`,
            [id, target, attempts, now()],
          );
        } else {
          await query('update outbox set attempts = $3, due = $4, error = $5 where id = $1 and target = $2', [
            id,
            target,
            attempts,
            now() + waitAfter(attempts, delivery.retryAfterMs),
            delivery.why.slice(0, 1000),
          ]);
        }
      }
    });
    for (const { id, attempts, notice, delivery } of tries) {
      if (delivery.ok) this.#options.told(target, notice);
      else log(`notice ${id} to ${target}, try ${attempts}: ${delivery.why}`);
    }
    return rows.length;
  }

  async #try(notice: Notice, target: string): Promise<Delivery> {
    try {
      return await this.#options.deliver(notice, target, this.#stop.signal);
    } catch (error) {
      return { ok: false, why: messageOf(error) };
    }
  }
}

/** A notice as it was put into the outbox. */
function noticeOf(body: string): Notice {
  const notice = JSON.parse(body) as Notice;
  const gpa = notice.lost?.gpa as unknown;
  if (notice.lost !== undefined && typeof gpa === 'string') notice.lost.gpa = BigInt(gpa);
  return notice;
}
