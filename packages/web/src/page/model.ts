/** @module What the page looks at and shows. The components read it and call it; nothing else holds state. */
import { type ReadonlySignal, batch, computed, signal } from '@preact/signals';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { type Comparison, compareRuns } from '@syndrome/trace/compare/compare.ts';
import type { ExpectationResult } from '@syndrome/trace/expect/judge.ts';
import { hashOf, type Look, lookOf } from '../view/link.ts';
import { comparedRows, eventRows, inLane, type RowIndices } from '../view/rows.ts';
import { fittedWindow, openRun, type Run, stateOf, weightOf, wholeWindow } from '../view/run.ts';
import type { EventPlace } from '../view/scene.ts';
import { Kept } from './kept.ts';
import { readTrace } from './read-trace.ts';
import type { ServerStream } from './server-stream.ts';

/** Why a file is not shown. */
interface Trouble {
  name: string;
  message: string;
  hint?: string | undefined;
}
interface Reading {
  name: string;
  /** 0 to 1; undefined where the size is not known. */
  share: number | undefined;
}
/** An expectation of one run or of both. */
export interface Expected {
  expectation: string;
  results: (ExpectationResult | undefined)[];
}

const ORDER = ['fail', 'not-judged', 'pass'] as const;

/** Of both runs the worse. */
export function statusOf({ results }: Expected): (typeof ORDER)[number] {
  return ORDER.find(status => results.some(result => result?.status === status)) ?? 'pass';
}

/** The shortest window, ns. */
const CLOSEST = 10_000;

export class TraceModel {
  readonly runs = signal<readonly Run[]>([]);
  readonly reading = signal<Reading | undefined>(undefined);
  readonly trouble = signal<Trouble | undefined>(undefined);
  readonly window = signal<readonly [from: number, to: number]>([0, 1e9]);
  readonly selected = signal<EventPlace | undefined>(undefined);
  readonly expectation = signal<number | undefined>(undefined);
  readonly find = signal('');
  readonly raw = signal(false);
  readonly differences = signal(false);
  readonly steps = signal(true);
  /** Words of a link for the cells of a matrix that the runs were opened from; empty where they were given. */
  readonly origin = signal('');
  /** Names of the traces that the page carries and that a link opens; none where they are shown at once. */
  readonly atHand = signal<readonly string[]>([]);
  /** The stream of a run that goes on; undefined for every other. */
  readonly live = signal<ServerStream | undefined>(undefined);
  /** The last event is chosen whenever one comes, until somebody looks at something else. */
  readonly following = signal(false);
  /** Said to who cannot see what has changed. */
  readonly said = signal('');

  readonly comparison: ReadonlySignal<Comparison | undefined> = computed(() => {
    const [a, b] = this.runs.value;
    return a && b ? compareRuns(a, b) : undefined;
  });
  readonly rows: ReadonlySignal<RowIndices> = computed(() => {
    const [a] = this.runs.value;
    const comparison = this.comparison.value;
    if (comparison) return comparedRows(comparison, this.find.value, this.differences.value);
    return a ? eventRows(a, this.find.value, this.raw.value) : new Int32Array();
  });
  /** What failed first, then what could not be judged; else in the order of the scenario. */
  readonly expected: ReadonlySignal<readonly Expected[]> = computed(() => {
    const [run] = this.runs.value;
    const all =
      this.comparison.value?.expectations.map(
        ({ expectation, a, b }): Expected => ({ expectation, results: [a, b] }),
      ) ??
      run?.judgement.expectations.map((result): Expected => ({ expectation: result.expectation, results: [result] }));
    return all?.toSorted((x, y) => ORDER.indexOf(statusOf(x)) - ORDER.indexOf(statusOf(y))) ?? [];
  });
  /** Where the runs part, as an event of one of them. */
  readonly firstDifference: ReadonlySignal<EventPlace | undefined> = computed(() => {
    const comparison = this.comparison.value;
    return comparison?.first === undefined ? undefined : this.#placeOfRow(comparison.first);
  });
  /** Position of the chosen event in the list; -1 where it is not listed. */
  readonly position: ReadonlySignal<number> = computed(() => {
    const place = this.selected.value;
    if (place === undefined) return -1;
    const comparison = this.comparison.value;
    const key = comparison ? comparison.rows.findIndex((_, i) => this.#isRowOf(i, place)) : place.index;
    return this.rows.value.indexOf(key);
  });

  /** Traces that were open, with their {@link origin}. */
  readonly kept = new Kept<{ files: readonly { blob: Blob; name: string }[]; origin: string }>();
  /** Files of the runs that are shown. */
  #files: readonly { blob: Blob; name: string }[] = [];
  #generation = 0;
  /** Ends what is followed. */
  #leave: () => void = () => {};

  /**
   * Reads files and shows them: one, or two beside each other.
   * @param compare beside the one that is shown
   * @param origin words of a link that say where the traces come from, see {@link origin}
   * @param again they were open before
   */
  async open(
    files: readonly { blob: Blob; name: string }[],
    compare = false,
    look: Look = {},
    origin = '',
    again = false,
  ): Promise<void> {
    const generation = ++this.#generation;
    const current = (): boolean => generation === this.#generation;
    if (!compare) this.leave();
    const runs: Run[] = compare ? this.runs.value.slice(0, 1) : [];
    this.trouble.value = undefined;
    try {
      for (const { blob, name } of files.slice(0, 2 - runs.length)) {
        this.reading.value = { name, share: 0 };
        const trace = await readTrace(blob, name, share => (this.reading.value = { name, share }), current);
        if (trace === undefined) return;
        runs.push(openRun(trace, name));
      }
      this.origin.value = origin;
      const shown = compare ? this.#files.slice(0, 1) : [];
      this.#files = [...shown, ...files].slice(0, runs.length);
      // What was followed before came from no file.
      if (this.#files.length < runs.length) this.kept.close();
      else if (!again) this.kept.open({ files: this.#files, origin });
      this.show(runs, look);
    } catch (error) {
      if (!current()) return;
      const hint = error instanceof SyndromeError ? error.hint : undefined;
      this.trouble.value = { name: files[runs.length]?.name ?? '', message: messageOf(error), hint };
    } finally {
      if (current()) this.reading.value = undefined;
    }
  }

  /**
   * Begins to show a run that goes on.
   * @param leave ends the stream
   * @param origin see {@link origin}
   */
  watch(stream: ServerStream, name: string, leave: () => void, origin: string): void {
    this.#generation++;
    this.leave();
    this.#leave = leave;
    batch(() => {
      this.live.value = stream;
      this.origin.value = origin;
      this.#files = [];
      this.kept.close();
      this.trouble.value = undefined;
      this.reading.value = { name, share: undefined };
      this.begin();
    });
  }

  /** Shows nothing more of a run that goes on, until it {@link grow}s. */
  begin(): void {
    batch(() => {
      this.show([]);
      this.following.value = true;
    });
  }

  /** Ends what is followed; what is shown stays as it is. */
  leave(): void {
    this.#leave();
    this.#leave = () => {};
    this.live.value = undefined;
  }

  /** Puts a run with more of its trace in the place of what is shown of it. */
  grow(run: Run): void {
    batch(() => {
      const [before, ...others] = this.runs.value;
      this.reading.value = undefined;
      this.runs.value = [run, ...others];
      if (this.following.value) this.followEnd();
      else if (before) {
        // Its zero may be another one now: what is looked at stays where it is.
        const [from, to] = this.window.value;
        const moved = before.zero - run.zero;
        this.window.value = [from + moved, to + moved];
      }
    });
  }

  /** The run has come to its end: it is shown as any other. */
  finish(run: Run): void {
    batch(() => {
      const { value: following } = this.following;
      this.grow(run);
      this.following.value = false;
      this.leave();
      if (!following) return;
      this.selected.value = undefined;
      this.#chooseWorst();
      this.say(`${run.name}: ${run.judgement.verdict}`);
    });
  }

  /** Goes to the last event, and on with each that comes. */
  followEnd(): void {
    const rows = this.rows.value;
    const [run] = this.runs.value;
    const last = rows.at(-1);
    this.window.value = fittedWindow(this.runs.value);
    this.selected.value = last === undefined || !run ? undefined : this.#placeAt(last);
    this.following.value = this.live.value !== undefined;
  }

  /** Shows runs that were read, with what a link asks for. */
  show(runs: readonly Run[], look: Look = {}): void {
    batch(() => {
      this.runs.value = runs;
      this.following.value = false;
      this.selected.value = undefined;
      this.expectation.value = undefined;
      this.find.value = look.find ?? '';
      this.raw.value = look.raw ?? false;
      this.differences.value = look.differences ?? false;
      this.window.value = look.from !== undefined && look.to !== undefined ? [look.from, look.to] : fittedWindow(runs);
      const run = look.event?.run === 'b' ? 1 : 0;
      const index = runs[run]?.indexOf(look.event?.seq ?? -1) ?? -1;
      if (index >= 0) this.selected.value = { run, index };
      else if (runs.length === 2) this.selected.value = this.firstDifference.value;
      else this.#chooseWorst();
      const [a, b] = runs;
      if (a) this.say(b ? `${a.name} beside ${b.name}` : `${a.name}: ${stateOf(a)}`);
    });
  }

  /** Shows nothing. */
  close(): void {
    this.#generation++;
    this.leave();
    this.#files = [];
    this.kept.close();
    this.origin.value = '';
    this.reading.value = undefined;
    this.show([]);
  }

  closeSecond(): void {
    this.origin.value = this.origin.value.replace(/&(?:b|with)=.*$/, '');
    this.#files = this.#files.slice(0, 1);
    if (this.#files.length > 0) this.kept.open({ files: this.#files, origin: this.origin.value });
    this.show(this.runs.value.slice(0, 1));
  }

  /** Goes back to traces that were open, if they are not. @param number of {@link kept} @returns whether they are shown */
  async reopen(number: number, look: Look): Promise<boolean> {
    if (number === this.kept.opened.value) return false;
    const given = this.kept.again(number);
    if (given) await this.open(given.files, false, look, given.origin, true);
    return given !== undefined;
  }

  say(text: string): void {
    this.said.value = safeText(text, 300);
  }

  look(): Look {
    // Where somebody follows the end, a link leads there too.
    if (this.following.value) return { find: this.find.value, raw: this.raw.value };
    const place = this.selected.value;
    const seq = place && this.runs.value[place.run]?.trace.events[place.index]?.seq;
    const [from, to] = this.window.value;
    return {
      ...(place && seq !== undefined ? { event: { run: place.run === 0 ? 'a' : 'b', seq } } : {}),
      from,
      to,
      find: this.find.value,
      raw: this.raw.value,
      differences: this.differences.value,
    };
  }

  hash(): string {
    const hash = hashOf(this.look());
    const origin = this.origin.value;
    return origin === '' ? hash : `${hash}${hash.includes('?') ? '&' : '?'}${origin}`;
  }

  /** Takes over what a link says, of the runs that are shown. */
  follow(hash: string): void {
    this.show(this.runs.value, lookOf(hash));
  }

  choose(place: EventPlace | undefined): void {
    this.following.value = false;
    this.selected.value = place;
    if (place === undefined) return;
    const run = this.runs.value[place.run];
    const at = run && (run.times[place.index] ?? 0) - run.zero;
    if (at !== undefined) this.#bringIntoView(at);
  }

  chooseSeq(run: number, seq: number): void {
    const index = this.runs.value[run]?.indexOf(seq) ?? -1;
    if (index >= 0) this.choose({ run, index });
  }

  /** The row of the list that is `step` further on; the first, where none is chosen. */
  step(step: number): void {
    const rows = this.rows.value;
    if (rows.length === 0) return;
    const at = this.position.value;
    const next =
      at < 0 ? (step > 0 ? this.#nearestRow() : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step));
    this.chooseRow(next);
  }

  /** Chooses the event of a position in the list. */
  chooseRow(position: number): void {
    const row = this.rows.value[position];
    if (row !== undefined) this.choose(this.#placeAt(row));
  }

  /** The event of a row of the list. */
  #placeAt(row: number): EventPlace | undefined {
    return this.comparison.value ? this.#placeOfRow(row) : { run: 0, index: row };
  }

  stepInLane(step: 1 | -1): void {
    const place = this.selected.value;
    const run = place && this.runs.value[place.run];
    if (!run) return this.step(step);
    const rows = this.comparison.value ? run.told : this.rows.value;
    const index = inLane(run, rows, place.index, step);
    if (index !== undefined) this.choose({ run: place.run, index });
  }

  /** Chooses an expectation and the event that decided it, or came nearest. */
  chooseExpectation(index: number): void {
    const expected = this.expected.value[index];
    if (!expected) return;
    this.expectation.value = index;
    for (const of of ['evidence', 'nearest'] as const) {
      for (const [run, result] of expected.results.entries()) {
        const seq = result?.[of][0];
        if (seq !== undefined) return this.chooseSeq(run, seq);
      }
    }
  }

  stepExpectation(step: number): void {
    const { length } = this.expected.value;
    if (length === 0) return;
    const at = this.expectation.value;
    this.chooseExpectation(at === undefined ? (step > 0 ? 0 : length - 1) : (at + step + length) % length);
  }

  fit(): void {
    this.window.value = fittedWindow(this.runs.value);
  }

  whole(): void {
    this.window.value = wholeWindow(this.runs.value);
  }

  /** Makes the window `factor` times as long about a moment; about its middle unless given. */
  zoom(factor: number, about?: number): void {
    const [from, to] = this.window.value;
    const middle = about ?? (from + to) / 2;
    const [low, high] = wholeWindow(this.runs.value);
    const span = Math.max(CLOSEST, Math.min(high - low, (to - from) * factor));
    const share = (middle - from) / (to - from);
    this.#setWindow(middle - span * share, span);
  }

  /** Moves the window by a share of itself. */
  pan(share: number): void {
    const [from, to] = this.window.value;
    this.#setWindow(from + (to - from) * share, to - from);
  }

  moveTo(from: number): void {
    const [start, end] = this.window.value;
    this.#setWindow(from, end - start);
  }

  setWindow(from: number, to: number): void {
    this.#setWindow(from, Math.max(CLOSEST, to - from));
  }

  #setWindow(from: number, span: number): void {
    this.following.value = false;
    const [low, high] = wholeWindow(this.runs.value);
    const start = span >= high - low ? low : Math.max(low, Math.min(high - span, from));
    this.window.value = [start, start + Math.min(span, high - low)];
  }

  #bringIntoView(at: number): void {
    const [from, to] = this.window.value;
    if (at >= from && at <= to) return;
    this.#setWindow(at - (to - from) / 3, to - from);
  }

  /** In a list that was filtered anew: the row nearest to where the window is. */
  #nearestRow(): number {
    const [run] = this.runs.value;
    if (this.comparison.value || run === undefined) return 0;
    const rows = this.rows.value;
    const from = this.window.value[0] + run.zero;
    const at = rows.findIndex(index => (run.times[index] ?? 0) >= from);
    return at < 0 ? 0 : at;
  }

  /** What failed first is looked at first; else the injection. */
  #chooseWorst(): void {
    const [run] = this.runs.value;
    if (!run) return;
    const [worst] = this.expected.value;
    if (worst && statusOf(worst) === 'fail') this.chooseExpectation(0);
    // Of what never came there is no event: what ended the run is the nearest to it.
    const fatal =
      run.judgement.verdict === 'fail' ? run.way.find(index => weightOf(run, index) === 'fatal') : undefined;
    const index = fatal ?? run.injection;
    this.selected.value ??= index >= 0 ? { run: 0, index } : undefined;
  }

  #placeOfRow(row: number): EventPlace | undefined {
    const { a, b } = this.comparison.value?.rows[row] ?? {};
    const [run, event] = a ? [0, a] : [1, b];
    const index = event ? (this.runs.value[run]?.indexOf(event.seq) ?? -1) : -1;
    return index < 0 ? undefined : { run, index };
  }

  #isRowOf(row: number, { run, index }: EventPlace): boolean {
    const compared = this.comparison.value?.rows[row];
    const event = run === 0 ? compared?.a : compared?.b;
    return event !== undefined && this.runs.value[run]?.trace.events[index] === event;
  }
}
