/** @module A stream of the server that the page came from: taken up again where it broke off, and said to be stale meanwhile. */
import { signal } from '@preact/signals';

/** How long the server may say nothing, ms: three of its signs of life. */
const STALE_MS = 6000;
const LOOK_MS = 500;
/** Of `EventSource`. */
export const CLOSED = 2;

/** `lost`: the server does not take it up again. */
export type StreamState = 'opening' | 'live' | 'stale' | 'lost';

/** The address of an answer of the server. */
export function apiUrl(path: string, words: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(words).toString();
  return query === '' ? `api/${path}` : `api/${path}?${query}`;
}

/** What brings events and comes back by itself: the part of `EventSource` that is used. */
export interface EventsFrom {
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  /** 2 where it does not come back. */
  readonly readyState: number;
  addEventListener(name: string, act: (event: MessageEvent<string>) => void): void;
  close(): void;
}

/** Opens a stream. @param after the number of the last event that is known; undefined for none */
type OpenEvents = (after: string | undefined) => EventsFrom;

/** Events of the server that the page came from, which knows the browser by its cookie. */
export const eventsOf =
  (path: string, words: Readonly<Record<string, string>> = {}): OpenEvents =>
  after =>
    new EventSource(apiUrl(path, { ...words, ...(after === undefined ? {} : { after }) })) as EventsFrom;

export class ServerStream {
  readonly state = signal<StreamState>('opening');
  /** When the server was heard last, ms since 1970. */
  readonly heard = signal(Date.now());
  readonly #from: OpenEvents;
  readonly #on: Readonly<Record<string, (data: string) => void>>;
  #source: EventsFrom | undefined;
  /** When it was asked for last, ms since 1970. */
  #asked = 0;
  #last = '';
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * @param on what is done with the data of an event, by its name
   * @param last the number of the last event that is known
   */
  constructor(from: OpenEvents, on: Readonly<Record<string, (data: string) => void>>, last = '') {
    this.#from = from;
    this.#on = on;
    this.#last = last;
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
    const source = this.#from(this.#last === '' ? undefined : this.#last);
    this.#source = source;
    this.#asked = Date.now();
    source.onopen = () => this.#hear();
    source.onerror = () => (this.state.value = source.readyState === CLOSED ? 'lost' : 'stale');
    source.addEventListener('beat', () => this.#hear());
    for (const [name, act] of Object.entries(this.#on)) {
      source.addEventListener(name, ({ data, lastEventId }) => {
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

/** Whether what a stream has brought may be no longer so. */
export const isStale = (stream: ServerStream | undefined): boolean =>
  stream !== undefined && stream.state.value !== 'live';
