/** @module A stream of the server that the page came from: taken up again where it broke off, and said to be stale meanwhile. */
import { signal } from '@preact/signals';

/** How long the server may say nothing, ms: three of its signs of life. */
const STALE_MS = 6000;
const LOOK_MS = 500;

/** `lost`: the server does not take it up again. */
export type StreamState = 'opening' | 'live' | 'stale' | 'lost';

/** The address of an answer of the server. */
export function apiUrl(path: string, words: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(words).toString();
  return query === '' ? `api/${path}` : `api/${path}?${query}`;
}

export class ServerStream {
  readonly state = signal<StreamState>('opening');
  /** When the server was heard last, ms since 1970. */
  readonly heard = signal(Date.now());
  readonly #path: string;
  readonly #words: Readonly<Record<string, string>>;
  readonly #on: Readonly<Record<string, (data: string) => void>>;
  #source: EventSource | undefined;
  /** When it was asked for last, ms since 1970. */
  #asked = 0;
  #last = '';
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param on what is done with the data of an event, by its name */
  constructor(
    path: string,
    words: Readonly<Record<string, string>>,
    on: Readonly<Record<string, (data: string) => void>>,
  ) {
    this.#path = path;
    this.#words = words;
    this.#on = on;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    document.addEventListener('visibilitychange', this.#onVisibility);
    this.#open();
  }

  close(): void {
    clearInterval(this.#timer);
    document.removeEventListener('visibilitychange', this.#onVisibility);
    this.#source?.close();
  }

  /** A browser has few connections to one server: what nobody looks at keeps none. */
  readonly #onVisibility = (): void => {
    this.#source?.close();
    if (document.visibilityState === 'visible' && this.state.value !== 'lost') this.#open();
  };

  #open(): void {
    const after = this.#last === '' ? {} : { after: this.#last };
    const source = new EventSource(apiUrl(this.#path, { ...this.#words, ...after }));
    this.#source = source;
    this.#asked = Date.now();
    source.onopen = () => this.#hear();
    source.onerror = () => (this.state.value = source.readyState === EventSource.CLOSED ? 'lost' : 'stale');
    source.addEventListener('beat', () => this.#hear());
    for (const [name, act] of Object.entries(this.#on)) {
      source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        this.#last = lastEventId;
        this.#hear();
        act(data);
      });
    }
  }

  #hear(): void {
    this.heard.value = Date.now();
    this.state.value = 'live';
  }

  /** A connection may be dead without an end: a tunnel, a machine that slept. A page that nobody sees asks for nothing. */
  #look(): void {
    if (document.visibilityState !== 'visible' || this.state.value !== 'live') return;
    if (Date.now() - Math.max(this.heard.value, this.#asked) > STALE_MS) this.state.value = 'stale';
  }
}
