/**
 * @module What the daemon of mcelog has counted: the answer to `mcelog --client`, and the lines by which it tells of a threshold.
 * Facts: memdb.c, page.c of mcelog.
 */
import type { KindFields } from '../../events/catalog.ts';
import type { ItemSink } from '../item.ts';
import { hexU64 } from '../transport/line.ts';

const DIMM = /^SOCKET (\d{1,5}) CHANNEL (any|\d{1,4}) DIMM (any|\d{1,4})\s*$/;
const DMI_NAME = /^DMI_NAME "([^"]{1,64})"/;
const KIND = /^(un)?corrected memory errors:\s*$/;
const TOTAL = /^\s{1,8}(\d{1,12}) total\s*$/;
const RECENT = /^\s{1,8}(\d{1,12} in \d{1,6}[smhd])\s*$/;
const THRESHOLD =
  /^(?:Fallback )?(un)?corrected (?:Socket|DIMM|\w{1,16}) memory error count (?:\d{1,12} )?exceeded threshold: (\d{1,12}) in (\d{1,6}[smhd])\s*$/i;
const PAGE_THRESHOLD =
  /^Corrected memory errors on page ([0-9a-f]{1,16}) exceed threshold (?:\d{1,12} in \d{1,6}[smhd]): (\d{1,12}) in (\d{1,6}[smhd])\s*$/;
const LOCATION = /^Location (SOCKET:\d{1,5} CHANNEL:\S{1,4} DIMM:\S{1,4})(?: \[(.{0,64})\])?\s*$/;
const PAGE_SUM = /^([0-9a-f]{3,16}): total (\d{1,12}) seen "([^"]{1,48})" ([a-z-]{4,16})(?: triggered)?\s*$/;
/** Lines that may stand between the parts of one answer. */
const MAX_LINES = 12;

interface Said {
  name: 'edac-corrected' | 'edac-uncorrected';
  fields: KindFields<'edac-corrected'>;
  firstLine: number;
  lastLine: number;
}

export class McelogSums {
  readonly #sink: ItemSink;
  #dimm: { label: string; left: number } | undefined;
  #kind: 'corrected' | 'uncorrected' | undefined;
  #pages = 0;
  /** A sum whose last line is still to come. */
  #held: Said | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  get wanted(): boolean {
    return this.#dimm !== undefined || this.#held !== undefined || this.#pages > 0;
  }

  get since(): number {
    return this.#held?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  /** Takes a line without prefixes, its blanks kept; false when it is none of a sum. */
  push(text: string, lineNumber: number): boolean {
    if (this.#threshold(text, lineNumber)) return true;
    const dimm = DIMM.exec(text);
    if (dimm !== null) {
      this.end();
      this.#dimm = { label: text.trim(), left: MAX_LINES };
      return true;
    }
    const open = this.#dimm;
    if (open !== undefined) {
      if (--open.left < 0) this.end();
      else if (this.#ofDimm(open, text, lineNumber)) return true;
    }
    if (text.startsWith('Per page corrected memory statistics:')) {
      this.#pages = MAX_LINES;
      return true;
    }
    const page = this.#pages > 0 ? PAGE_SUM.exec(text) : null;
    if (page === null) {
      if (this.#pages > 0) this.#pages--;
      return false;
    }
    this.#pages = MAX_LINES;
    const message = `errors in a page since mcelog started, ${page[3] ?? ''} (${page[4] ?? ''})`;
    this.#give({
      name: 'edac-corrected',
      fields: { count: Number(page[2]), message, addr: hexU64(page[1]) ?? 0n },
      firstLine: lineNumber,
      lastLine: lineNumber,
    });
    return true;
  }

  #ofDimm(open: { label: string; left: number }, text: string, lineNumber: number): boolean {
    const name = DMI_NAME.exec(text)?.[1];
    if (name !== undefined) {
      open.label = name;
      return true;
    }
    const kind = KIND.exec(text);
    if (kind !== null) {
      this.#release();
      this.#kind = kind[1] === undefined ? 'corrected' : 'uncorrected';
      return true;
    }
    const total = TOTAL.exec(text);
    if (total !== null && this.#kind !== undefined) {
      const { label } = open;
      open.left = MAX_LINES;
      const message = `errors on ${label} since mcelog started`;
      const fields = { count: Number(total[1]), message, label };
      this.#held = { name: `edac-${this.#kind}`, fields, firstLine: lineNumber, lastLine: lineNumber };
      return true;
    }
    const recent = RECENT.exec(text)?.[1];
    if (recent === undefined || this.#kind === undefined) return false;
    const held = this.#held;
    if (held !== undefined) {
      held.fields.message += `, ${recent}`;
      held.lastLine = lineNumber;
    }
    this.#release();
    return true;
  }

  /** Said by the daemon; where it is, it says in the line behind. */
  #threshold(text: string, lineNumber: number): boolean {
    const location = this.#held === undefined || this.#dimm !== undefined ? null : LOCATION.exec(text);
    if (location !== null && this.#held !== undefined) {
      const label = location[2] === undefined || location[2] === '' ? (location[1] ?? '') : location[2];
      this.#held.fields.label = label;
      this.#held.fields.message += ` on ${label}`;
      this.#held.lastLine = lineNumber;
      this.#release();
      return true;
    }
    const of = THRESHOLD.exec(text);
    const page = PAGE_THRESHOLD.exec(text);
    if (of === null && page === null) return false;
    this.end();
    const count = Number(of?.[2] ?? page?.[2]);
    const message = `mcelog counted ${count} in ${of?.[3] ?? page?.[3] ?? ''}, over its threshold${page === null ? '' : `, in page 0x${page[1] ?? ''}`}`;
    const addr = hexU64(page?.[1]);
    const fields = { count, message, ...(addr === undefined ? {} : { addr }) };
    const name = of?.[1] === undefined ? 'edac-corrected' : 'edac-uncorrected';
    this.#held = { name, fields, firstLine: lineNumber, lastLine: lineNumber };
    return true;
  }

  skipped(): void {
    this.end();
  }

  end(): void {
    this.#release();
    this.#dimm = undefined;
    this.#kind = undefined;
    this.#pages = 0;
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && held.fields.count > 0) this.#give(held);
  }

  #give({ name, fields, firstLine, lastLine }: Said): void {
    this.#sink({ type: 'event', form: 'mcelog', name, fields, firstLine, lastLine });
  }
}
