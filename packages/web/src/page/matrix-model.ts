/** @module What the page of a matrix looks at: matrices that were read, a cell, and the traces that are at hand. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import {
  cellText,
  fileName,
  findGrid,
  gridOf,
  kernelName,
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
  /** Traces at hand, by the names of their files. */
  readonly traces = signal<ReadonlyMap<string, Blob>>(new Map());
  /** Traces that the server has, by the names of their files: what it calls them. */
  readonly listed = signal<ReadonlyMap<string, string>>(new Map());
  readonly said = signal('');

  readonly grid: ReadonlySignal<MatrixGrid> = computed(() => gridOf(this.files.value));
  /** What the filter leaves. */
  readonly found: ReadonlySignal<MatrixGrid> = computed(() => findGrid(this.grid.value, this.find.value));
  /** Kernels are columns: many of them as rows are read more easily, where the lines are few. */
  readonly kernelsAcross: ReadonlySignal<boolean> = computed(() => {
    const { kernels, lines } = this.grid.value;
    return (this.across.value ?? (lines.length >= 3 || kernels.length <= 8 ? 'kernels' : 'scenarios')) === 'kernels';
  });
  /** What is drawn of it. */
  readonly shown: ReadonlySignal<MatrixGrid> = computed(() => {
    const { kernels, lines } = this.found.value;
    const across = this.kernelsAcross.value;
    const columns = Math.max(1, across ? kernels.length : lines.length);
    const rows = Math.max(1, Math.floor(MAX_SHOWN / columns));
    return across ? { kernels, lines: lines.slice(0, rows) } : { kernels: kernels.slice(0, rows), lines };
  });
  readonly line: ReadonlySignal<MatrixLine | undefined> = computed(() =>
    this.grid.value.lines.find(({ name }) => name === this.place.value?.line),
  );
  readonly cell: ReadonlySignal<MatrixCell | undefined> = computed(() =>
    this.line.value?.cells.get(this.place.value?.kernel ?? ''),
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
      this.place.value = look.cell ?? this.#firstBad() ?? this.#first();
      if (this.line.value === undefined) this.place.value = this.#firstBad() ?? this.#first();
      // What is bad is looked into first.
      this.details.value = this.cell.value?.verdict === 'fail' || look.cell !== undefined;
    });
    this.say(`${this.grid.value.lines.length} lines over ${this.grid.value.kernels.length} kernels`);
  }

  /** Shows other cells of the same matrices; what is looked at stays. */
  async renew(given: readonly Given[]): Promise<void> {
    const generation = this.#generation;
    const read = await Promise.all(given.map(async ({ blob, name }) => readMatrix(await blob.text(), name)));
    const files = read.flatMap(one => ('cells' in one ? one : []));
    if (generation === this.#generation && files.length === given.length) this.files.value = files;
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
    const cell = line?.cells.get(place?.kernel ?? '');
    if (!line || !cell) return {};
    const other = neighbourOf(line, cell);
    return { cell, ...(other ? { other } : {}) };
  }

  choose(place: CellPlace | undefined): void {
    if (!place) return;
    this.place.value = place;
    const { line, cell } = { line: this.line.value, cell: this.cell.value };
    const changed = line?.changes.has(place.kernel) === true;
    this.say(`${line?.scenario ?? ''} ${kernelName(place.kernel)}: ${cellText(cell, changed)}`);
  }

  /** Goes on by rows and columns of the table as it is drawn. */
  step(rows: number, columns: number): void {
    const { kernels, lines } = this.shown.value;
    const [down, right] = this.kernelsAcross.value ? [rows, columns] : [columns, rows];
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
    const kernel = kernels[bounded(kernels.indexOf(this.place.value?.kernel ?? ''), right, kernels)];
    if (line && kernel !== undefined) this.choose({ line: line.name, kernel });
  }

  /** The next place where the outcome changes, line by line, from either end on again. */
  stepChange(by: 1 | -1): void {
    const { kernels, lines } = this.shown.value;
    const { value: place } = this.place;
    const places = lines.flatMap(line => kernels.map(kernel => ({ line, kernel })));
    const at = Math.max(
      0,
      places.findIndex(({ line, kernel }) => line.name === place?.line && kernel === place.kernel),
    );
    const onwards = [...places.slice(at + 1), ...places.slice(0, at)];
    const next = (by === 1 ? onwards : onwards.toReversed()).find(({ line, kernel }) => line.changes.has(kernel));
    if (next) this.choose({ line: next.line.name, kernel: next.kernel });
  }

  firstBad(): void {
    this.choose(this.#firstBad());
  }

  #firstBad(): CellPlace | undefined {
    const line = this.grid.value.lines.find(({ bad }) => bad.length > 0);
    const [range] = line?.bad ?? [];
    return line && range ? { line: line.name, kernel: range.first.kernel } : undefined;
  }

  #first(): CellPlace | undefined {
    const { lines, kernels } = this.grid.value;
    const [line] = lines;
    const [kernel] = kernels;
    return line && kernel !== undefined ? { line: line.name, kernel } : undefined;
  }

  turn(): void {
    this.across.value = this.kernelsAcross.value ? 'scenarios' : 'kernels';
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
