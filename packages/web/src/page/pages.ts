/** @module Which page is open, and which one a file belongs to. */
import { signal } from '@preact/signals';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { ListedFile, Listing } from '../view/listing.ts';
import { lookOf, originOfTraces, tracesOf } from '../view/link.ts';
import { fileName } from '../view/matrix.ts';
import { type CellPlace, matrixLookOf, originOf, placesOf } from '../view/matrix-link.ts';
import { inputOfHash } from '../view/record-link.ts';
import { matricesOf, withMatrices } from '../view/served-link.ts';
import { DecodeModel } from './decode-model.ts';
import { followRun } from './live.ts';
import { MatrixModel } from './matrix-model.ts';
import { TraceModel } from './model.ts';
import { type Carried, isMatrix, isTrace } from './read-trace.ts';
import { fetchFile, fetchListing, RunsModel } from './runs-model.ts';
import { ServerStream } from './server-stream.ts';

export const PAGES = ['decode', 'trace', 'matrix', 'runs'] as const;
export type PageName = (typeof PAGES)[number];

/** A file that somebody gave to the page. */
interface Given {
  blob: Blob;
  name: string;
  /** What the server calls it, where it came from there. */
  served?: string;
}

/** What the server calls files that all came from there; of others nothing. */
const servedNames = (files: readonly Given[]): string[] =>
  files.every(({ served }) => served !== undefined) ? files.flatMap(({ served }) => served ?? []) : [];

const NOT_CARRIED = 'Take the link from the report that the page belongs to, or drop the trace here.';

export class PagesModel {
  readonly page = signal<PageName>('decode');
  readonly trace = new TraceModel();
  readonly decode = new DecodeModel();
  readonly matrix = new MatrixModel();
  readonly runs = new RunsModel();
  /** The page came from a server, and may ask that. */
  readonly served: boolean;
  /** Traces that the page carries, by their names. */
  #carried: ReadonlyMap<string, Blob> = new Map();
  /** What the matrices that are shown are called by the server; none where they did not come from there. */
  readonly matrices = signal<readonly string[]>([]);

  constructor(served: boolean) {
    this.served = served;
  }

  /** The pages that there are here. */
  get names(): PageName[] {
    return PAGES.filter(name => name !== 'runs' || this.served);
  }

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
      await this.#openMatrices(matrices, beside);
    }
    const rest = this.page.value === 'matrix' ? this.matrix.keep(traces) : traces;
    if (rest.length < traces.length) this.matrix.say(`${traces.length - rest.length} traces of cells are at hand`);
    else if (rest.length > 0) {
      this.page.value = 'trace';
      const before = beside ? tracesOf(`#trace?${this.trace.origin.value}`).slice(0, 1) : [];
      const names = servedNames(rest);
      // A link leads to all of them or to none.
      const linked = names.length > 0 && (!beside || before.length > 0 || this.trace.runs.value.length === 0);
      await this.trace.open(rest, beside, {}, linked ? originOfTraces([...before, ...names].slice(0, 2)) : '');
    } else if (other && matrices.length === 0) {
      this.page.value = 'decode';
      await this.decode.open(other.blob, other.name);
    }
  }

  async #kindOf({ blob }: Given, beside: boolean): Promise<PageName> {
    if (await isMatrix(blob)) return 'matrix';
    return (beside && this.page.value === 'trace') || (await isTrace(blob)) ? 'trace' : 'decode';
  }

  /** Opens matrices, and finds out which traces behind their cells the server has. */
  async #openMatrices(files: readonly Given[], beside = false, hash = ''): Promise<void> {
    if (this.served) {
      const { files: listed } = await fetchListing().catch(() => ({ files: [] }));
      this.matrix.listed.value = new Map(listed.map(({ name }) => [fileName(name), name]));
    }
    await this.matrix.open(files, beside, matrixLookOf(hash));
    const [before, names] = [beside ? this.matrices.value : [], servedNames(files)];
    this.matrices.value = names.length > 0 && (!beside || before.length > 0) ? [...before, ...names] : [];
  }

  /** Reads the matrices of the server that are shown again, now and when they have other cells. @returns how that is ended */
  watchMatrices(): () => void {
    const names = this.matrices.value;
    if (names.length === 0) return () => {};
    let known = '';
    const renew = async (files: readonly ListedFile[]): Promise<void> => {
      const given: Given[] = [];
      for (const name of names) given.push({ blob: await fetchFile(name), name: fileName(name) });
      this.matrix.listed.value = new Map(files.map(({ name }) => [fileName(name), name]));
      await this.matrix.renew(given);
    };
    const list = (data: string): void => {
      const { files } = JSON.parse(data) as Listing;
      const now = files.filter(({ name }) => names.includes(name)).map(({ size, changed }) => `${size} ${changed}`);
      // One that has gone stays as it is.
      if (now.length === names.length && now.join() !== known) renew(files).catch(() => {});
      known = now.join();
    };
    const stream = new ServerStream('list/events', {}, { list });
    return () => stream.close();
  }

  /** Opens the traces of cells: of one, or of two beside each other. @returns whether they are at hand */
  async openCells(places: readonly CellPlace[], hash = ''): Promise<boolean> {
    const files: Given[] = [];
    for (const place of places) {
      const { cell } = this.matrix.pairAt(place);
      const blob = await this.matrix.traceOf(cell, fetchFile).catch(() => undefined);
      if (cell && blob) files.push({ blob, name: fileName(cell.trace) });
    }
    if (files.length === 0 || files.length < places.length) return false;
    this.page.value = 'trace';
    await this.trace.open(files, false, lookOf(hash), originOf(places));
    return true;
  }

  /** Opens traces that the page carries, or the server has: one, or two beside each other. */
  async #openNamed(names: readonly string[], hash: string): Promise<void> {
    this.page.value = 'trace';
    const files: Given[] = [];
    for (const name of names) {
      try {
        const blob = this.#carried.get(name) ?? (this.served ? await fetchFile(name) : undefined);
        if (blob === undefined) throw new Error(`${name} is not in this page`);
        files.push({ blob, name: this.served ? fileName(name) : name });
      } catch (error) {
        const hint = this.served ? undefined : NOT_CARRIED;
        this.trace.trouble.value = { name, message: messageOf(error), hint };
        return;
      }
    }
    await this.trace.open(files, false, lookOf(hash), originOfTraces(names));
  }

  /**
   * Opens a file of the server on its page; a run that goes on is followed.
   * @param beside with the trace that is shown
   */
  async openListed({ name, state }: Pick<ListedFile, 'name' | 'state'>, beside = false): Promise<void> {
    this.runs.trouble.value = undefined;
    if (state === 'running' && !beside) {
      this.page.value = 'trace';
      followRun(this.trace, name);
      return;
    }
    try {
      const blob = await fetchFile(name);
      // Where it is compared it is a trace, whatever page is open.
      if (beside) this.page.value = 'trace';
      await this.give([{ blob, name: fileName(name), served: name }], beside);
    } catch (error) {
      this.runs.trouble.value = { message: messageOf(error) };
    }
  }

  /** Opens the files of the server that a link is about. */
  async #startServed(hash: string): Promise<void> {
    if (!/^#(?:trace|matrix|decode)/.test(hash)) this.page.value = 'runs';
    const [traces, matrices] = [tracesOf(hash), matricesOf(hash)];
    if (traces.length + matrices.length === 0) return;
    try {
      const { files: listed } = await fetchListing();
      const only = traces.length === 1 ? listed.find(({ name }) => name === traces[0]) : undefined;
      if (only?.state === 'running') return await this.openListed(only);
      if (matrices.length > 0) {
        const files: Given[] = [];
        for (const name of matrices) files.push({ blob: await fetchFile(name), name: fileName(name), served: name });
        await this.#openMatrices(files, false, hash);
        await this.openCells(placesOf(hash), hash);
      }
      if (traces.length > 0) await this.#openNamed(traces, hash);
    } catch (error) {
      this.page.value = 'runs';
      this.runs.trouble.value = { message: messageOf(error) };
    }
  }

  /** Opens the log that the page carries, at the record of its link: the page writes that itself, and is loaded again with it. */
  async #openLog({ blob, name }: Carried, hash: string): Promise<void> {
    await this.decode.open(blob, name);
    if (inputOfHash(hash) !== undefined && !this.decode.seek(hash))
      this.decode.say('The link is of a record that is not in this file, or was changed');
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
    for (const page of this.names) if (hash.startsWith(`#${page}`)) this.page.value = page;
    if (log) void this.#openLog(log, hash);
    else if (typed !== undefined) void this.decode.openText(typed, 'link');
    if (this.served) return this.#startServed(hash);
    if (matrices.length > 0) {
      await this.matrix.open(matrices, false, matrixLookOf(hash));
      this.matrix.keep(traces);
      await this.openCells(placesOf(hash), hash);
    }
    if (named.length > 0) await this.#openNamed(named, hash);
    else if (matrices.length === 0 && traces.length > 0 && traces.length <= 2)
      await this.trace.open(traces, false, lookOf(hash));
  }

  /** The address of what is looked at; undefined where nothing is. */
  hash(): string | undefined {
    const page = this.page.value;
    if (page === 'runs') return '#runs';
    if (page === 'decode') return this.decode.input.value === undefined ? undefined : this.decode.hash();
    const shows = page === 'trace' ? this.trace.runs.value.length > 0 : this.matrix.files.value.length > 0;
    if (!shows) return undefined;
    const hash = this[page].hash();
    return page === 'matrix' || placesOf(hash).length > 0 ? withMatrices(hash, this.matrices.value) : hash;
  }

  /** Takes over what an address says that somebody typed. */
  follow(hash: string): void {
    if (hash === this.hash()) return;
    if (hash.startsWith('#runs') && this.served) this.page.value = 'runs';
    else if (hash.startsWith('#trace')) {
      this.page.value = 'trace';
      const named = tracesOf(hash);
      if (named.length > 0 && originOfTraces(named) !== this.trace.origin.value) void this.#openNamed(named, hash);
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
