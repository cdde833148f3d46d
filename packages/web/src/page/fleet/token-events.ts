/**
 * @module Events of an API that wants a token in a header, which `EventSource` cannot send. Like that it comes back by itself, and
 * says which event it has had last.
 */
import { EventText } from '@syndrome/supervisor/client/event-text.ts';
import { CLOSED, type EventsFrom } from '../server-stream.ts';

/** How soon it comes back, ms. */
const AGAIN_MS = 1000;

export class TokenEvents implements EventsFrom {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 0;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #on = new Map<string, (event: MessageEvent<string>) => void>();
  readonly #ending = new AbortController();
  #last: string | undefined;

  /** @param after the number of the last event that is known */
  constructor(url: string, headers: Readonly<Record<string, string>>, after: string | undefined) {
    this.#url = url;
    this.#headers = headers;
    this.#last = after;
    void this.#run();
  }

  addEventListener(name: string, act: (event: MessageEvent<string>) => void): void {
    this.#on.set(name, act);
  }

  close(): void {
    this.readyState = CLOSED;
    this.#ending.abort();
  }

  async #run(): Promise<void> {
    while (this.readyState !== CLOSED) {
      try {
        await this.#read();
      } catch {
        // It is tried again.
      }
      if (this.#ending.signal.aborted) return;
      if (this.readyState !== CLOSED) this.readyState = 0;
      this.onerror?.();
      await new Promise(resolve => setTimeout(resolve, AGAIN_MS));
    }
  }

  async #read(): Promise<void> {
    const known = this.#last === undefined ? {} : { 'Last-Event-ID': this.#last };
    const headers = { ...this.#headers, ...known, Accept: 'text/event-stream' };
    const response = await fetch(this.#url, { headers, cache: 'no-store', signal: this.#ending.signal });
    // Whoever is not let in now is not let in later.
    if (response.status === 401 || response.status === 403) this.readyState = CLOSED;
    if (!response.ok || response.body === null) return;
    this.readyState = 1;
    this.onopen?.();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const text = new EventText();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const { id, event, data } of text.push(decoder.decode(value, { stream: true }))) {
        this.#last = id ?? this.#last;
        this.#on.get(event)?.(new MessageEvent(event, { data, lastEventId: this.#last ?? '' }));
      }
    }
  }
}
