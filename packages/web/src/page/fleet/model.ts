/** @module What the page of a fleet knows: the fleet now, or at an input; what is chosen in it; and whether that is still so. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Decision, Explanation, Fleet, Problem } from '@syndrome/supervisor/client/types.ts';
import { type FleetRow, fleetRows, foundRows } from '../../view/fleet/rows.ts';
import { ServerStream } from '../server-stream.ts';
import { TokenEvents } from './token-events.ts';

/** Decisions that the page keeps. */
const KEPT = 200;
/** How soon after a decision the fleet is asked for: many come at once. */
const SOON_MS = 250;

/** Why something is not shown, and what to do. */
interface Trouble {
  message: string;
  hint: string;
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

export class FleetModel {
  /** What is known now. */
  readonly newest = signal<Fleet | undefined>(undefined);
  /** What was known at an input that is looked at. */
  readonly past = signal<Fleet | undefined>(undefined);
  /** That input; undefined for now. */
  readonly at = signal<number | undefined>(undefined);
  readonly shown: ReadonlySignal<Fleet | undefined> = computed(() =>
    this.at.value === undefined ? this.newest.value : this.past.value,
  );
  readonly find = signal('');
  readonly rows: ReadonlySignal<readonly FleetRow[]> = computed(() => {
    const fleet = this.shown.value;
    return fleet ? foundRows(fleetRows(fleet), this.find.value) : [];
  });
  /** The key of the chosen row: others may come above it. */
  readonly chosen = signal<string | undefined>(undefined);
  readonly position: ReadonlySignal<number> = computed(() =>
    this.rows.value.findIndex(({ key }) => key === this.chosen.value),
  );
  readonly explained = signal<Explanation | undefined>(undefined);
  /** The last decisions, the newest first. */
  readonly decisions = signal<readonly Decision[]>([]);
  readonly stream = signal<ServerStream | undefined>(undefined);
  readonly trouble = signal<Trouble | undefined>(undefined);
  readonly said = signal('');
  #token = '';
  #tag = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of what was asked for last: an older answer that comes later is of no use. */
  #asked = 0;
  #explaining = '';

  /** Lets the page in. @returns whether the token is one */
  async enter(token: string): Promise<boolean> {
    this.#token = token.trim();
    this.trouble.value = undefined;
    try {
      const fleet = await this.#get<Fleet>('v1/fleet');
      if (fleet) this.#take(fleet);
      const { items = [] } = (await this.#get<{ items: Decision[] }>('v1/decisions?order=desc&limit=100')) ?? {};
      this.decisions.value = items;
    } catch (error) {
      this.#tell(error);
      return false;
    }
    const known = this.decisions.value[0]?.number ?? this.newest.value?.decisions ?? 0;
    this.#follow(String(known));
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
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
          this.at.value = undefined;
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

  async #renew(): Promise<void> {
    try {
      const fleet = await this.#get<Fleet>('v1/fleet', this.#tag);
      if (!fleet) return;
      this.#take(fleet);
      if (this.at.value === undefined) await this.explain();
    } catch {
      // The stream says what is stale.
    }
  }

  #take(fleet: Fleet): void {
    this.newest.value = fleet;
    if (this.chosen.value === undefined) this.chooseAt(0);
  }

  /** Shows what was known at an input; undefined for now. */
  async look(input: number | undefined): Promise<void> {
    const newest = this.newest.value;
    if (newest === undefined) return;
    const asked = ++this.#asked;
    if (input === undefined || input >= newest.inputs) {
      this.at.value = undefined;
      this.past.value = undefined;
      return this.explain();
    }
    this.at.value = Math.max(0, input);
    try {
      const fleet = await this.#get<Fleet>(`v1/fleet?input=${this.at.value}`);
      if (fleet && asked === this.#asked) this.past.value = fleet;
      this.trouble.value = undefined;
    } catch (error) {
      if (asked === this.#asked) this.#tell(error);
    }
  }

  /** An input earlier or later than what is shown. */
  step(by: number): void {
    const fleet = this.shown.value;
    if (fleet) void this.look((this.at.value ?? fleet.inputs) + by);
  }

  move(by: number): void {
    const { length } = this.rows.value;
    if (length > 0) this.chooseAt(Math.max(0, Math.min(length - 1, this.position.value + by)));
  }

  chooseAt(position: number): void {
    const row = this.rows.value[position];
    this.chosen.value = row?.key;
    if (row) this.said.value = `${row.title}, ${row.about}`;
    void this.explain();
  }

  get row(): FleetRow | undefined {
    return this.rows.value[this.position.value];
  }

  /** Asks for all that is known of the incident that is chosen. */
  async explain(): Promise<void> {
    const id = this.row?.incident;
    if (id === undefined) {
      this.explained.value = undefined;
      return;
    }
    if (this.explained.value?.incident.id !== id) this.explained.value = undefined;
    this.#explaining = id;
    try {
      const explained = await this.#get<Explanation>(`v1/incidents/${encodeURIComponent(id)}`);
      if (this.#explaining === id) this.explained.value = explained;
    } catch (error) {
      if (this.#explaining === id) this.#tell(error);
    }
  }

  say(text: string): void {
    this.said.value = safeText(text, 300);
  }

  get #headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.#token}` };
  }

  /** @returns undefined where it is the one that is known @throws Refused */
  async #get<T>(path: string, known = ''): Promise<T | undefined> {
    const headers = {
      ...this.#headers,
      Accept: 'application/json',
      ...(known === '' ? {} : { 'If-None-Match': known }),
    };
    const response = await fetch(path, { headers, cache: 'no-store' });
    if (response.status === 304) return undefined;
    const body = (await response.json().catch(() => ({}))) as T;
    if (!response.ok) throw new Refused(response.status, body as Partial<Problem>);
    if (path === 'v1/fleet') this.#tag = response.headers.get('etag') ?? '';
    return body;
  }

  #tell(error: unknown): void {
    const hint = error instanceof Refused ? error.hint : 'The controller does not answer: it may have ended.';
    this.trouble.value = { message: safeText(messageOf(error), 300), hint: safeText(hint, 300) };
  }
}
