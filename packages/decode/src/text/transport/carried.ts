/**
 * @module Firmware records (CPER) that stand as hex or base64 within a line of something else: RawData of Windows' events,
 * DiagnosticData of Redfish (DSP0268, LogEntry), whatever ships logs. Which bytes they are is read where all text that stands for
 * bytes is.
 */
import type { ItemSink } from '../item.ts';

/** `CPER` and the high half of its revision in base64, `CPER` in hex. */
export const CARRIED_NEEDLES: readonly string[] = [
  'Q1BFUg',
  'Q1BFUh',
  '43504552',
  '43 50 45 52',
  '43-50-45-52',
  '"DiagnosticData"',
  '"SectionType"',
];

/** A record header has 128 bytes; less of one is no evidence of a record. */
const BASE64 = /(?<![A-Za-z0-9+/])Q1BFU[gh](?:[A-Za-z0-9+]|\\?\/){100,65536}={0,2}/g;
const HEX = /(?<![0-9A-Fa-f])43([ :,-]?)50\1(?:[0-9A-Fa-f]{2}\1){100,32768}(?:[0-9A-Fa-f]{2})?/g;
const SECTION_TYPE = /"SectionType"\s{0,4}:\s{0,4}"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"/;
/** A section alone, without the header of a record. */
const SECTION = /"DiagnosticData"\s{0,4}:\s{0,4}"((?:[A-Za-z0-9+]|\\?\/){16,65536}={0,2})"/;
/** Records of one line. */
const MAX_RECORDS = 16;

export class CarriedBytes {
  readonly #sink: ItemSink;
  /** The type of the section that an entry of Redfish holds, until its data comes. */
  #sectionType: string | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** Hands on the records that a line holds; returns whether it holds any. */
  take(text: string, lineNumber: number): boolean {
    const place = { form: 'cper-text', firstLine: lineNumber, lastLine: lineNumber } as const;
    let found = 0;
    for (const [as, pattern] of [['base64', BASE64] as const, ['hex', HEX] as const]) {
      for (const m of text.matchAll(pattern)) {
        if (found++ >= MAX_RECORDS) break;
        this.#sink({ type: 'bytes', ...place, as, text: as === 'hex' ? m[0].replaceAll(m[1] ?? '', '') : plain(m[0]) });
      }
    }
    this.#sectionType = SECTION_TYPE.exec(text)?.[1]?.toLowerCase() ?? this.#sectionType;
    const data = SECTION.exec(text)?.[1];
    if (data === undefined) return found > 0;
    const section = this.#sectionType;
    this.#sectionType = undefined;
    if (found > 0 || section === undefined) return found > 0;
    this.#sink({ type: 'bytes', ...place, as: 'base64', text: plain(data), section });
    return true;
  }
}

/** JSON may escape the slash. */
const plain = (text: string): string => text.replaceAll('\\', '');
