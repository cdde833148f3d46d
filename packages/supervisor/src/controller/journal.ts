/**
 * @module The core and the store as one: an input counts once it is written, with all that comes of it, in one transaction.
 * What the core knows is always what a replay of the inputs gives; after a failed write it is made anew that way.
 */
import { insert } from '@syndrome/base/store/insert.ts';
import { type Lease, underLease } from '@syndrome/base/store/lease.ts';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Query, SqlRow, SqlValue, Store } from '@syndrome/base/store/store.ts';
import { type Act, RESULT_STATES } from '../core/act.ts';
import type { ActionId, Time } from '../core/ids.ts';
import type { Effect, Input } from '../core/input.ts';
import type { Notice } from '../core/notice.ts';
import type { Row } from '../core/said.ts';
import { newState, restore, snapshot, type State } from '../core/state.ts';
import { take } from './take.ts';
import { parseAct } from '../wire/act.ts';
import { toJson } from '../wire/json.ts';
import { ControllerError } from './errors.ts';
import { inputBody, type InputRow, inputsOf, type Kept } from './input-json.ts';
import { type Beside, entryOf, isOrdered, writeAudit } from './audit.ts';
import type { EndedAct } from './meters.ts';
import { type Grown, Spools } from './spools.ts';

/** Inputs between two snapshots: a restart takes so many steps at most. */
const SNAPSHOT_EVERY = 5000;
/** Ticks that wanted nothing are written after so many at the latest. */
const MAX_IDLE_TICKS = 60;
/** Inputs that are read at once. */
const READ_AT_ONCE = 2000;

interface Options {
  /** How long nobody else may write, ms. */
  ttlMs: number;
  /** The targets that want a notice. */
  targetsOf: (notice: Notice) => readonly string[];
  log: (line: string) => void;
  snapshotEvery?: number;
}

/** What a commit has brought. */
export interface Committed {
  /** By the input of which they came. */
  effects: ReadonlyMap<Input, Effect[]>;
  /** Notices were put into the outbox. */
  notices: boolean;
  /** Rows that are new in the ledger, and how many were in it already. */
  rows: readonly Row[];
  again: number;
  /** Acts that are over by it. */
  ended: readonly EndedAct[];
}

/** An act that is not over, as it was decided. */
export interface OpenAct {
  act: Act;
  state: 'intent' | 'sent';
  /** When it was decided, ms UTC. */
  since: Time;
  /** It was handed to an agent, in this life of the controller. */
  handed: boolean;
}

/** What is written together with some inputs of a commit. */
interface Accompanied {
  at: Time;
  inputs: readonly Input[];
  beside: Beside;
}

const OVER: ReadonlySet<string> = new Set(RESULT_STATES);

/** Acts of which a commit says something new. */
interface ActChanges {
  opened: readonly OpenAct[];
  /** Their states now, by id. */
  changed: ReadonlyMap<ActionId, string>;
}

/** The rows of a commit, from a number on, and what comes of it where they are written. */
interface Sent {
  first: number;
  rows: readonly (readonly SqlValue[])[];
  committed: Committed;
  acts: ActChanges;
  grown: Grown;
}

export class Journal {
  readonly #store: Store;
  readonly #lease: Lease;
  readonly #options: Options;
  #state: State = newState();
  #seq = 0;
  #snapshotSeq = 0;
  readonly #spools = new Spools();
  #open = new Map<ActionId, OpenAct>();
  /** The state has seen what the store has not: it is of no use until it is made anew. */
  #astray = false;
  /** What was sent last, where the connection was lost before its commit was answered. */
  #unsure: Sent | undefined;
  #strayed = 0;
  /** Ticks that the state has seen and the store has not. Nothing came of them; a crash may lose them. */
  #idle: Time[] = [];

  readonly #fault = (input: Input, error: unknown): void =>
    this.#options.log(
      `a defect: the core failed on an input (${input.input}), which is passed over: ${messageOf(error)}`,
    );

  private constructor(store: Store, lease: Lease, options: Options) {
    this.#store = store;
    this.#lease = lease;
    this.#options = options;
  }

  /**
   * The state that the store remembers: its last snapshot and what came after.
   * @throws StoreError; ControllerError E_CONTROLLER_STATE
   */
  static async open(store: Store, lease: Lease, options: Options): Promise<Journal> {
    const journal = new Journal(store, lease, options);
    await journal.reload();
    return journal;
  }

  /** For reading only. It is another object after a {@link reload}. */
  get state(): Readonly<State> {
    return this.#state;
  }

  /**
   * So many inputs, read when it was opened, are decided otherwise than they were: another version has written them and was killed before its
   * snapshot. What it has had done is not what the state knows. 0 where all is as it was.
   */
  get strayed(): number {
    return this.#strayed;
  }

  /** Inputs that are written. */
  get seq(): number {
    return this.#seq;
  }

  /** Those that are written: nobody may be handed another one. */
  get openActs(): ReadonlyMap<ActionId, OpenAct> {
    return this.#open;
  }

  /** Whether the state is what is written: not so during a commit, and after one that has failed. */
  get settled(): boolean {
    return !this.#astray;
  }

  /** Up to which row everything of a spool is durable. */
  upto(host: string, spool: string): Promise<number> {
    return this.#spools.upto(this.#store.query, host, spool);
  }

  /** What would come of an input now. Nothing does. */
  wouldWant(input: Input): Effect[] {
    return take(restored(snapshot(this.#state)), input, this.#fault);
  }

  /** Makes state and caches anew of what the store has. */
  async reload(): Promise<void> {
    const { query } = this.#store;
    this.#spools.clear();
    this.#idle = [];
    this.#astray = true;
    const [last] = await query('select seq, body from snapshot order by seq desc limit 1');
    this.#state = last === undefined ? newState() : restored(String(last['body']));
    this.#seq = this.#snapshotSeq = Number(last?.['seq'] ?? 0);
    for await (const row of inputsAfter(query, this.#seq)) {
      for (const input of inputsOf(row)) take(this.#state, input, this.#fault);
      this.#seq = row.seq;
    }
    this.#strayed = (await this.#isAsNoted(query)) ? 0 : this.#seq - this.#snapshotSeq;
    const open = await query(
      `select id, state, act.body, at from act left join input on input.seq = act.seq
       where state in ('intent', 'sent') order by act.seq`,
    );
    this.#open = new Map(
      open.map(row => [
        String(row['id']),
        {
          act: parseAct(String(row['body'])),
          state: row['state'] as OpenAct['state'],
          since: Number(row['at'] ?? this.#state.now),
          handed: false,
        },
      ]),
    );
    this.#astray = false;
  }

  /** Whether the state has decided what was decided when its inputs were written. */
  async #isAsNoted(query: Query): Promise<boolean> {
    const [mark] = await query('select decisions, hash from mark order by seq desc limit 1');
    const { count, hash } = this.#state.decisions;
    return mark === undefined || (Number(mark['decisions']) === count && mark['hash'] === hash);
  }

  /**
   * Writes inputs and all that comes of them. Rows that were written before are left out. A tick that wants nothing is not
   * written at once.
   * @param accompanied who has asked for inputs, and what is written beside them
   * @throws StoreError: nothing is written then (with E_STORE_UNKNOWN, perhaps), and {@link recover} has to be called before the next commit
   */
  async commit(inputs: readonly Input[], accompanied: readonly Accompanied[] = []): Promise<Committed> {
    if (accompanied.length === 0 && inputs.every(input => input.input === 'tick')) {
      const effects = new Map(inputs.map(input => [input, this.#tick(input.at)]));
      const quiet =
        ![...effects.values()].some(e => e.length > 0) && !this.#actsChanged() && this.#idle.length < MAX_IDLE_TICKS;
      if (quiet) return { effects, notices: false, rows: [], again: 0, ended: [] };
      return this.#write([], effects);
    }
    return this.#write(inputs, new Map(), accompanied);
  }

  /**
   * After a commit that has failed: looks whether it is written, where that is not known; else makes all anew of what the store has.
   * @returns what it has brought, where it is written
   * @throws StoreError E_STORE_LEASE when another one may write now
   */
  async recover(): Promise<Committed | undefined> {
    const sent = this.#unsure;
    if (sent !== undefined && (await this.#isWritten(sent))) {
      this.#unsure = undefined;
      return this.#isThere(sent);
    }
    this.#unsure = undefined;
    await this.reload();
    return undefined;
  }

  /** Whoever takes the lease waits for the end of what was sent under it: after that it is written or never will be. */
  #isWritten({ first, rows }: Sent): Promise<boolean> {
    return this.#store.transaction(async query => {
      await underLease(this.#store, query, this.#lease, this.#options.ttlMs);
      const there = await query(
        'select seq, at, kind, host, spool, "row", body from input where seq >= $1 order by seq',
        [first],
      );
      const told = (row: readonly SqlValue[]): string => row.map(value => String(value)).join('\0');
      return (
        rows.length > 0 &&
        there.length === rows.length &&
        there.every((row, i) => told(Object.values(row)) === told(rows[i] ?? []))
      );
    });
  }

  /** Writes what is only in memory, and a snapshot, so that the next start is quick. */
  async close(): Promise<void> {
    if (!this.#astray && (this.#idle.length > 0 || this.#seq > this.#snapshotSeq))
      await this.#write([], new Map(), [], true);
  }

  #tick(at: Time): Effect[] {
    this.#idle.push(at);
    return take(this.#state, { input: 'tick', at }, this.#fault);
  }

  async #write(
    inputs: readonly Input[],
    before: ReadonlyMap<Input, Effect[]>,
    accompanied: readonly Accompanied[] = [],
    last = false,
  ): Promise<Committed> {
    this.#astray = true;
    let sending: Sent | undefined;
    try {
      return this.#isThere(await this.#transaction(inputs, before, accompanied, last, sent => (sending = sent)));
    } catch (error) {
      if (error instanceof StoreError && error.code === 'E_STORE_UNKNOWN') this.#unsure = sending;
      throw error;
    }
  }

  /** What was sent is written: only now may it be acknowledged and handed out. */
  #isThere({ acts, grown, committed }: Sent): Committed {
    this.#spools.written(grown);
    for (const open of acts.opened) this.#open.set(open.act.id, open);
    for (const [id, state] of acts.changed) {
      const open = this.#open.get(id);
      if (open !== undefined && (state === 'intent' || state === 'sent')) open.state = state;
      else this.#open.delete(id);
    }
    this.#astray = false;
    return committed;
  }

  /** @param sending is told what is sent, before the end of the transaction */
  #transaction(
    inputs: readonly Input[],
    before: ReadonlyMap<Input, Effect[]>,
    accompanied: readonly Accompanied[],
    last: boolean,
    sending: (sent: Sent) => void,
  ): Promise<Sent> {
    const work = async (query: Query): Promise<Sent> => {
      await underLease(this.#store, query, this.#lease, this.#options.ttlMs);
      const { fresh, grown } = await this.#spools.fresh(query, inputs);
      const kept: Kept[] = [];
      if (this.#idle.length > 0) kept.push({ input: 'ticks', at: this.#idle.at(-1) ?? 0, times: this.#idle });
      for (const input of fresh) {
        kept.push(input.input === 'tick' ? { input: 'ticks', at: input.at, times: [input.at] } : input);
      }
      const first = this.#seq + 1;
      const rows = kept.map((k, i) => columns(first + i, k));
      await insert(query, 'input(seq, at, kind, host, spool, "row", body)', rows);
      // Only now: a disk that is full has said so, in most cases, before the state has changed.
      const count = this.#state.decisions.count;
      const effects = new Map(before);
      for (const input of fresh) effects.set(input, take(this.#state, input, this.#fault));
      this.#seq += kept.length;
      const { notices, opened } = await this.#keep(query, [...effects.values()].flat());
      const changed = await this.#keepActs(query, opened);
      const numbers = new Map(fresh.map((input, i) => [input, first + kept.length - fresh.length + i]));
      await this.#keepAudit(query, numbers, effects, accompanied);
      const { decisions } = this.#state;
      if (decisions.count > count || before.size > 0) {
        await query('insert into mark(seq, decisions, hash) values ($1, $2, $3) on conflict do nothing', [
          this.#seq,
          decisions.count,
          decisions.hash,
        ]);
      }
      const due = this.#seq - this.#snapshotSeq >= (this.#options.snapshotEvery ?? SNAPSHOT_EVERY);
      if (due || last) await this.#keepSnapshot(query);
      this.#idle = [];
      const committed: Committed = {
        effects,
        notices,
        rows: fresh.flatMap(input => (input.input === 'row' ? [input.row] : [])),
        again: inputs.length - fresh.length,
        ended: [...changed].flatMap(([id, state]) => {
          const open = this.#open.get(id) ?? opened.find(({ act }) => act.id === id);
          return open === undefined || !OVER.has(state) ? [] : [{ ...open, state: state as EndedAct['state'] }];
        }),
      };
      const sent: Sent = { first, rows, committed, acts: { opened, changed }, grown };
      sending(sent);
      return sent;
    };
    // It changes the state: called again it would decide on what it has decided already.
    return this.#store.transaction(work, { once: true });
  }

  async #keep(query: Query, effects: readonly Effect[]): Promise<{ notices: boolean; opened: OpenAct[] }> {
    const decisions = effects.flatMap(e => (e.effect === 'decision' ? [e.decision] : []));
    const from = this.#state.decisions.count - decisions.length;
    await insert(
      query,
      'decision(number, seq, incident, host, vm, body)',
      decisions.map((d, i) => [from + i + 1, this.#seq, d.incident ?? null, d.host ?? null, d.vm ?? null, toJson(d)]),
    );
    const opened: OpenAct[] = [];
    for (const effect of effects) {
      if (effect.effect !== 'act') continue;
      const { act } = effect;
      // A core that has forgotten wants the same under the same id: it is there already.
      const [row] = await query(
        `insert into act(id, seq, host, vm, incident, kind, state, body) values ($1, $2, $3, $4, $5, $6, 'intent', $7)
         on conflict do nothing returning id`,
        [act.id, this.#seq, act.host, act.vm ?? null, act.incident, act.kind, toJson(act)],
      );
      if (row !== undefined) opened.push({ act, state: 'intent', since: this.#state.now, handed: false });
    }
    const rows = effects.flatMap(effect => {
      if (effect.effect !== 'notice') return [];
      const { notice } = effect;
      return this.#options
        .targetsOf(notice)
        .map(target => [
          notice.id,
          target,
          this.#seq,
          notice.incident ?? null,
          'waiting',
          0,
          notice.at,
          toJson(notice),
        ]);
    });
    await insert(
      query,
      'outbox(id, target, seq, incident, state, attempts, due, body)',
      rows,
      ' on conflict do nothing',
    );
    return { notices: rows.length > 0, opened };
  }

  /** What people have ordered, and what is written beside it. */
  async #keepAudit(
    query: Query,
    numbers: ReadonlyMap<Input, number>,
    effects: ReadonlyMap<Input, Effect[]>,
    accompanied: readonly Accompanied[],
  ): Promise<void> {
    const besideOf = new Map(
      accompanied.flatMap(({ inputs, beside }) => inputs.map(input => [input, beside] as const)),
    );
    const entries: Parameters<typeof writeAudit>[1][number][] = [];
    for (const [input, seq] of numbers) {
      if (!isOrdered(input)) continue;
      const entry = entryOf(input, effects.get(input) ?? [], besideOf.get(input));
      entries.push({ at: input.at, seq, entry });
    }
    for (const { beside, at } of accompanied) {
      const { actor, via, note } = beside;
      if (note !== undefined) entries.push({ at, seq: undefined, entry: { actor, via, ...note } });
    }
    if (entries.length > 0) await writeAudit(query, entries);
    for (const { inputs, beside } of accompanied)
      await beside.write?.(
        query,
        inputs.flatMap(input => effects.get(input) ?? []),
      );
  }

  #actsChanged(): boolean {
    return [...this.#open].some(([id, { state }]) => (this.#state.acts.get(id)?.state ?? state) !== state);
  }

  /**
   * The store says of an act what the core says.
   * @returns the states that are new
   */
  async #keepActs(query: Query, opened: readonly OpenAct[]): Promise<Map<ActionId, string>> {
    const changed = new Map<ActionId, string>();
    for (const { act, state } of [...this.#open.values(), ...opened]) {
      const doing = this.#state.acts.get(act.id);
      if (doing === undefined || doing.state === state) continue;
      await query('update act set state = $2, reason = $3 where id = $1', [act.id, doing.state, doing.reason ?? null]);
      changed.set(act.id, doing.state);
    }
    return changed;
  }

  async #keepSnapshot(query: Query): Promise<void> {
    await query('insert into snapshot(seq, at, body) values ($1, $2, $3) on conflict do nothing', [
      this.#seq,
      this.#state.now,
      snapshot(this.#state),
    ]);
    await query('delete from snapshot where seq < $1', [this.#snapshotSeq]);
    this.#snapshotSeq = this.#seq;
  }
}

function restored(body: string): State {
  try {
    return restore(body);
  } catch (cause) {
    throw new ControllerError('E_CONTROLLER_STATE', 'the last snapshot cannot be read', { cause });
  }
}

function columns(seq: number, kept: Kept): SqlValue[] {
  const row = kept.input === 'row' ? kept.row : undefined;
  return [seq, kept.at, kept.input, row?.host ?? null, row?.spool ?? null, row?.seq ?? null, inputBody(kept)];
}

/** All inputs after one, in their order. */
export async function* inputsAfter(query: Query, after: number): AsyncGenerator<InputRow> {
  for (let seq = after; ; ) {
    const rows = await query(
      'select seq, at, kind, host, spool, body from input where seq > $1 order by seq limit $2',
      [seq, READ_AT_ONCE],
    );
    for (const row of rows) yield inputRow(row);
    // A long ledger lets the rest of the program live.
    await new Promise(resolve => setImmediate(resolve));
    if (rows.length < READ_AT_ONCE) return;
    seq = Number(rows.at(-1)?.['seq']);
  }
}

const inputRow = (row: SqlRow): InputRow => ({
  seq: Number(row['seq']),
  at: Number(row['at']),
  kind: String(row['kind']),
  host: row['host'] as string | null,
  spool: row['spool'] as string | null,
  body: String(row['body']),
});
