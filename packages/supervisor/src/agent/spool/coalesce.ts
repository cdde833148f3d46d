/** @module Repeats put together: one page that storms costs a row a second, and nothing else waits behind it. */
import { createHash } from 'node:crypto';
import type { Said, SeenEvent } from '../../core/said.ts';

interface CoalesceOptions {
  /** So many equal events of one window are written one by one. Default 16. */
  burst?: number;
  /** How long further ones are counted before the count is written, ms. Default 1000. */
  windowMs?: number;
  /** Both where the spool runs full. Default 1, and 60,000. */
  tightBurst?: number;
  tightWindowMs?: number;
  /** Different events that are told apart; the oldest is written out for a further one. Default 1024. */
  keys?: number;
}

interface Window {
  since: number;
  written: number;
  /** The repeats that were not written: the first of them, and how many. */
  held: SeenEvent | undefined;
  count: number;
}

/** Between sources and spool. Times are those of one clock of the caller, ms. */
export class Coalescer {
  readonly #write: (said: Said) => void;
  readonly #options: Required<CoalesceOptions>;
  readonly #windows = new Map<string, Window>();

  constructor(write: (said: Said) => void, options: CoalesceOptions = {}) {
    this.#write = write;
    this.#options = { burst: 16, windowMs: 1000, tightBurst: 1, tightWindowMs: 60_000, keys: 1024, ...options };
  }

  /** Writes it at once, or counts it. @param tight the spool runs full: count earlier and longer */
  take(said: Said, now: number, tight = false): void {
    if (said.kind !== 'event') return this.#write(said);
    const { burst, tightBurst, keys } = this.#options;
    this.tick(now, tight);
    const key = keyOf(said);
    const window = this.#windows.get(key) ?? { since: now, written: 0, held: undefined, count: 0 };
    if (!this.#windows.has(key)) {
      if (this.#windows.size >= keys) this.#close(this.#windows.keys().next().value as string);
      this.#windows.set(key, window);
    }
    if (window.written < (tight ? tightBurst : burst)) {
      window.written++;
      return this.#write(said);
    }
    window.held ??= said;
    window.count += said.count ?? 1;
  }

  /** Writes the counts whose window is over. To be called about once a second. */
  tick(now: number, tight = false): void {
    const length = tight ? this.#options.tightWindowMs : this.#options.windowMs;
    for (const [key, { since }] of this.#windows) {
      // They are in the order of their begin.
      if (now - since < length) break;
      this.#close(key);
    }
  }

  /** Whether repeats are counted that are not written yet. */
  get holds(): boolean {
    for (const { held } of this.#windows.values()) if (held !== undefined) return true;
    return false;
  }

  /** Writes all counts. */
  end(): void {
    for (const key of this.#windows.keys()) this.#close(key);
  }

  #close(key: string): void {
    const window = this.#windows.get(key);
    this.#windows.delete(key);
    if (window?.held !== undefined) this.#write({ ...window.held, count: window.count });
  }
}

/** Equal for events that say the same of the same: when they happened and how the line read makes no difference. */
function keyOf({ source, vm, event, pfn, gpa }: SeenEvent): string {
  const text = JSON.stringify([source, vm, event.name, event.fields, pfn, gpa], (_, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
  // A key of bounded size: fields are not.
  return text.length <= 128 ? text : createHash('sha1').update(text).digest('base64');
}
