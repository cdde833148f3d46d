/**
 * @module When an event of Windows was, by what stands before it: `Date:` of Event Viewer, `TimeCreated` of Get-WinEvent, `SystemTime`
 * of event XML.
 */
import { dateIn } from '../transport/dates.ts';

/** Words of the lines that say so. */
export const DATE_NEEDLES: readonly string[] = ['WHEA-Logger', 'TimeCreated', 'TimeGenerated', 'SystemTime='];

const SYSTEM_TIME = /\bSystemTime=["'](\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z)/;
const DATED = /^\s{0,8}(?:Date|Datum|Fecha|Data|TimeCreated|Logged|Protokolliert) {0,16}: {1,16}(?=\d)/i;
const LOGGER = /\bWHEA-Logger\b/;
/** Lines from the date to the event, and from the name of the logger to the date. */
const MAX_LINES = 24;

export class EventDate {
  #line = Number.NEGATIVE_INFINITY;
  #time: string | undefined;

  /** The date of an event may follow, in a line without a word to look for. */
  get wanted(): boolean {
    return this.#line >= 0;
  }

  take(text: string, lineNumber: number): void {
    if (lineNumber - this.#line > MAX_LINES) this.drop();
    const time = SYSTEM_TIME.exec(text)?.[1] ?? (DATED.test(text) ? dateIn(text, false) : undefined);
    if (time !== undefined) [this.#time, this.#line] = [time, lineNumber];
    else if (LOGGER.test(text)) this.#line = lineNumber;
  }

  /** The date of the event that begins now, once. */
  taken(): string | undefined {
    const time = this.#time;
    this.#time = undefined;
    return time;
  }

  drop(): void {
    this.#time = undefined;
    this.#line = Number.NEGATIVE_INFINITY;
  }
}
