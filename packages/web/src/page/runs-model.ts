/** @module What the server has in its folders. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { type ListedFile, type ListedRow, listedRows, type Listing, LISTING_VERSION } from '../view/listing.ts';
import { apiUrl, eventsOf, ServerStream, type StreamState } from './server-stream.ts';

/** Why a file is not shown, and what to do. */
interface Trouble {
  message: string;
  hint?: string | undefined;
}

/** How often ages are told anew, ms. */
const AGE_MS = 5000;

export class RunsModel {
  readonly listing = signal<Listing | undefined>(undefined);
  readonly find = signal('');
  /** The chosen file, by its name: the list may grow above it. */
  readonly chosen = signal<string | undefined>(undefined);
  readonly trouble = signal<Trouble | undefined>(undefined);
  readonly said = signal('');
  readonly stream = signal<ServerStream | undefined>(undefined);
  readonly #now = signal(Date.now());
  readonly state: ReadonlySignal<StreamState> = computed(() => this.stream.value?.state.value ?? 'opening');
  readonly rows: ReadonlySignal<readonly ListedRow[]> = computed(() => {
    const listing = this.listing.value;
    return listing ? listedRows(listing, this.find.value, this.#now.value) : [];
  });
  /** Position of the chosen file; -1 where it is not listed. */
  readonly position: ReadonlySignal<number> = computed(() =>
    this.rows.value.findIndex(({ file }) => file.name === this.chosen.value),
  );
  #timer: ReturnType<typeof setInterval> | undefined;

  say(text: string): void {
    this.said.value = safeText(text, 300);
  }

  /** Keeps the list up to date, until {@link close}. */
  open(): void {
    if (this.stream.value !== undefined) return;
    this.#timer = setInterval(() => (this.#now.value = Date.now()), AGE_MS);
    this.stream.value = new ServerStream(eventsOf('list/events'), {
      list: data => this.#take(JSON.parse(data) as Listing),
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.stream.value?.close();
    this.stream.value = undefined;
  }

  #take(listing: Listing): void {
    this.#now.value = Date.now();
    this.listing.value = listing;
    if (listing.schemaVersion !== LISTING_VERSION)
      this.trouble.value = { message: 'The server is of another version than this page.', hint: 'Reload the page.' };
  }

  step(by: number): void {
    const { length } = this.rows.value;
    if (length > 0) this.chooseAt(Math.max(0, Math.min(length - 1, this.position.value + by)));
  }

  chooseAt(position: number): void {
    this.chosen.value = this.rows.value[position]?.file.name;
  }

  get file(): ListedFile | undefined {
    return this.rows.value[this.position.value]?.file;
  }
}

/** The list once, for who looks for one file in it. @throws Error */
export async function fetchListing(): Promise<Listing> {
  return (await answerOf(apiUrl('list'))).json() as Promise<Listing>;
}

/** A file of the server. @throws Error that says what to do */
export async function fetchFile(name: string): Promise<Blob> {
  return (await answerOf(apiUrl('file', { name }))).blob();
}

async function answerOf(url: string): Promise<Response> {
  const response = await fetch(url).catch(() => {
    throw new Error('The server does not answer: it may have ended. Start `syndrome web` again.');
  });
  if (response.ok) return response;
  const { detail = `status ${response.status}`, hint = '' } = (await response.json().catch(() => ({}))) as {
    detail?: string;
    hint?: string;
  };
  throw new Error(`${detail}. ${hint}`.trim());
}
