/** @module Which machine a record is of, where the lines of an input name several: a log server, an archive. */
import { hostOfStamp } from '../decode/host.ts';
import { stampOf } from './witness.ts';
import type { DecodedRecord } from '../decode/record.ts';

export class Machines {
  #first: string | undefined;
  #input = '';
  #last = '';

  /** @returns its name; empty of the first that is named, and where none is: a line without a name is of the machine before it */
  of(record: DecodedRecord): string {
    const { input } = record.source;
    if (input !== this.#input) {
      this.#input = input;
      this.#last = '';
    }
    const stamp = stampOf(record);
    const host = typeof stamp === 'string' ? hostOfStamp(stamp) : undefined;
    if (host === undefined) return this.#last;
    this.#first ??= host;
    this.#last = host === this.#first ? '' : host;
    return this.#last;
  }
}
