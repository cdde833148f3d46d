/** @module Runs a source, stops it where the spool is full, and says when it shows no sign of life. */
import type { SourceState } from '../core/said.ts';
import { PULSE_MS, type Sink, type Source } from './source.ts';

/** One source and what is known of it. Times are those of the monotonic clock, ms. */
export class Keeper {
  readonly source: Source;
  readonly #sink: Sink;
  readonly #stallMs: number;
  #run: { end: AbortController; done: Promise<void> } | undefined;
  #pulse = 0;
  #stalledAt: number | undefined;
  #heldAt: number | undefined;
  /** What was told to end and has not yet. */
  #ending: Promise<void> = Promise.resolve();
  /** Which of the VMs that it reads (none: itself) are known to be lost. */
  readonly #lost = new Map<string, boolean>();

  constructor(source: Source, sink: Sink, stallMs = 3 * PULSE_MS) {
    this.source = source;
    this.#sink = sink;
    this.#stallMs = stallMs;
  }

  start(now: number): void {
    if (this.#run !== undefined) return;
    this.#pulse = now;
    if (this.#heldAt !== undefined) {
      this.#say({ state: 'back', gapMs: Math.round(now - this.#heldAt), reason: 'the spool was full' });
      this.#heldAt = undefined;
    }
    const end = new AbortController();
    const sink: Sink = said => {
      if (said.kind === 'source' && said.source === this.source.name) {
        if (said.state === 'ended') this.#lost.delete(said.vm ?? '');
        else this.#lost.set(said.vm ?? '', said.state === 'lost' || said.state === 'stalled');
      }
      this.#sink(said);
    };
    const pulse = (): void => {
      this.#pulse = performance.now();
    };
    // Never two of it at a time.
    const done = this.#ending.then(() => this.source.run(sink, end.signal, pulse));
    this.#run = { end, done };
  }

  /** Ends the source; it may be started again. `held`: because of the spool, so that the gap is said when it is. */
  async stop(now: number, held = false): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (held && run !== undefined) this.#heldAt = now;
    if (run !== undefined) {
      run.end.abort();
      this.#ending = run.done;
    }
    await this.#ending;
  }

  /** Looks for a sign of life. To be called about once a second. */
  tick(now: number): void {
    // What is known to be lost has said so.
    const isLost = this.#lost.size > 0 && [...this.#lost.values()].every(lost => lost);
    if (this.#run === undefined || isLost) {
      this.#pulse = now;
      return;
    }
    if (this.#stalledAt === undefined && now - this.#pulse > this.#stallMs) {
      this.#stalledAt = this.#pulse;
      this.#say({ state: 'stalled', reason: `no sign of life for ${Math.round(now - this.#pulse)} ms` });
    } else if (this.#stalledAt !== undefined && this.#pulse > this.#stalledAt) {
      this.#say({ state: 'back', gapMs: Math.round(now - this.#stalledAt) });
      this.#stalledAt = undefined;
    }
  }

  #say(state: Omit<SourceState, 'kind' | 'source' | 'vm'>): void {
    const { name, vm } = this.source;
    this.#sink({ kind: 'source', source: name, ...(vm === undefined ? {} : { vm }), ...state });
  }
}
