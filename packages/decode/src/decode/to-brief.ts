/** @module One line a record, and in the end what they come to: for logs of more records than anybody reads. */
import { hex64 } from '../common/hex.ts';
import { cutAt, escapeText, safeText } from '../common/screen.ts';
import { countText } from './count.ts';
import { placeText } from './place.ts';
import { rowOfSource } from './record.ts';
import type { DecodedRecord, DecodedSeverity, DecodedSource } from './record.ts';

/** Pages counted; what a log of more of them comes to is said as "and more". */
const MAX_PAGES = 1 << 16;
/** Pages named in the end. */
const TOP_PAGES = 8;
/** Characters of the name of an input. */
const MAX_NAME = 60;
const NO_ADDRESS = ' '.repeat(hex64(0n).length);

/** The codes of what is wrong with a record, not of what is only worth knowing. */
function marksOf(record: DecodedRecord): string {
  const codes = record.lint.filter(l => l.severity !== 'info').map(l => ` ${l.code}`);
  return codes.length === 0 ? '' : ` !${codes.join('')}`;
}

/** Of what the headline does not say: where, how many, when. */
function tailOf(record: DecodedRecord): string {
  const { place, time, headline } = record;
  // The words of a driver name the place themselves.
  const where = place === undefined || record.kind === 'event' ? '' : placeText(place);
  const count = countText(record);
  const parts = [where, count ?? '', time?.text ?? ''].filter(part => part !== '' && !headline.includes(part));
  return parts.length === 0 ? '' : ` [${parts.join('; ')}]`;
}

/** The end of a long name tells more than its beginning. */
function tail(name: string): string {
  return name.length <= MAX_NAME ? name : `…${name.slice(cutAt(name, name.length - MAX_NAME + 1))}`;
}

/** Writes records as lines: where in the input, physical address, headline, place and time, and the codes of lint errors and warnings. */
export class BriefWriter {
  readonly #marks = new WeakMap<object, string>();
  readonly #severities = new Map<DecodedSeverity, number>();
  /** By page frame number, which is never above 2^52. */
  readonly #pages = new Map<number, number>();
  #input = '';
  #name = '';
  #uncounted = false;
  #records = 0;

  /** The line of a record, without its line feed. */
  line(record: DecodedRecord): string {
    const { severity, address, pattern } = record;
    this.#records++;
    this.#severities.set(severity, (this.#severities.get(severity) ?? 0) + 1);
    if (address?.pfn !== undefined) this.#count(Number(address.pfn));
    let marks = pattern === undefined ? undefined : this.#marks.get(pattern);
    if (marks === undefined) {
      marks = marksOf(record);
      if (pattern !== undefined) this.#marks.set(pattern, marks);
    }
    const where = address === undefined ? NO_ADDRESS : hex64(address.value);
    return escapeText(`${this.#place(record.source)}  ${where}  ${record.headline}${tailOf(record)}${marks}`);
  }

  /** What the records came to: how many of each severity, and the pages that were met more than once. */
  summary(): string[] {
    const counts = [...this.#severities].toSorted((a, b) => b[1] - a[1]).map(([name, n]) => `${n} ${name}`);
    const again = [...this.#pages].filter(([, n]) => n > 1).toSorted((a, b) => b[1] - a[1]);
    const lines = [`${this.#records} record${this.#records === 1 ? '' : 's'}: ${counts.join(', ')}`];
    if (this.#pages.size > 0) {
      const top = again.slice(0, TOP_PAGES).map(([pfn, n]) => `0x${pfn.toString(16)} ×${n}`);
      const rest = again.length > TOP_PAGES ? `, and ${again.length - TOP_PAGES} more` : '';
      const met = top.length === 0 ? '' : `; more than once: ${top.join(', ')}${rest}`;
      lines.push(
        `${this.#pages.size}${this.#uncounted ? ' and more' : ''} ${this.#pages.size === 1 && !this.#uncounted ? 'page' : 'pages'}${met}`,
      );
    }
    return lines.map(escapeText);
  }

  /** `kern.log:120`, `mcelog.bin@0x40`. */
  #place(source: DecodedSource): string {
    const { input, firstLine, firstByte } = source;
    if (input !== this.#input) [this.#input, this.#name] = [input, escapeText(tail(input))];
    if (firstLine !== undefined) return `${this.#name}:${firstLine}`;
    const row = rowOfSource(source);
    if (row !== undefined) return `${this.#name}:${safeText(row, 60)}`;
    return firstByte === undefined ? this.#name : `${this.#name}@0x${firstByte.toString(16)}`;
  }

  #count(pfn: number): void {
    const before = this.#pages.get(pfn);
    if (before !== undefined || this.#pages.size < MAX_PAGES) this.#pages.set(pfn, (before ?? 0) + 1);
    else this.#uncounted = true;
  }
}
