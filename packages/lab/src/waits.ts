import { LabError } from './errors.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import type { TraceRecorder } from './trace/recorder.ts';

/** Waits for events of a run. All of them end with it, so that no timer keeps the program after the verdict. */
export class Waits {
  readonly #recorder: TraceRecorder;
  readonly #signal: AbortSignal;
  readonly #abortError: (what: string) => Error;
  readonly #open = new Set<(error: Error) => void>();
  #ended = false;

  /** @param abortError what a wait rejects with when the signal is aborted */
  constructor(recorder: TraceRecorder, signal: AbortSignal, abortError: (what: string) => Error) {
    this.#recorder = recorder;
    this.#signal = signal;
    this.#abortError = abortError;
  }

  /** Resolves at the next wanted event or after `ms`; rejects when the run is interrupted or its machine stopped. */
  next(ms: number, wanted: (event: TraceEvent) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer);
        unlisten();
        this.#signal.removeEventListener('abort', aborted);
        this.#open.delete(fail);
        finish();
      };
      const fail = (error: Error): void => done(() => reject(error));
      const aborted = (): void => fail(this.#abortError('the next event'));
      const timer = setTimeout(() => done(resolve), ms);
      const unlisten = this.#recorder.listen(event => {
        if (wanted(event)) done(resolve);
      });
      this.#open.add(fail);
      if (this.#ended) fail(stopped());
      else if (this.#signal.aborted) aborted();
      else this.#signal.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Nothing more comes: who still waits is told so, and so is who begins to. */
  end(): void {
    this.#ended = true;
    for (const fail of this.#open) fail(stopped());
  }
}

const stopped = (): LabError =>
  new LabError('E_LAB_STOPPED', 'the machine was stopped while a step waited for an event');
