/** @module Waits for a change of a file or of a folder. */
import { type FSWatcher, watch } from 'node:fs';
import { pause } from './reconnect.ts';

/** Between two waits that a change has ended, ms. */
const SHORTEST_MS = 50;

/**
 * A change that is told once for each time that it is armed. Who writes byte for byte (QEMU a console) makes thousands of changes a second,
 * and a watcher that is told of each has no time for anything else: libuv gives them out until no more come.
 */
export class Changed {
  #watcher: FSWatcher | undefined;
  #happened = new AbortController();
  #last = -Infinity;

  /** To be done before looking, so that nothing is missed between look and wait. @throws the error of the file system */
  arm(path: string): void {
    this.end();
    const happened = new AbortController();
    const watcher = watch(path, { persistent: false });
    const once = (): void => {
      watcher.close();
      happened.abort();
    };
    watcher.once('change', once);
    watcher.once('error', once);
    // A watcher that is closed may have one more to tell.
    watcher.on('error', () => undefined);
    [this.#watcher, this.#happened] = [watcher, happened];
  }

  /** Until something has changed since it was armed; at most so long, ms. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await pause(ms, AbortSignal.any([signal, this.#happened.signal]));
    this.end();
    const rest = this.#last + SHORTEST_MS - performance.now();
    if (rest > 0) await pause(rest, signal);
    this.#last = performance.now();
  }

  end(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
