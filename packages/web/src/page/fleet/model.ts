/** @module What the page of a fleet knows: the fleet now, or at an input; what is chosen in it; and whether that is still so. */
import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Decision, Explanation, Fleet, Problem } from '@syndrome/supervisor/client/types.ts';
import { type FleetRow, fleetRows, foundRows } from '../../view/fleet/rows.ts';
import { isStale, ServerStream } from '../server-stream.ts';
import { TokenEvents } from './token-events.ts';

/** Decisions that the page keeps. */
const KEPT = 200;
/** How soon after a decision the fleet is asked for: many come at once. */
const SOON_MS = 250;
/** How long an input has to be wanted before it is asked for: a slider that is moved goes over many. */
const REST_MS = 150;
/** How long the controller may take for what is known now. */
const LATE_MS = 10_000;

/** Why something is not shown, and what to do. */
interface Trouble {
  message: string;
  hint: string;
}

/** An input that is looked at. Neither of the others is there while it is read. */
interface Look {
  input: number;
  fleet?: Fleet;
  trouble?: Trouble;
}

class Refused extends Error {
  readonly status: number;
  readonly hint: string;

  constructor(status: number, { detail, hint }: Partial<Problem>) {
    super(detail ?? `the controller answers with status ${status}`);
    this.status = status;
    this.hint = hint ?? '';
  }
}

function troubleOf(error: unknown): Trouble {
  const hint = error instanceof Refused ? error.hint : 'The controller does not answer: it may have ended.';
  return { message: safeText(messageOf(error), 300), hint: safeText(hint, 300) };
}

interface Asking {
  /** The tag of the answer that is known. */
  known?: string;
  signal?: AbortSignal;
}

interface Got<T> {
  body: T;
  tag: string;
}

const unprovenOf = (rows: readonly FleetRow[]): number => rows.filter(({ kind }) => kind === 'unproven').length;

export class FleetModel {
  /** What is known now. */
  readonly newest = signal<Fleet | undefined>(undefined);
  readonly #look = signal<Look | undefined>(undefined);
  /** The input that is looked at; undefined for now. */
  readonly at: ReadonlySignal<number | undefined> = computed(() => this.#look.value?.input);
  /** What is shown; undefined while it is read, and where it cannot be: never that of another input. */
  readonly shown: ReadonlySignal<Fleet | undefined> = computed(() =>
    this.#look.value === undefined ? this.newest.value : this.#look.value.fleet,
  );
  /** Why the input that is looked at is not shown. */
  readonly untold: ReadonlySignal<Trouble | undefined> = computed(() => this.#look.value?.trouble);
  readonly find = signal('');
  readonly #all: ReadonlySignal<readonly FleetRow[]> = computed(() =>
    this.shown.value ? fleetRows(this.shown.value) : [],
  );
  /** What is listed: sums are of all of it, whatever is filtered. */
  readonly rows: ReadonlySignal<readonly FleetRow[]> = computed(() => foundRows(this.#all.value, this.find.value));
  /** How many VMs have no proof in what is shown; undefined where nothing is. */
  readonly unproven: ReadonlySignal<number | undefined> = computed(
    () => this.shown.value && unprovenOf(this.#all.value),
  );
  /** And now, whatever is looked at. */
  readonly unprovenNow: ReadonlySignal<number> = computed(() =>
    this.newest.value ? unprovenOf(fleetRows(this.newest.value)) : 0,
  );
  /** The key of the chosen row: others may come above it. */
  readonly chosen = signal<string | undefined>(undefined);
  readonly position: ReadonlySignal<number> = computed(() =>
    this.rows.value.findIndex(({ key }) => key === this.chosen.value),
  );
  readonly #row: ReadonlySignal<FleetRow | undefined> = computed(() => this.rows.value[this.position.value]);
  readonly #incident: ReadonlySignal<string | undefined> = computed(() => this.#row.value?.incident);
  readonly explained = signal<Explanation | undefined>(undefined);
  /** The last decisions, the newest first. */
  readonly decisions = signal<readonly Decision[]>([]);
  readonly stream = signal<ServerStream | undefined>(undefined);
  /** Why what is newest could not be asked for last, though the stream may be live. */
  readonly behind = signal<Trouble | undefined>(undefined);
  readonly stale: ReadonlySignal<boolean> = computed(
    () => isStale(this.stream.value) || this.behind.value !== undefined,
  );
  readonly trouble = signal<Trouble | undefined>(undefined);
  readonly said = signal('');
  #token = '';
  #tag = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewing = false;
  /** Something has come while the newest was asked for. */
  #again = false;
  #looking = new AbortController();
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** Of what was asked for last: an older answer that comes later is of no use. */
  #explaining = 0;
  readonly #leave: () => void;

  constructor() {
    // Whatever brings another incident into the chosen row, or takes the row away: what is told is of that row.
    this.#leave = effect(() => {
      void this.#incident.value;
      untracked(() => void this.explain());
    });
  }

  /** Lets the page in. @returns whether the token is one, and all could be asked for */
  async enter(token: string): Promise<boolean> {
    this.#token = token.trim();
    this.trouble.value = undefined;
    try {
      const fleet = await this.#get<Fleet>('v1/fleet');
      const decided = await this.#get<{ items: Decision[] }>('v1/decisions?order=desc&limit=100');
      this.decisions.value = decided?.body.items ?? [];
      if (fleet) this.#take(fleet);
    } catch (error) {
      this.trouble.value = troubleOf(error);
      return false;
    }
    const known = this.decisions.value[0]?.number ?? this.newest.value?.decisions ?? 0;
    this.#follow(String(known));
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#again = false;
    this.#stopLooking();
    this.#leave();
    this.stream.value?.close();
    this.stream.value = undefined;
  }

  #follow(last: string): void {
    const open = (after: string | undefined): TokenEvents => new TokenEvents('v1/events', this.#headers, after);
    this.stream.value = new ServerStream(
      open,
      {
        decision: data => {
          this.decisions.value = [JSON.parse(data) as Decision, ...this.decisions.value].slice(0, KEPT);
          this.#soon();
        },
        // Another ledger, or an older copy: nothing that was known is of it.
        reset: () => {
          this.decisions.value = [];
          this.look(undefined);
          this.#soon();
        },
        // Also what nothing was decided about has changed: who is heard.
        beat: () => this.#soon(),
      },
      last,
    );
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#renew();
    }, SOON_MS);
  }

  /** One at a time: an older answer cannot come later, and a slow controller is not asked more and more. */
  async #renew(): Promise<void> {
    if (this.#renewing) {
      this.#again = true;
      return;
    }
    this.#renewing = true;
    const ending = new AbortController();
    const late = setTimeout(
      () => ending.abort(new Error('what is known now was asked for, and has not come')),
      LATE_MS,
    );
    try {
      const fleet = await this.#get<Fleet>('v1/fleet', { known: this.#tag, signal: ending.signal });
      this.behind.value = undefined;
      if (fleet) {
        this.#take(fleet);
        if (this.at.value === undefined) void this.explain();
      }
    } catch (error) {
      this.behind.value = troubleOf(error);
    }
    clearTimeout(late);
    this.#renewing = false;
    if (!this.#again) return;
    this.#again = false;
    this.#soon();
  }

  #take({ body, tag }: Got<Fleet>): void {
    this.newest.value = body;
    this.#tag = tag;
    if (this.chosen.value === undefined) this.chooseAt(0);
  }

  #stopLooking(): void {
    clearTimeout(this.#rest);
    this.#looking.abort();
    this.#looking = new AbortController();
  }

  /** Shows what was known at an input, as soon as no other is wanted; undefined for now. */
  look(input: number | undefined): void {
    const newest = this.newest.value;
    if (newest === undefined) return;
    this.#stopLooking();
    if (input === undefined || input >= newest.inputs) {
      this.#look.value = undefined;
      return;
    }
    const at = Math.max(0, input);
    if (this.#look.value?.input !== at || !this.#look.value.fleet) this.#look.value = { input: at };
    this.#rest = setTimeout(() => void this.#read(at, this.#looking.signal), REST_MS);
  }

  async #read(input: number, signal: AbortSignal): Promise<void> {
    let look: Look;
    try {
      const got = await this.#get<Fleet>(`v1/fleet?input=${input}`, { signal });
      look = { input, ...(got && { fleet: got.body }) };
    } catch (error) {
      look = { input, trouble: troubleOf(error) };
    }
    if (!signal.aborted) this.#look.value = look;
  }

  /** An input earlier or later than what is looked at. */
  step(by: number): void {
    const newest = this.newest.value;
    if (newest) this.look((this.at.value ?? newest.inputs) + by);
  }

  move(by: number): void {
    const { length } = this.rows.value;
    if (length > 0) this.chooseAt(Math.max(0, Math.min(length - 1, this.position.value + by)));
  }

  chooseAt(position: number): void {
    const row = this.rows.value[position];
    this.chosen.value = row?.key;
    if (row) this.said.value = `${row.title}, ${row.about}`;
  }

  get row(): FleetRow | undefined {
    return this.#row.value;
  }

  /** Asks for all that is known of the incident that is chosen. */
  async explain(): Promise<void> {
    const asked = ++this.#explaining;
    const id = this.#incident.value;
    if (id === undefined || this.explained.value?.incident.id !== id) this.explained.value = undefined;
    if (id === undefined) return;
    try {
      const got = await this.#get<Explanation>(`v1/incidents/${encodeURIComponent(id)}`);
      if (this.#explaining === asked) this.explained.value = got?.body;
    } catch (error) {
      if (this.#explaining === asked) this.trouble.value = troubleOf(error);
    }
  }

  say(text: string): void {
    this.said.value = safeText(text, 300);
  }

  get #headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.#token}` };
  }

  /** @returns undefined where it is the one that is known @throws Refused; whatever `fetch` throws */
  async #get<T>(path: string, { known = '', signal }: Asking = {}): Promise<Got<T> | undefined> {
    const headers = {
      ...this.#headers,
      Accept: 'application/json',
      ...(known === '' ? {} : { 'If-None-Match': known }),
    };
    const response = await fetch(path, { headers, cache: 'no-store', ...(signal && { signal }) });
    if (response.status === 304) return undefined;
    if (!response.ok) throw new Refused(response.status, (await response.json().catch(() => ({}))) as Partial<Problem>);
    return { body: (await response.json()) as T, tag: response.headers.get('etag') ?? '' };
  }
}
