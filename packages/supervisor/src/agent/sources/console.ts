/**
 * @module The console of a guest, which its administrator has QEMU write to a file: words for people. A guest writes there what
 * it likes and as much as it likes, so that little of it is read, less is told, and nothing that acts look at is told of it.
 */
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import type { VmId } from '../../core/ids.ts';
import type { SeenEvent } from '../../core/said.ts';
import { findingOf } from '../../core/witness.ts';
import type { Positions } from '../positions.ts';
import { keepReading, type ReconnectOptions } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import { followLines } from './follow.ts';

const MAX_RAW = 512;
/** A kernel that says all it has to say while it boots writes less in a second. */
const BYTES_PER_SECOND = 256 * 1024;
/** Events of one name that are told at once, and how often one more is, ms. */
const BURST = 8;
const EVERY_MS = 30_000;
/** How often it is told that some were left out, ms. */
const TELL_LOST_MS = 600_000;

export interface ConsoleOptions extends ReconnectOptions {
  positions?: Positions;
  pollMs?: number;
  bytesPerSecond?: number;
  /** A clock that never goes back, ms. */
  now?: () => number;
}

/** Follows the console of one VM. Told is what the core makes words of, under names that it believes about nothing. */
export class ConsoleSource implements Source {
  readonly name = 'console';
  readonly vm: VmId;
  readonly #path: string;
  readonly #options: ConsoleOptions;
  /** By event name: when its allowance is full again. */
  readonly #fullAt = new Map<string, number>();
  #lost = 0;
  /** Some of it was not even read. */
  #unread = false;
  #toldLost = -Infinity;

  constructor(vm: VmId, path: string, options: ConsoleOptions = {}) {
    this.vm = vm;
    this.#path = path;
    this.#options = options;
  }

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const { positions, pollMs, bytesPerSecond = BYTES_PER_SECOND } = this.#options;
    const { vm } = this;
    const name = `console:${this.#path}`;
    return keepReading(
      { source: 'console', vm },
      async ({ up, signal: ending }) => {
        const reader = linuxEvents('guest');
        const take = (line: string): void => {
          for (const event of reader.push(line)) {
            const seen: SeenEvent = { kind: 'event', source: 'console', vm, event, raw: line.slice(0, MAX_RAW) };
            if (findingOf(seen).is === 'nothing') continue;
            if (this.#may(event.name)) sink(seen);
            else this.#lost++;
          }
        };
        await followLines(this.#path, take, {
          signal: ending,
          from: positions?.get(name),
          bytesPerSecond,
          ...(pollMs === undefined ? {} : { pollMs }),
          up: () => {
            up();
            pulse();
          },
          idle: position => {
            pulse();
            positions?.set(name, position);
            this.#tellLost(sink);
          },
          leftOut: () => {
            pulse();
            this.#unread = true;
            this.#tellLost(sink);
          },
        });
      },
      sink,
      signal,
      this.#options,
    );
  }

  /** Whether one more of that name may be told; counted as told then. */
  #may(name: string): boolean {
    const now = this.#now();
    const full = Math.max(now, this.#fullAt.get(name) ?? now);
    if (full - now > (BURST - 1) * EVERY_MS) return false;
    this.#fullAt.set(name, full + EVERY_MS);
    return true;
  }

  /** A guest that floods its console is told of, seldom: a flood of that would be one too. */
  #tellLost(sink: Sink): void {
    const now = this.#now();
    if ((this.#lost === 0 && !this.#unread) || now - this.#toldLost < TELL_LOST_MS) return;
    sink({
      kind: 'source',
      source: 'console',
      vm: this.vm,
      state: 'back',
      gapMs: 0,
      ...(this.#unread ? {} : { lostEvents: this.#lost }),
      reason: 'the guest writes more than is read of a console',
    });
    this.#lost = 0;
    this.#unread = false;
    this.#toldLost = now;
  }

  #now(): number {
    return (this.#options.now ?? (() => performance.now()))();
  }
}
