/** @module Which page is open, and which one a file belongs to. */
import { signal } from '@preact/signals';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { ListedFile, Listing } from '../view/listing.ts';
import { lookOf, originOfTraces, tracesOf } from '../view/link.ts';
import { fileName } from '../view/matrix.ts';
import { type PageName, pagesOf } from '../view/masthead.ts';
import { type CellPlace, matrixLookOf, originOf, placesOf } from '../view/matrix-link.ts';
import { inputOfHash } from '../view/record-link.ts';
import { matricesOf, withMatrices } from '../view/served-link.ts';
import { DecodeModel } from './decode-model.ts';
import { followRun } from './live.ts';
import { MatrixModel } from './matrix-model.ts';
import { TraceModel } from './model.ts';
import { type Carried, isMatrix, isTrace } from './read-trace.ts';
import { fetchFile, fetchListing, RunsModel } from './runs-model.ts';
import { eventsOf, ServerStream } from './server-stream.ts';

/** A file that somebody gave to the page. */
interface Given {
  blob: Blob;
  name: string;
  /** What the server calls it, where it came from there. */
  served?: string;
}

/** A place that one can go back to. */
export interface Place {
  page: PageName;
  /** Number of the input that is open; 0 where there is none to go back to. */
  opened: number;
  /** What is chosen in it, in letters. */
  chosen: string;
}

/** What the server calls files that all came from there; of others nothing. */
const servedNames = (files: readonly Given[]): string[] =>
  files.every(({ served }) => served !== undefined) ? files.flatMap(({ served }) => served ?? []) : [];

/** How soon a matrix that could not be read is asked for again, ms. */
const AGAIN_MS = 1000;

const NOT_CARRIED = 'Take the link from the report that the page belongs to, or drop the trace here.';

export class PagesModel {
  readonly page = signal<PageName>('decode');
  readonly trace = new TraceModel();
  readonly decode = new DecodeModel();
  readonly matrix = new MatrixModel();
  readonly runs = new RunsModel();
  /** Names of files that were given and not read: there is no place for them beside the others. */
  readonly left = signal<readonly string[]>([]);
  /** What the page could not do as its address asks; empty where it could. */
  readonly note = signal('');
  /** The page came from a server, and may ask that. */
  readonly served: boolean;
  /** Traces that the page carries, by their names. */
  #carried: ReadonlyMap<string, Blob> = new Map();
  /** What the matrices that are shown are called by the server; none where they did not come from there. */
  readonly matrices = signal<readonly string[]>([]);

  constructor(served: boolean) {
    this.served = served;
  }

  /** What the page was opened for is shown. */
  readonly started = signal(false);

  /** Nothing is shown yet of what is read: until then no address leads here. */
  get isReading(): boolean {
    const page = this.page.value;
    if (page === 'trace') return this.trace.reading.value !== undefined && this.trace.runs.value.length === 0;
    return page === 'matrix' && this.matrix.reading.value !== undefined && this.matrix.files.value.length === 0;
  }

  /** The pages that there are here. */
  get names(): PageName[] {
    return pagesOf(this.served);
  }

  /**
   * Opens files: traces on their page, two of them beside each other, matrices on theirs, and what is neither on the page of
   * records, as one input.
   * @param beside with what is shown already
   */
  async give(files: readonly Given[], beside = false): Promise<void> {
    this.note.value = '';
    const kinds = await Promise.all(files.map(async file => ({ file, kind: await this.#kindOf(file, beside) })));
    const of = (wanted: PageName): Given[] => kinds.filter(({ kind }) => kind === wanted).map(({ file }) => file);
    const [traces, matrices, others] = [of('trace'), of('matrix'), of('decode')];
    if (matrices.length > 0) {
      this.page.value = 'matrix';
      await this.#openMatrices(matrices, beside);
    }
    const rest = this.page.value === 'matrix' ? this.matrix.keep(traces) : traces;
    let left = [...rest, ...others];
    if (rest.length < traces.length) this.matrix.say(`${traces.length - rest.length} traces of cells are at hand`);
    else if (rest.length > 0) {
      this.page.value = 'trace';
      const before = beside ? tracesOf(`#trace?${this.trace.origin.value}`).slice(0, 1) : [];
      const room = beside && this.trace.runs.value.length > 0 ? 1 : 2;
      const names = servedNames(rest);
      // A link leads to all of them or to none.
      const linked = names.length > 0 && (!beside || before.length > 0 || this.trace.runs.value.length === 0);
      left = [...rest.slice(room), ...others];
      await this.trace.open(rest, beside, {}, linked ? originOfTraces([...before, ...names].slice(0, 2)) : '');
    } else if (others.length > 0 && matrices.length === 0) {
      this.page.value = 'decode';
      left = [];
      await this.decode.open(others);
    }
    this.left.value = left.map(({ name }) => name);
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
    const names = [...this.matrices.value];
    if (names.length === 0) return () => {};
    let known = '';
    let listed: readonly ListedFile[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let busy = false;
    const renew = async (): Promise<void> => {
      const files = listed;
      const now = files.filter(({ name }) => names.includes(name)).map(({ size, changed }) => `${size} ${changed}`);
      // One that has gone stays as it is.
      if (busy || now.length < names.length || now.join() === known) return;
      busy = true;
      const given: Given[] = [];
      try {
        for (const name of names) given.push({ blob: await fetchFile(name), name: fileName(name) });
        this.matrix.listed.value = new Map(files.map(({ name }) => [fileName(name), name]));
        if (await this.matrix.renew(given)) known = now.join();
      } catch {
        // It is asked again.
      }
      busy = false;
      clearTimeout(timer);
      if (listed !== files || known !== now.join()) timer = setTimeout(() => void renew(), AGAIN_MS);
    };
    const list = (data: string): void => {
      ({ files: listed } = JSON.parse(data) as Listing);
      void renew();
    };
    const stream = new ServerStream(eventsOf('list/events'), { list });
    return () => {
      clearTimeout(timer);
      names.length = 0;
      stream.close();
    };
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
    if (await this.#isFollowed(names)) return;
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

  /** Follows a run of the server that goes on. @returns whether the name is that of one */
  async #isFollowed([name, ...others]: readonly string[]): Promise<boolean> {
    if (!this.served || name === undefined || others.length > 0) return false;
    const { files } = await fetchListing().catch(() => ({ files: [] }));
    const isRunning = files.some(file => file.name === name && file.state === 'running');
    if (isRunning) followRun(this.trace, name);
    return isRunning;
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

  /** Opens the logs that the page carries, at the record of its link: the page writes that itself, and is loaded again with it. */
  async #openLogs(logs: readonly Carried[], hash: string): Promise<void> {
    await this.decode.open(logs);
    if (inputOfHash(hash) !== undefined && !this.decode.seek(hash))
      this.note.value =
        'The link is of a record that is not in this file, or was changed. Shown is the worst of the file.';
  }

  /** Shows what a page was written with, or what its link says. */
  async start(carried: readonly Carried[], hash: string): Promise<void> {
    try {
      await this.#start(carried, hash);
    } finally {
      this.started.value = true;
    }
  }

  async #start(carried: readonly Carried[], hash: string): Promise<void> {
    const of = (wanted: string): Carried[] => carried.filter(({ kind }) => kind === wanted);
    const [traces, matrices, logs] = [of('trace'), of('matrix'), of('log')];
    const typed = inputOfHash(hash);
    const named = tracesOf(hash);
    this.#carried = new Map(traces.map(({ name, blob }) => [name, blob]));
    // Of a report a page has many: each has a link.
    if (traces.length > 2 && matrices.length === 0) this.trace.atHand.value = traces.map(({ name }) => name);
    if (traces.length > 0) this.page.value = 'trace';
    if (matrices.length > 0) this.page.value = 'matrix';
    for (const page of this.names) if (hash.startsWith(`#${page}`)) this.page.value = page;
    if (logs.length > 0) await this.#openLogs(logs, hash);
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

  /** The address of what is looked at. */
  hash(): string {
    const page = this.page.value;
    if (page === 'runs') return '#runs';
    if (page === 'decode') return this.decode.hash() ?? '#decode';
    const shows = page === 'trace' ? this.trace.runs.value.length > 0 : this.matrix.files.value.length > 0;
    if (!shows) return `#${page}`;
    const hash = this[page].hash();
    return page === 'matrix' || placesOf(hash).length > 0 ? withMatrices(hash, this.matrices.value) : hash;
  }

  /** What the browser's Back undoes: the page, the input of it, and what is chosen. What is typed and turned it leaves. */
  place(): Place {
    const page = this.page.value;
    const kept = page === 'decode' || page === 'trace' ? this[page].kept : undefined;
    const [event, cell] = [this.trace.selected.value, this.matrix.place.value];
    const chosen = {
      // What is worst is known when all is read.
      decode: () => (this.decode.input.value?.share === undefined ? `${this.decode.chosen.value}` : ''),
      // What follows a run as it goes on was chosen by nobody.
      trace: () => (event && !this.trace.following.value ? `${event.run} ${event.index}` : ''),
      matrix: () => (cell ? `${cell.line} ${cell.version}` : ''),
      runs: () => '',
    }[page]();
    return { page, opened: kept?.opened.value ?? 0, chosen };
  }

  /**
   * Takes over what an address says that somebody typed or went back to.
   * @param place where it was left; undefined for an address that was typed
   */
  async follow(hash: string, place?: Place): Promise<void> {
    const page = this.names.find(name => hash.startsWith(`#${name}`)) ?? place?.page;
    if (page === undefined) return;
    const is = this.place();
    if (hash === this.hash() && (place === undefined || (is.opened === place.opened && is.chosen === place.chosen)))
      return;
    this.page.value = page;
    if (page === 'trace') await this.#followTrace(hash, place);
    else if (page === 'decode') await this.#followDecode(hash, place);
    else if (page === 'matrix' && this.matrix.files.value.length > 0) this.matrix.follow(matrixLookOf(hash));
  }

  async #followDecode(hash: string, place: Place | undefined): Promise<void> {
    if (place) {
      await this.decode.reopen(place.opened);
      if (this.decode.kept.opened.value === place.opened) return this.decode.choose(Number(place.chosen));
    }
    const typed = inputOfHash(hash);
    if (typed !== undefined && !this.decode.seek(hash)) await this.decode.openText(typed, 'link');
  }

  async #followTrace(hash: string, place: Place | undefined): Promise<void> {
    if (place?.opened === 0 && /^(?:#trace)?$/.test(hash)) return this.trace.close();
    if (place && (await this.trace.reopen(place.opened, lookOf(hash)))) return;
    const [named, places] = [tracesOf(hash), placesOf(hash)];
    const { value: origin } = this.trace.origin;
    if (named.length > 0 && originOfTraces(named) !== origin) return this.#openNamed(named, hash);
    if (places.length > 0 && originOf(places) !== origin && (await this.openCells(places, hash))) return;
    if (this.trace.runs.value.length > 0) this.trace.follow(hash);
  }
}
