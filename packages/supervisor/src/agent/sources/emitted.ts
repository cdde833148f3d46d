/**
 * @module Events that QEMU emitted and nobody got. QEMU's trace event `monitor_protocol_event_emit` writes a line for each,
 * connected or not, with the number of its kind, which differs from QEMU to QEMU: it is learned from one that came both ways. The lines are read by the reader of QEMU's log.
 */
import type { VmId } from '../../core/ids.ts';

/** Both ways name the time within this, µs (50 were seen). */
const SAME_US = 1000;
/** Where the other way names no time, what it brings has come within this, µs. */
const ARRIVED_US = 1e6;
/** How long the other way may take, µs. */
const LATE_US = 2e6;
/** Kept of each way. */
const KEEP = 1024;

/** What QEMU says of one event, of one VM. Times are µs UTC by QEMU's clock, which both ways share. */
export class Emitted {
  readonly #name: string;
  #ordinal: number | undefined;
  #lines: { us: number; ordinal: number }[] = [];
  #received: { us: number; name: string; within: number }[] = [];

  /** @param name the QMP event whose loss matters */
  constructor(name: string) {
    this.#name = name;
  }

  /** A line of the log. */
  line(us: number, ordinal: number): void {
    this.#lines.push({ us, ordinal });
    if (this.#lines.length > KEEP) this.#lines.shift();
    this.#learn();
  }

  /** An event of the monitor. */
  received(us: number, name: string): void {
    this.#take({ us, name, within: SAME_US });
    this.#learn();
  }

  /**
   * An event that came without QEMU's time, as libvirt hands it on. Near it lines of other kinds are likely: the number is learned
   * once all its lines must have been read.
   * @param us when it came
   */
  arrived(us: number, name: string): void {
    this.#take({ us, name, within: ARRIVED_US });
  }

  #take(received: { us: number; name: string; within: number }): void {
    this.#received.push(received);
    if (this.#received.length > KEEP) this.#received.shift();
  }

  /** Emitted, and not received until `now`: their times. Each is told once. */
  lost(now: number): number[] {
    this.#learn(now);
    const due = this.#lines.filter(l => l.us <= now - LATE_US);
    // What cannot be named yet is kept: the number may be learned from a later one.
    const kept = this.#ordinal === undefined ? due : [];
    this.#lines = [...kept, ...this.#lines.filter(l => l.us > now - LATE_US)];
    if (this.#ordinal === undefined) return [];
    const left = this.#received.filter(r => r.name === this.#name);
    const lost: number[] = [];
    for (const { us, ordinal } of due) {
      if (ordinal !== this.#ordinal) continue;
      const at = left.findIndex(r => Math.abs(r.us - us) <= r.within);
      if (at < 0) lost.push(us);
      else left.splice(at, 1);
    }
    this.#received = this.#received.filter(r => r.us > now - 2 * LATE_US);
    return lost;
  }

  #learn(now = -Infinity): void {
    if (this.#ordinal !== undefined) return;
    for (const { us, name, within } of this.#received) {
      if (name !== this.#name || (within > SAME_US && us > now - LATE_US)) continue;
      const near = this.#lines.filter(l => Math.abs(l.us - us) <= within);
      // Two kinds at one moment tell nothing.
      if (new Set(near.map(l => l.ordinal)).size === 1) this.#ordinal = near[0]?.ordinal;
    }
  }
}

/** One for each VM, made when it is first asked for: its log and its events come by different sources. */
export function emittedByVm(): (vm: VmId) => Emitted {
  const all = new Map<VmId, Emitted>();
  return vm => {
    const one = all.get(vm) ?? new Emitted('MEMORY_FAILURE');
    all.set(vm, one);
    return one;
  };
}
