/**
 * @module What a controller counts while it works: events, acts that ended, notices that were delivered, and how long each took. It counts as things
 * happen, so that to read it costs nothing; whoever works next begins anew, as counters of a process do.
 */
import type { Act, ActResult } from '../core/act.ts';
import type { Time } from '../core/ids.ts';
import type { Row } from '../core/said.ts';

type Labels = Readonly<Record<string, string>>;

/** How often things happened, by their labels. */
export class Counter {
  readonly #counts = new Map<string, { labels: Labels; count: number }>();

  add(labels: Labels, by = 1): void {
    const key = JSON.stringify(labels);
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { labels, count: by });
    else known.count += by;
  }

  [Symbol.iterator](): Iterator<{ labels: Labels; count: number }> {
    return this.#counts.values();
  }
}

interface Observed {
  labels: Labels;
  /** How many were within each bound, and not within the one before; the last: beyond all bounds. */
  within: number[];
  sum: number;
}

/** How long things took, by their labels: so many within each of some bounds. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly #observed = new Map<string, Observed>();

  /** @param bounds s, the shortest first */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
  }

  /** @param seconds less than none is none: clocks of two machines are not one */
  observe(labels: Labels, seconds: number): void {
    const key = JSON.stringify(labels);
    let one = this.#observed.get(key);
    if (one === undefined) {
      one = { labels, within: [...this.bounds, 0].map(() => 0), sum: 0 };
      this.#observed.set(key, one);
    }
    const took = Math.max(0, seconds);
    const at = this.bounds.findIndex(bound => took <= bound);
    const i = at < 0 ? this.bounds.length : at;
    one.within[i] = (one.within[i] ?? 0) + 1;
    one.sum += took;
  }

  [Symbol.iterator](): Iterator<Readonly<Observed>> {
    return this.#observed.values();
  }
}

/** What QEMU's MEMORY_FAILURE may say (qapi/run-state.json); a peer makes no more series than these. */
const RECIPIENTS = ['hypervisor', 'guest'];
const ACTIONS = ['ignore', 'inject', 'fatal', 'reset'];
const oneOf = (known: readonly string[], said: string | undefined): string =>
  said === undefined ? '' : known.includes(said) ? said : 'other';

/** An act that is over, and when it was decided, ms UTC. */
export interface EndedAct {
  act: Act;
  since: Time;
  state: ActResult['state'];
}

export class Meters {
  /** Errors as they were seen: by who saw them; of QEMU's own event by whom it says to be concerned, and what it did. */
  readonly events = new Counter();
  /** Rows that came again, and were in the ledger already. */
  again = 0;
  readonly acts = new Counter();
  readonly notices = new Counter();
  readonly actSeconds = new Histogram([0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]);
  readonly detectionSeconds = new Histogram([0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 60, 300, 3600]);
  readonly noticeSeconds = new Histogram([0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600]);

  /** Rows of a commit are durable, at a time, ms UTC. */
  rows(rows: readonly Row[], now: Time): void {
    for (const { said, at } of rows) {
      if (said.kind !== 'event') continue;
      const { source, event, when } = said;
      const { recipient, action }: { recipient?: string; action?: string } =
        event.name === 'vmm.memory-failure' ? event.fields : {};
      const labels = { recipient: oneOf(RECIPIENTS, recipient), action: oneOf(ACTIONS, action) };
      this.events.add({ source, ...labels }, said.count ?? 1);
      this.detectionSeconds.observe({ source }, (now - Math.min(when ?? at, now)) / 1000);
    }
  }

  ended({ act, since, state }: EndedAct, now: Time): void {
    this.acts.add({ kind: act.kind, result: state });
    this.actSeconds.observe({ kind: act.kind }, (now - since) / 1000);
  }

  /** A notice was delivered, that was decided at a time, ms UTC. */
  told(target: string, at: Time, now: Time): void {
    this.notices.add({ target, result: 'delivered' });
    this.noticeSeconds.observe({ target }, (now - at) / 1000);
  }
}
