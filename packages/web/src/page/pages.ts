/** @module Which page is open, and which one a file belongs to. */
import { signal } from '@preact/signals';
import { lookOf } from '../view/link.ts';
import { inputOfHash } from '../view/record-link.ts';
import { DecodeModel } from './decode-model.ts';
import { TraceModel } from './model.ts';
import { type Carried, isTrace } from './read-trace.ts';

export const PAGES = ['decode', 'trace'] as const;
export type PageName = (typeof PAGES)[number];

/** A file that somebody gave to the page. */
interface Given {
  blob: Blob;
  name: string;
}

export class PagesModel {
  readonly page = signal<PageName>('decode');
  readonly trace = new TraceModel();
  readonly decode = new DecodeModel();

  /** Opens files: traces on their page, two of them beside each other; of others the first, on the page of records. */
  async give(files: readonly Given[], beside = false): Promise<void> {
    const traces: Given[] = [];
    const others: Given[] = [];
    for (const file of files) (beside || (await isTrace(file.blob)) ? traces : others).push(file);
    const [other] = others;
    if (traces.length > 0) {
      this.page.value = 'trace';
      await this.trace.open(traces, beside);
    } else if (other) {
      this.page.value = 'decode';
      await this.decode.open(other.blob, other.name);
    }
  }

  /** Shows what a page was written with, or what its link says. */
  async start(carried: readonly Carried[], hash: string): Promise<void> {
    const traces = carried.filter(({ kind }) => kind === 'trace');
    const [log] = carried.filter(({ kind }) => kind === 'log');
    const typed = inputOfHash(hash);
    if (traces.length > 0 || hash.startsWith('#trace')) this.page.value = 'trace';
    if (hash.startsWith('#decode')) this.page.value = 'decode';
    if (typed !== undefined) void this.decode.openText(typed, 'link');
    else if (log) void this.decode.open(log.blob, log.name);
    if (traces.length > 0) await this.trace.open(traces, false, lookOf(hash));
  }

  /** The address of what is looked at; undefined where nothing is. */
  hash(): string | undefined {
    if (this.page.value === 'trace') return this.trace.runs.value.length > 0 ? this.trace.hash() : undefined;
    return this.decode.input.value === undefined ? undefined : this.decode.hash();
  }

  /** Takes over what an address says that somebody typed. */
  follow(hash: string): void {
    if (hash === this.hash()) return;
    if (hash.startsWith('#trace')) {
      this.page.value = 'trace';
      if (this.trace.runs.value.length > 0) this.trace.follow(hash);
    } else if (hash.startsWith('#decode')) {
      this.page.value = 'decode';
      const typed = inputOfHash(hash);
      if (typed !== undefined) void this.decode.openText(typed, 'link');
    }
  }
}
