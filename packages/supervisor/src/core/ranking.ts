/**
 * @module Hosts in the order in which they are preferred for VMs. What counts for a host is noted when it is looked at, and the order is kept: to find
 * a place costs what has changed since, not the size of the fleet.
 */
import type { HostId } from './ids.ts';
import type { Host } from './state.ts';

/** What counts of a host for whatever VM. */
export interface Standing {
  host: Host;
  /** Why it takes no VM at all; undefined where it may. */
  no: string | undefined;
  /** 1 where nobody hears its kernel. */
  deaf: number;
  /** Errors that are known of it. */
  errors: number;
  /** Its free memory when it was looked at, bytes. */
  freeBytes: number;
}

/** Less than 0 where `a` is preferred: its kernel is heard, then fewest errors, then most free memory, then by name. */
function compare(a: Standing, b: Standing): number {
  const order = a.deaf - b.deaf || a.errors - b.errors || b.freeBytes - a.freeBytes;
  return order === 0 ? (a.host.id < b.host.id ? -1 : a.host.id > b.host.id ? 1 : 0) : order;
}

/** Where more than one in so many has changed all are put in order anew. */
const MANY = 16;

export class Ranking {
  readonly #of = new Map<HostId, Standing>();
  #order: Standing[] = [];

  /** Those that may take a VM, the best first. */
  get order(): readonly Standing[] {
    return this.#order;
  }

  /** What was noted of a host. */
  of(host: HostId): Standing | undefined {
    return this.#of.get(host);
  }

  /** Notes hosts that were looked at anew. */
  note(standings: readonly Standing[]): void {
    if (standings.length * MANY > this.#order.length) {
      for (const one of standings) this.#of.set(one.host.id, one);
      this.#order = [...this.#of.values()].filter(({ no }) => no === undefined).toSorted(compare);
      return;
    }
    for (const one of standings) {
      const before = this.#of.get(one.host.id);
      this.#of.set(one.host.id, one);
      if (before !== undefined && before.no === one.no && compare(before, one) === 0) {
        if (one.no === undefined) this.#order[this.#at(before)] = one;
        continue;
      }
      if (before !== undefined && before.no === undefined) this.#order.splice(this.#at(before), 1);
      if (one.no === undefined) this.#order.splice(this.#at(one), 0, one);
    }
  }

  /** Where one stands, or would. */
  #at(one: Standing): number {
    let [from, to] = [0, this.#order.length];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      const other = this.#order[middle];
      if (other !== undefined && compare(other, one) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
