/** @module What the page of a matrix looks at: matrices that were read, a cell, and the traces that are at hand. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { AXES, type Axis } from '@syndrome/trace/axes.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import {
  cellText,
  fileName,
  findGrid,
  gridsOf,
  versionName,
  type MatrixGrid,
  type MatrixLine,
  neighbourOf,
} from '../view/matrix.ts';
import { type MatrixCell, type MatrixFile, readMatrix } from '../view/matrix-file.ts';
import { type CellPlace, hashOfMatrix, type MatrixLook } from '../view/matrix-link.ts';
import { unpacked } from './read-trace.ts';

/** A file that was given to the page. */
interface Given {
  blob: Blob;
  name: string;
}

const NOTHING: MatrixGrid = { axis: 'kernel', versions: [], lines: [] };

/** So many cells are elements at once; more are found by the filter. */
const MAX_SHOWN = 12_000;

export class MatrixModel {
  readonly files = signal<readonly MatrixFile[]>([]);
  readonly reading = signal<string | undefined>(undefined);
  readonly trouble = signal<{ message: string; hint: string } | undefined>(undefined);
  readonly find = signal('');
  readonly across = signal<MatrixLook['across']>(undefined);
  readonly place = signal<CellPlace | undefined>(undefined);
  readonly details = signal(false);
  /** How often a cell was gone to from anywhere: it is then what the keyboard is at, wherever that was. */
  readonly jumps = signal(0);
  /** Traces at hand, by the names of their files. */
  readonly traces = signal<ReadonlyMap<string, Blob>>(new Map());
  /** Traces that the server has, by the names of their files: what it calls them. */
  readonly listed = signal<ReadonlyMap<string, string>>(new Map());
  readonly said = signal('');

  /** A table for each axis. */
  readonly grids: ReadonlySignal<readonly MatrixGrid[]> = computed(() => gridsOf(this.files.value));
  /** That with the chosen cell. */
  readonly grid: ReadonlySignal<MatrixGrid> = computed(() => {
    const [first = NOTHING] = this.grids.value;
    return this.grids.value.find(({ lines }) => lines.some(({ name }) => name === this.place.value?.line)) ?? first;
  });
  /** What the filter leaves. */
  readonly found: ReadonlySignal<MatrixGrid> = computed(() => findGrid(this.grid.value, this.find.value));
  /** Versions are columns: many of them as rows are read more easily, where the lines are few. */
  readonly versionsAcross: ReadonlySignal<boolean> = computed(() => {
    const { versions, lines } = this.grid.value;
    return (this.across.value ?? (lines.length >= 3 || versions.length <= 8 ? 'versions' : 'scenarios')) === 'versions';
  });
  /** What is drawn of it. */
  readonly shown: ReadonlySignal<MatrixGrid> = computed(() => {
    const { axis, versions, lines } = this.found.value;
    const across = this.versionsAcross.value;
    const columns = Math.max(1, across ? versions.length : lines.length);
    const rows = Math.max(1, Math.floor(MAX_SHOWN / columns));
    return across
      ? { axis, versions, lines: lines.slice(0, rows) }
      : { axis, versions: versions.slice(0, rows), lines };
  });
  readonly line: ReadonlySignal<MatrixLine | undefined> = computed(() =>
    this.grid.value.lines.find(({ name }) => name === this.place.value?.line),
  );
  readonly cell: ReadonlySignal<MatrixCell | undefined> = computed(() =>
    this.line.value?.cells.get(this.place.value?.version ?? ''),
  );

  #generation = 0;

  say(text: string): void {
    this.said.value = safeText(text, 300);
  }

  /** Reads matrices, packed or as they are. `add`: as further lines of what is shown. */
  async open(given: readonly Given[], add = false, look: MatrixLook = {}): Promise<void> {
    const generation = ++this.#generation;
    const files: MatrixFile[] = add ? [...this.files.value] : [];
    this.trouble.value = undefined;
    for (const { blob, name } of given) {
      this.reading.value = name;
      const read = await new Response(await unpacked(blob)).text().then(
        text => readMatrix(text, name),
        (error: unknown) => ({ message: `${name}: ${messageOf(error)}`, hint: 'Take the file as it was written.' }),
      );
      if (generation !== this.#generation) return;
      if ('cells' in read) files.push(read);
      else this.trouble.value = read;
    }
    this.reading.value = undefined;
    if (files.length === 0 || (add && files.length === this.files.value.length)) return;
    if (this.trouble.value !== undefined && this.files.value.length > 0) return;
    batch(() => {
      this.files.value = files;
      this.find.value = look.find ?? '';
      this.across.value = look.across;
      const best = (): CellPlace | undefined => this.#firstBad(this.grid.value) ?? this.#first(this.grid.value);
      this.place.value = look.cell;
      if (this.line.value === undefined) this.place.value = best();
      // What is bad is looked into first.
      this.details.value = this.cell.value?.verdict === 'fail' || look.cell !== undefined;
    });
    this.say(
      `${this.grid.value.lines.length} lines over ${this.grid.value.versions.length} ${AXES[this.grid.value.axis].many}`,
    );
  }

  /** Shows other cells of the same matrices; what is looked at stays. @returns whether all could be read */
  async renew(given: readonly Given[]): Promise<boolean> {
    const generation = this.#generation;
    const read = await Promise.all(given.map(async ({ blob, name }) => readMatrix(await blob.text(), name)));
    const files = read.flatMap(one => ('cells' in one ? one : []));
    if (files.length < given.length) return false;
    if (generation === this.#generation) this.files.value = files;
    return true;
  }

  /** Keeps traces at hand that cells name. @returns those that no cell names */
  keep(given: readonly Given[]): Given[] {
    const named = new Set(this.files.value.flatMap(({ cells }) => cells.map(({ trace }) => fileName(trace))));
    const kept = given.filter(({ name }) => named.has(fileName(name)));
    if (kept.length > 0)
      this.traces.value = new Map([
        ...this.traces.value,
        ...kept.map(({ name, blob }) => [fileName(name), blob] as const),
      ]);
    return given.filter(({ name }) => !named.has(fileName(name)));
  }

  /** Whether the trace of a cell can be opened. */
  hasTrace(cell: MatrixCell): boolean {
    const name = fileName(cell.trace);
    return name !== '' && (this.traces.value.has(name) || this.listed.value.has(name));
  }

  /** The trace of a cell: at hand, or fetched from the server by what that calls it. */
  async traceOf(cell: MatrixCell | undefined, fetched: (name: string) => Promise<Blob>): Promise<Blob | undefined> {
    const name = fileName(cell?.trace ?? '');
    const listed = this.listed.value.get(name);
    return this.traces.value.get(name) ?? (listed === undefined ? undefined : fetched(listed));
  }

  /** The cell at a place, and the one to compare it with. */
  pairAt(place: CellPlace | undefined): { cell?: MatrixCell; other?: MatrixCell } {
    const line = this.grid.value.lines.find(({ name }) => name === place?.line);
    const cell = line?.cells.get(place?.version ?? '');
    if (!line || !cell) return {};
    const other = neighbourOf(line, cell);
    return { cell, ...(other ? { other } : {}) };
  }

  choose(place: CellPlace | undefined): void {
    if (!place) return;
    this.place.value = place;
    const { line, cell } = { line: this.line.value, cell: this.cell.value };
    const changed = line?.changes.has(place.version) === true;
    this.say(`${line?.scenario ?? ''} ${versionName(place.version)}: ${cellText(cell, changed)}`);
  }

  /** Chooses a cell, and takes the keyboard there. */
  jump(place: CellPlace | undefined): void {
    if (!place) return;
    batch(() => {
      this.choose(place);
      this.jumps.value++;
    });
  }

  /** Goes on by rows and columns of the table as it is drawn. */
  step(rows: number, columns: number): void {
    const { versions, lines } = this.shown.value;
    const [down, right] = this.versionsAcross.value ? [rows, columns] : [columns, rows];
    const bounded = (at: number, by: number, { length }: readonly unknown[]): number =>
      Math.min(length - 1, Math.max(0, at + by));
    const line =
      lines[
        bounded(
          lines.findIndex(({ name }) => name === this.place.value?.line),
          down,
          lines,
        )
      ];
    const version = versions[bounded(versions.indexOf(this.place.value?.version ?? ''), right, versions)];
    if (line && version !== undefined) this.choose({ line: line.name, version });
  }

  /** The next place where the outcome changes, line by line, from either end on again. */
  stepChange(by: 1 | -1): void {
    const { versions, lines } = this.shown.value;
    const { value: place } = this.place;
    const places = lines.flatMap(line => versions.map(version => ({ line, version })));
    const at = Math.max(
      0,
      places.findIndex(({ line, version }) => line.name === place?.line && version === place.version),
    );
    const onwards = [...places.slice(at + 1), ...places.slice(0, at)];
    const next = (by === 1 ? onwards : onwards.toReversed()).find(({ line, version }) => line.changes.has(version));
    if (next) this.jump({ line: next.line.name, version: next.version });
  }

  firstBad(): void {
    this.jump(this.#firstBad(this.grid.value));
  }

  /** Goes on to the table of an axis, to what is bad in it; without one to the next table. */
  over(axis?: Axis): void {
    const { value: grids } = this.grids;
    const at = grids.indexOf(this.grid.value);
    const grid = axis === undefined ? grids[(at + 1) % grids.length] : grids.find(one => one.axis === axis);
    if (!grid) return;
    this.find.value = '';
    this.jump(this.#firstBad(grid) ?? this.#first(grid));
  }

  #firstBad({ lines }: MatrixGrid): CellPlace | undefined {
    const line = lines.find(({ bad }) => bad.length > 0);
    const [range] = line?.bad ?? [];
    return line && range ? { line: line.name, version: range.first.version } : undefined;
  }

  #first({ lines, versions }: MatrixGrid): CellPlace | undefined {
    const [line] = lines;
    const [version] = versions;
    return line && version !== undefined ? { line: line.name, version } : undefined;
  }

  turn(): void {
    this.across.value = this.versionsAcross.value ? 'scenarios' : 'versions';
  }

  hash(): string {
    const place = this.place.value;
    const { value: across } = this.across;
    return hashOfMatrix({
      ...(place ? { cell: place } : {}),
      find: this.find.value,
      ...(across === undefined ? {} : { across }),
    });
  }

  follow({ cell, find, across }: MatrixLook): void {
    batch(() => {
      this.find.value = find ?? '';
      this.across.value = across;
      if (cell) {
        this.choose(cell);
        this.details.value = this.cell.value !== undefined;
      }
    });
  }
}
