/**
 * @module The counters of EDAC as people read them: files of sysfs behind grep, find or cat, and edac-util; and that of bad memory in
 * /proc/meminfo. Sources: Linux Documentation/admin-guide/ras.rst (ce_count, ue_count, dimm_ce_count, chX_ce_count) and
 * filesystems/proc.rst (HardwareCorrupted); edac-utils, edac-util(1); node_exporter, collector/edac_linux.go and meminfo_linux.go
 * (metrics of Prometheus).
 */
import type { KindFields } from '../../events/catalog.ts';
import { eventItem } from '../item.ts';
import { corruptedKb } from '../linux/meminfo.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';

export const EDAC_COUNTS_NEEDLES: readonly string[] = [
  '/edac/mc/mc',
  'rrected Errors',
  ':csrow',
  ':noinfo:',
  'node_edac_',
  'HardwareCorrupted',
];

/** A file of a counter, with its value behind it or in the next line. */
const FILE =
  /\/edac\/mc\/mc(\d{1,3})\/(?:((?:csrow|rank|dimm)\d{1,4})\/)?(?:(ch\d{1,2})_|dimm_)?(ce|ue)_count(?:[:=]\s{0,4}|\s{1,8})?(\d{1,12})?\s*$/;
const VALUE = /^\s{0,8}(\d{1,12})\s*$/;
/** `mc0: csrow2: ch0: 12 Corrected Errors`, also with a label in place of the channel. */
const WORDS = /^\s{0,8}mc(\d{1,3}): (?:([^:]{1,64}): )?(?:([^:]{1,128}): )?(\d{1,12}) (Corrected|Uncorrected) Errors\b/;
/** `mc0:csrow2:mc#0csrow#2channel#0:CE:7` of `edac-util --report=full`. */
const FULL = /^\s{0,8}mc(\d{1,3}):([^:]{1,64}):([^:]{1,128}):(CE|UE):(\d{1,12})\s*$/;
/** `node_edac_csrow_correctable_errors_total{controller="0",csrow="unknown"} 1.2e+06`, perhaps with other labels and a time. */
const METRIC =
  /(?:^|[\s"'])node_edac_(?:csrow_|channel_|dimm_)?(un)?correctable_errors_total\{([^{}]{1,1024})\}[\s=]{1,8}(\d{1,15}(?:\.\d{1,9})?(?:e\+?\d{1,2})?)(?: \d{10,16}(?:\.\d{1,6})?)?\s*$/;
/** `node_memory_HardwareCorrupted_bytes 233472`, perhaps with labels and a time. */
const CORRUPTED_BYTES =
  /(?:^|[\s"'])node_memory_HardwareCorrupted_bytes(?:\{[^{}]{0,1024}\})?[\s=]{1,8}(\d{1,15}(?:\.\d{1,9})?(?:e\+?\d{1,2})?)(?: \d{10,16}(?:\.\d{1,6})?)?\s*$/;
const LABEL = /([a-z_]{1,32})="((?:[^"\\]|\\.){0,128})"/g;
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
    // A counter that stands here twice was read twice.
    const counts = [...new Map(this.#counts.map(c => [`${c.isCorrected} ${c.path}`, c])).values()];
    this.#counts = [];
    this.#open = undefined;
    for (const one of counts) {
      const { controller, label, isCorrected, line } = one;
      // That of a whole counts what its parts do, and what none of them is known for.
      const count = one.count - ofParts(counts, one);
      if (count <= 0) continue;
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
    const metric = METRIC.exec(text);
    if (metric !== null) return this.#metric(metric, line);
    const bytes = CORRUPTED_BYTES.exec(text)?.[1];
    const corrupted = bytes === undefined ? corruptedKb(text) : Number(bytes) / 1024;
    if (corrupted !== undefined) return this.#corrupted(corrupted, line);
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

  #corrupted(kb: number, line: number): boolean {
    // A kernel counts whole pages.
    if (!Number.isSafeInteger(kb)) return false;
    const fields = { message: `${kb} kB since the boot`, kb };
    if (kb > 0) this.#sink(eventItem('linux', line, { name: 'pages-corrupted', fields }));
    return true;
  }

  #metric([, uncorrected, said = '', value]: RegExpExecArray, line: number): boolean {
    const labels = new Map([...said.matchAll(LABEL)].map(([, name = '', text = '']) => [name, text]));
    const [mc, row, channel, dimm] = ['controller', 'csrow', 'channel', 'dimm'].map(name => labels.get(name));
    const count = Number(value);
    if (mc === undefined || !/^\d{1,3}$/.test(mc) || !Number.isSafeInteger(count)) return false;
    const parts = [row === undefined ? undefined : `csrow${row}`, channel && `ch${channel}`, dimm];
    // What EDAC counts without knowing the row is of the controller.
    const names = row === 'unknown' ? ['noinfo'] : parts.filter(part => part !== undefined);
    const host = labels.get('instance') ?? labels.get('nodename');
    const path = [`${host === undefined ? '' : `${host} `}mc${mc}`, ...names].join('/');
    const label = labels.get('dimm_label') || path;
    return this.#add({ controller: Number(mc), path, label, isCorrected: uncorrected === undefined, count, line });
  }

  #add(count: Count): boolean {
    if (this.#counts.length >= MAX_COUNTS) this.end();
    this.#counts.push(count);
    return true;
  }
}

/** What the parts of a whole have counted: each of them what it says itself, or its own parts where they say more. */
function ofParts(counts: readonly Count[], whole: Count): number {
  const parts = counts.filter(c => c.isCorrected === whole.isCorrected && c.path.startsWith(`${whole.path}/`));
  const next = parts.filter(c => !parts.some(other => other !== c && c.path.startsWith(`${other.path}/`)));
  return next.reduce((sum, part) => sum + Math.max(part.count, ofParts(parts, part)), 0);
}
