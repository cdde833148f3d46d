/**
 * @module The counters of EDAC as people read them: files of sysfs behind grep, find or cat, and edac-util. Sources: Linux
 * Documentation/admin-guide/ras.rst (ce_count, ue_count, dimm_ce_count, chX_ce_count); edac-utils, edac-util(1).
 */
import type { KindFields } from '../../events/catalog.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';

export const EDAC_COUNTS_NEEDLES: readonly string[] = ['/edac/mc/mc', 'rrected Errors', ':CE:', ':UE:'];

/** A file of a counter, with its value behind it or in the next line. */
const FILE =
  /\/edac\/mc\/mc(\d{1,3})\/(?:((?:csrow|rank|dimm)\d{1,4})\/)?(?:(ch\d{1,2})_|dimm_)?(ce|ue)_count(?:[:=]\s{0,4}|\s{1,8})?(\d{1,12})?\s*$/;
const VALUE = /^\s{0,8}(\d{1,12})\s*$/;
/** `mc0: csrow2: ch0: 12 Corrected Errors`, also with a label in place of the channel. */
const WORDS = /^\s{0,8}mc(\d{1,3}): (?:([^:]{1,64}): )?(?:([^:]{1,128}): )?(\d{1,12}) (Corrected|Uncorrected) Errors\b/;
/** `mc0:csrow2:mc#0csrow#2channel#0:CE:7` of `edac-util --report=full`. */
const FULL = /^\s{0,8}mc(\d{1,3}):([^:]{1,64}):([^:]{1,128}):(CE|UE):(\d{1,12})\s*$/;
/** Lines behind which nothing belongs to them any more. */
const MAX_OTHERS = 16;
const MAX_COUNTS = 1024;

interface Count {
  controller: number;
  /** Controller, row and channel: `mc0/csrow2/ch0`. */
  path: string;
  label: string;
  isCorrected: boolean;
  count: number;
  line: number;
}

export class EdacCountsReader implements Reader {
  readonly #sink: ItemSink;
  #counts: Count[] = [];
  /** Of which the value stands in the next line. */
  #open: Omit<Count, 'count'> | undefined;
  #others = 0;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  get wanted(): boolean {
    return this.#open !== undefined;
  }

  get since(): number {
    return this.#counts[0]?.line ?? this.#open?.line ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const open = this.#open;
    this.#open = undefined;
    const value = open === undefined ? undefined : VALUE.exec(text)?.[1];
    const taken =
      open === undefined || value === undefined
        ? this.#line(text, lineNumber)
        : this.#add({ ...open, count: Number(value) });
    if (taken) this.#others = 0;
    else this.skipped(1);
    return taken;
  }

  skipped(lines: number): void {
    this.#others += lines;
    if (this.#others > MAX_OTHERS) this.end();
  }

  end(): void {
    const counts = this.#counts;
    this.#counts = [];
    this.#open = undefined;
    for (const { controller, path, label, isCorrected, count, line } of counts) {
      // That of a whole counts what its parts do.
      const hasParts = counts.some(c => c.isCorrected === isCorrected && c.path.startsWith(`${path}/`));
      if (count === 0 || hasParts) continue;
      const fields: KindFields<'edac-corrected'> = {
        controller,
        count,
        message: `errors on ${label} since the boot`,
        label,
        total: 'boot',
      };
      const name = isCorrected ? 'edac-corrected' : 'edac-uncorrected';
      this.#sink(eventItem('rasdaemon', line, { name, fields }));
    }
  }

  #line(text: string, line: number): boolean {
    const file = FILE.exec(text);
    if (file !== null) {
      const [, mc = '', row, channel, kind, digits] = file;
      const path = [`mc${mc}`, row, channel].filter(part => part !== undefined).join('/');
      const found = { controller: Number(mc), path, label: path, isCorrected: kind === 'ce', line };
      if (digits !== undefined) return this.#add({ ...found, count: Number(digits) });
      this.#open = found;
      return true;
    }
    const full = FULL.exec(text);
    const words = full === null ? WORDS.exec(text) : null;
    if (full === null && words === null) return false;
    const [mc = '', row, channel] = (full ?? words)?.slice(1, 4) ?? [];
    const count = Number(full?.[5] ?? words?.[4]);
    const isCorrected = (full?.[4] ?? words?.[5]) === 'CE' || words?.[5] === 'Corrected';
    const isName = channel !== undefined && !/^ch\d{1,2}$|^all$/.test(channel);
    const path = [`mc${mc}`, row, channel].filter(part => part !== undefined).join('/');
    const label = isName ? channel : path;
    return this.#add({ controller: Number(mc), path, label, isCorrected, count, line });
  }

  #add(count: Count): boolean {
    if (this.#counts.length >= MAX_COUNTS) this.end();
    this.#counts.push(count);
    return true;
  }
}
