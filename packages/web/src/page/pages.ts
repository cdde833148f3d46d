/** @module Which page is open, and which one a file belongs to. */
import { signal } from '@preact/signals';
import { lookOf, originOfTraces, tracesOf } from '../view/link.ts';
import { fileName } from '../view/matrix.ts';
import { type CellPlace, matrixLookOf, originOf, placesOf } from '../view/matrix-link.ts';
import { inputOfHash } from '../view/record-link.ts';
import { DecodeModel } from './decode-model.ts';
import { MatrixModel } from './matrix-model.ts';
import { TraceModel } from './model.ts';
import { type Carried, isMatrix, isTrace } from './read-trace.ts';

export const PAGES = ['decode', 'trace', 'matrix'] as const;
export type PageName = (typeof PAGES)[number];

/** A file that somebody gave to the page. */
interface Given {
  blob: Blob;
  name: string;
}

const NOT_CARRIED = 'Take the link from the report that the page belongs to, or drop the trace here.';

export class PagesModel {
  readonly page = signal<PageName>('decode');
  readonly trace = new TraceModel();
  readonly decode = new DecodeModel();
  readonly matrix = new MatrixModel();
  /** Traces that the page carries, by their names. */
  #carried: ReadonlyMap<string, Blob> = new Map();

  /**
   * Opens files: traces on their page, two of them beside each other, matrices on theirs; of others the first, on the page of
   * records.
   * @param beside with what is shown already
   */
  async give(files: readonly Given[], beside = false): Promise<void> {
    const kinds = await Promise.all(files.map(async file => ({ file, kind: await this.#kindOf(file, beside) })));
    const of = (wanted: PageName): Given[] => kinds.filter(({ kind }) => kind === wanted).map(({ file }) => file);
    const [traces, matrices, [other]] = [of('trace'), of('matrix'), of('decode')];
    if (matrices.length > 0) {
      this.page.value = 'matrix';
      await this.matrix.open(matrices, beside);
    }
    const rest = this.page.value === 'matrix' ? this.matrix.keep(traces) : traces;
    if (rest.length < traces.length) this.matrix.say(`${traces.length - rest.length} traces of cells are at hand`);
    else if (rest.length > 0) {
      this.page.value = 'trace';
      await this.trace.open(rest, beside);
    } else if (other && matrices.length === 0) {
      this.page.value = 'decode';
      await this.decode.open(other.blob, other.name);
    }
  }

  async #kindOf({ blob }: Given, beside: boolean): Promise<PageName> {
    if (await isMatrix(blob)) return 'matrix';
    return (beside && this.page.value === 'trace') || (await isTrace(blob)) ? 'trace' : 'decode';
  }

  /** Opens the traces of cells: of one, or of two beside each other. @returns whether they are at hand */
  async openCells(places: readonly CellPlace[], hash = ''): Promise<boolean> {
    const files = places.flatMap(place => {
      const { cell } = this.matrix.pairAt(place);
      const blob = this.matrix.traceOf(cell);
      return cell && blob ? [{ blob, name: fileName(cell.trace) }] : [];
    });
    if (files.length === 0 || files.length < places.length) return false;
    this.page.value = 'trace';
    await this.trace.open(files, false, lookOf(hash), originOf(places));
    return true;
  }

  /** Opens traces that the page carries: one, or two beside each other. */
  async #openCarried(names: readonly string[], hash: string): Promise<void> {
    const files = names.flatMap(name => {
      const blob = this.#carried.get(name);
      return blob ? [{ blob, name }] : [];
    });
    this.page.value = 'trace';
    const gone = names.find(name => !this.#carried.has(name));
    if (gone === undefined) await this.trace.open(files, false, lookOf(hash), originOfTraces(names));
    else this.trace.trouble.value = { name: gone, message: `${gone} is not in this page`, hint: NOT_CARRIED };
  }

  /** Shows what a page was written with, or what its link says. */
  async start(carried: readonly Carried[], hash: string): Promise<void> {
    const of = (wanted: string): Carried[] => carried.filter(({ kind }) => kind === wanted);
    const [traces, matrices, [log]] = [of('trace'), of('matrix'), of('log')];
    const typed = inputOfHash(hash);
    const named = tracesOf(hash);
    this.#carried = new Map(traces.map(({ name, blob }) => [name, blob]));
    // Of a report a page has many: each has a link.
    if (traces.length > 2 && matrices.length === 0) this.trace.atHand.value = traces.map(({ name }) => name);
    if (traces.length > 0) this.page.value = 'trace';
    if (matrices.length > 0) this.page.value = 'matrix';
    for (const page of PAGES) if (hash.startsWith(`#${page}`)) this.page.value = page;
    if (typed !== undefined) void this.decode.openText(typed, 'link');
    else if (log) void this.decode.open(log.blob, log.name);
    if (matrices.length > 0) {
      await this.matrix.open(matrices, false, matrixLookOf(hash));
      this.matrix.keep(traces);
      await this.openCells(placesOf(hash), hash);
    }
    if (named.length > 0) await this.#openCarried(named, hash);
    else if (matrices.length === 0 && traces.length > 0 && traces.length <= 2)
      await this.trace.open(traces, false, lookOf(hash));
  }

  /** The address of what is looked at; undefined where nothing is. */
  hash(): string | undefined {
    if (this.page.value === 'trace') return this.trace.runs.value.length > 0 ? this.trace.hash() : undefined;
    if (this.page.value === 'matrix') return this.matrix.files.value.length > 0 ? this.matrix.hash() : undefined;
    return this.decode.input.value === undefined ? undefined : this.decode.hash();
  }

  /** Takes over what an address says that somebody typed. */
  follow(hash: string): void {
    if (hash === this.hash()) return;
    if (hash.startsWith('#trace')) {
      this.page.value = 'trace';
      const named = tracesOf(hash);
      if (named.length > 0 && originOfTraces(named) !== this.trace.origin.value) void this.#openCarried(named, hash);
      else if (this.trace.runs.value.length > 0) this.trace.follow(hash);
    } else if (hash.startsWith('#matrix')) {
      this.page.value = 'matrix';
      if (this.matrix.files.value.length > 0) this.matrix.follow(matrixLookOf(hash));
    } else if (hash.startsWith('#decode')) {
      this.page.value = 'decode';
      const typed = inputOfHash(hash);
      if (typed !== undefined) void this.decode.openText(typed, 'link');
    }
  }
}
