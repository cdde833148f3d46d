/** What a connection hands out as events: listeners, waiters with a deadline, and bounded iterators. */
import { events as eventShapes, type QmpEventName, type QmpEvents } from './commands.ts';
import { QmpClosedError, QmpDeadlineError, QmpError } from './errors.ts';
import type { EventTimestamp } from './messages.ts';
import { departure } from './shapes.ts';

/** One event as received. `data` is what the peer sent; narrow it with {@link isEvent}. */
export type QmpEvent = {
  event: string;
  data: Record<string, unknown>;
  /** QEMU's wall clock, if it gave one. */
  timestamp: EventTimestamp | undefined;
  /** Our monotonic clock on arrival, in ns (`process.hrtime.bigint()`). */
  t: bigint;
};

export type QmpEventOf<E extends QmpEventName> = Omit<QmpEvent, 'event' | 'data'> & { event: E; data: QmpEvents[E] };
export type EventPredicate = (event: QmpEvent) => boolean;

/** True when the event has this name and its data the shape the table claims. */
export function isEvent<E extends QmpEventName>(event: QmpEvent, name: E): event is QmpEvent & QmpEventOf<E> {
  return event.event === name && departure({ members: eventShapes[name].data }, event.data) === undefined;
}

/** Events an iterator keeps for a consumer that is slower than the machine. */
export const DEFAULT_EVENT_LIMIT = 4096;

type Waiter = { matches: EventPredicate; settle(event: QmpEvent | undefined, error?: unknown): void };

export class EventHub {
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #waiters = new Set<Waiter>();
  readonly #queues = new Set<EventQueue>();
  readonly #onListenerError: (error: unknown) => void;
  #closedBy: QmpError | undefined;

  /** `onListenerError` hears what a listener throws; the connection goes on. */
  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  emit(event: QmpEvent): void {
    for (const waiter of this.#waiters) {
      try {
        if (waiter.matches(event)) waiter.settle(event);
      } catch (error) {
        waiter.settle(undefined, error);
      }
    }
    for (const queue of this.#queues) queue.push(event);
    // Copied first: a listener added by a listener hears the next event, not this one.
    const listeners = [...this.#listeners];
    for (const listener of listeners) this.#tell(listener, event);
  }

  /** Adds a listener for every later event; the returned function removes it. */
  listen(listener: (event: QmpEvent) => void): () => void {
    // A wrapper, so that the same function may listen twice and be removed once.
    const own = (event: QmpEvent): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  wait(matches: EventPredicate, deadlineMs: number, what: string): Promise<QmpEvent> {
    return new Promise((resolve, reject) => {
      if (this.#closedBy !== undefined) return reject(closedWhile(what, this.#closedBy));
      const waiter: Waiter = {
        matches,
        settle: (event, error) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          if (event === undefined) reject(error as Error);
          else resolve(event);
        },
      };
      const timer = setTimeout(() => waiter.settle(undefined, new QmpDeadlineError(what, deadlineMs)), deadlineMs);
      this.#waiters.add(waiter);
    });
  }

  iterate(limit: number, signal: AbortSignal | undefined): AsyncIterableIterator<QmpEvent> {
    const queue: EventQueue = new EventQueue(limit, signal, () => void this.#queues.delete(queue));
    if (signal?.aborted) return queue;
    if (this.#closedBy === undefined) this.#queues.add(queue);
    else queue.end(this.#closedBy);
    return queue;
  }

  /** Ends everything that waits. */
  close(error: QmpError): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = error;
    for (const waiter of this.#waiters) waiter.settle(undefined, closedWhile('waiting for an event', error));
    for (const queue of this.#queues) queue.end(error);
    this.#listeners.clear();
  }

  #tell(listener: (event: QmpEvent) => unknown, event: QmpEvent): void {
    try {
      const result = listener(event);
      // An async function is a valid listener to the compiler; its rejection must not end the process either.
      if (result instanceof Promise) result.catch(this.#onListenerError);
    } catch (error) {
      this.#onListenerError(error);
    }
  }
}

function closedWhile(what: string, error: QmpError): QmpClosedError {
  return new QmpClosedError(`connection closed while waiting: ${what}`, { cause: error });
}

type Settle = { resolve: (result: IteratorResult<QmpEvent>) => void; reject: (error: unknown) => void };

/** An iterator that starts on creation, so that nothing sent between creating and reading it is missed. */
class EventQueue implements AsyncIterableIterator<QmpEvent> {
  readonly #limit: number;
  readonly #release: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.end(undefined);
  #kept: QmpEvent[] = [];
  #waiting: Settle[] = [];
  #ended = false;
  #failure: QmpError | undefined;

  constructor(limit: number, signal: AbortSignal | undefined, release: () => void) {
    this.#limit = limit;
    this.#release = release;
    this.#signal = signal;
    if (signal?.aborted) this.#ended = true;
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  push(event: QmpEvent): void {
    if (this.#ended) return;
    const next = this.#waiting.shift();
    if (next !== undefined) return next.resolve({ value: event, done: false });
    if (this.#kept.length < this.#limit) return void this.#kept.push(event);
    this.end(
      new QmpError('E_QMP_EVENTS_LOST', `more than ${this.#limit} events arrived before they were read`, {
        hint: 'Read the iterator without awaiting slow work, or raise its limit.',
      }),
    );
  }

  /** Ends the iteration after what is kept; it throws unless the connection just closed. */
  end(error: QmpError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = error instanceof QmpClosedError ? undefined : error;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#release();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const next of waiting) this.#finish(next);
  }

  next(): Promise<IteratorResult<QmpEvent>> {
    return new Promise((resolve, reject) => {
      const event = this.#kept.shift();
      if (event !== undefined) resolve({ value: event, done: false });
      else if (this.#ended) this.#finish({ resolve, reject });
      else this.#waiting.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<QmpEvent>> {
    this.#kept = [];
    this.end(undefined);
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(next: Settle): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) next.resolve({ value: undefined, done: true });
    else next.reject(failure);
  }
}
