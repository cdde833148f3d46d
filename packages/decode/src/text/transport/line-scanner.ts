/** @module A stream of bytes cut into numbered lines, of which only those that can matter are handed on. */
import type { NeedleSet } from '../needles.ts';
import type { LinePlaces } from './line-places.ts';
import { LongJson, beginsJson } from './long-json.ts';

/** Longer lines are cut. */
export const MAX_LINE_BYTES = 65_536;

const NEWLINE = 0x0a;

/** Takes what the scanner finds. Bytes are lent for the time of the call. */
export interface LineTaker {
  /** One line without its line end; returns whether the next line is wanted whatever it holds. `offset`: its first byte. */
  line(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean;
  /** One value of a line of JSON that is longer than is held of one, and how often it was called for this line before. */
  part?(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number, before: number): boolean;
  /** Whether an object that begins so is read as a whole or not at all. */
  isOneRecord?(bytes: Uint8Array): boolean;
  /** Lines that hold no needle were left out. */
  skipped(lines: number): void;
  /** Said behind a line that was cut and may matter: how many bytes of it were left out, and where they begin; 0 of a value in JSON. */
  cut(lineNumber: number, bytes: number, offset: number): void;
  /** Said before the last line where no line end is behind it: it may be cut. */
  unended?(): void;
}

/** Cuts chunks into lines; the result does not depend on where the chunks end. */
export class LineScanner {
  #needles: NeedleSet | undefined;
  readonly #taker: LineTaker;
  readonly #places: LinePlaces | undefined;
  /** The unfinished line at the end of what was pushed, up to the bound. */
  #rest = new Uint8Array(0);
  #restLength = 0;
  #lines = 0;
  #wanted = false;
  /** Bytes before the chunk that is looked at, and of them those before the unfinished line. */
  #before = 0;
  #restOffset = 0;
  /** Of the unfinished line: its bytes beyond the bound, the last of them, and whether a needle stands there. */
  #over = 0;
  #overEnd = new Uint8Array(0);
  #overNeedle = false;
  /** Of the unfinished line, where it is JSON and longer than the bound. */
  #json: LongJson | undefined;
  #parts = 0;
  /** Where a value that may matter and could not be read begins. */
  #jsonLost: number | undefined;

  /**
   * Without needles every line is handed on. `wanted`: the first line is, whatever it holds.
   * @param places is told where the lines stand that are handed on, before they are
   */
  constructor(taker: LineTaker, needles?: NeedleSet, wanted = false, places?: LinePlaces) {
    this.#taker = taker;
    this.#needles = needles;
    this.#places = places;
    this.#wanted = wanted;
  }

  /** Lines seen so far, the unfinished one not counted. */
  get lines(): number {
    return this.#lines;
  }

  /** From the next line on only lines with such words are handed on. */
  search(needles: NeedleSet): void {
    this.#needles = needles;
  }

  push(chunk: Uint8Array): void {
    this.#push(chunk);
    this.#before += chunk.length;
  }

  #push(chunk: Uint8Array): void {
    let start = 0;
    if (this.#restLength > 0) {
      const end = chunk.indexOf(NEWLINE);
      this.#keep(chunk, 0, end < 0 ? chunk.length : end);
      if (end < 0) return;
      this.#flush();
      start = end + 1;
    }
    const last = chunk.lastIndexOf(NEWLINE);
    if (last >= start) {
      this.#whole(chunk, start, last + 1);
      start = last + 1;
    }
    if (start < chunk.length) this.#keep(chunk, start, chunk.length);
  }

  end(): void {
    if (this.#restLength === 0) return;
    this.#taker.unended?.();
    this.#flush();
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    if (this.#json !== undefined) {
      this.#restOfJson(chunk, from, to, this.#before + from);
      return;
    }
    if (this.#restLength === 0) this.#restOffset = this.#before + from;
    const room = MAX_LINE_BYTES - this.#restLength;
    const length = Math.min(room, to - from);
    if (length > 0) {
      if (this.#rest.length < this.#restLength + length) {
        const bigger = new Uint8Array(Math.min(MAX_LINE_BYTES, 2 * (this.#restLength + length)));
        bigger.set(this.#rest.subarray(0, this.#restLength));
        this.#rest = bigger;
      }
      this.#rest.set(chunk.subarray(from, from + length), this.#restLength);
      this.#restLength += length;
    }
    if (from + length === to) return;
    if (this.#over === 0 && this.#opensJson(this.#rest, 0, this.#restLength, this.#restOffset))
      this.#restOfJson(chunk, from + length, to, this.#before + from + length);
    else this.#leaveOut(chunk.subarray(from + length, to));
  }

  /** Begins to read a line by its values, where it is JSON; `bytes[start, end)` is what is held of it. */
  #opensJson(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
    if (this.#taker.part === undefined || !beginsJson(bytes, start, end)) return false;
    this.#parts = 0;
    this.#jsonLost = undefined;
    this.#json = new LongJson(
      MAX_LINE_BYTES,
      (value, length, at) => this.#part(value, length, at, offset),
      (value, length, at) => {
        if (this.#jsonLost === undefined && this.#mentions(value, length)) this.#jsonLost = at;
      },
      value => this.#taker.isOneRecord?.(value) === true,
    );
    this.#json.push(bytes, start, end, offset);
    return true;
  }

  #restOfJson(bytes: Uint8Array, from: number, to: number, offset: number): void {
    this.#json?.push(bytes, from, to, offset);
  }

  #mentions(bytes: Uint8Array, end: number): boolean {
    return this.#needles === undefined || this.#needles.find(bytes, 0, end) >= 0;
  }

  #part(bytes: Uint8Array, end: number, offset: number, lineOffset: number): void {
    if (!this.#wanted && !this.#mentions(bytes, end)) return;
    const number = this.#lines + 1;
    this.#places?.add(number, lineOffset, offset + end);
    this.#wanted = this.#taker.part?.(bytes, 0, end, number, offset, this.#parts++) ?? false;
  }

  /** The line of JSON ended; false where there is none. */
  #flushJson(): boolean {
    const json = this.#json;
    if (json === undefined) return false;
    json.end();
    this.#json = undefined;
    this.#restLength = 0;
    this.#lines++;
    if (this.#jsonLost !== undefined) this.#taker.cut(this.#lines, 0, this.#jsonLost);
    if (this.#parts === 0) this.#taker.skipped(1);
    return true;
  }

  /** Bytes of the unfinished line beyond the bound: nothing of them is kept but whether they mention anything. */
  #leaveOut(bytes: Uint8Array): void {
    const needles = this.#needles;
    this.#over += bytes.length;
    if (needles === undefined || this.#overNeedle) return;
    // A needle may begin in what came before: within the bound, or in the chunk before.
    const before = this.#over === bytes.length ? this.#rest.subarray(0, this.#restLength) : this.#overEnd;
    const seam = new Uint8Array(needles.longest - 1 + bytes.length);
    const tail = before.subarray(Math.max(0, before.length - needles.longest + 1));
    seam.set(tail);
    seam.set(bytes, tail.length);
    const length = tail.length + bytes.length;
    this.#overNeedle = needles.find(seam, 0, length) >= 0;
    this.#overEnd = seam.slice(Math.max(0, length - needles.longest + 1), length);
  }

  #flush(): void {
    if (this.#flushJson()) return;
    const end = this.#restLength;
    const over = this.#over;
    const mentioned = this.#overNeedle || this.#needles === undefined;
    this.#restLength = 0;
    this.#over = 0;
    this.#overNeedle = false;
    this.#line(this.#rest, 0, end, this.#restOffset, over, () => mentioned);
  }

  /** One line; `over` bytes of it are not in `bytes[start, end)`, and `mentioned` says whether they may matter. */
  #line(bytes: Uint8Array, start: number, end: number, offset: number, over: number, mentioned: () => boolean): void {
    this.#lines++;
    const found =
      this.#needles !== undefined && (over > 0 || !this.#wanted) && this.#needles.find(bytes, start, end) >= 0;
    if (this.#wanted || this.#needles === undefined || found) {
      this.#places?.add(this.#lines, offset, offset + end - start + over);
      this.#wanted = this.#taker.line(bytes, start, end, this.#lines, offset);
    } else this.#taker.skipped(1);
    if (over > 0 && (found || mentioned())) this.#taker.cut(this.#lines, over, offset + end - start);
  }

  /** `bytes[start, end)` holds whole lines. */
  #whole(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const needles = this.#needles;
      let lineStart = at;
      if (!this.#wanted && needles !== undefined) {
        const hit = needles.find(bytes, at, end);
        const stop = hit < 0 ? end : hit;
        const skipped = countNewlines(bytes, at, stop);
        if (skipped > 0) {
          lineStart = bytes.lastIndexOf(NEWLINE, stop - 1) + 1;
          this.#lines += skipped;
          this.#taker.skipped(skipped);
        }
        if (hit < 0) return;
      }
      const lineEnd = bytes.indexOf(NEWLINE, lineStart);
      const cut = Math.min(lineEnd, lineStart + MAX_LINE_BYTES);
      const offset = this.#before + lineStart;
      if (cut === lineEnd) {
        this.#lines++;
        this.#places?.add(this.#lines, offset, offset + lineEnd - lineStart);
        this.#wanted = this.#taker.line(bytes, lineStart, lineEnd, this.#lines, offset);
      } else if (this.#opensJson(bytes, lineStart, cut, offset)) {
        this.#restOfJson(bytes, cut, lineEnd, offset + cut - lineStart);
        this.#flushJson();
      } else {
        // Beyond the bound nothing is read, so a needle there must not count either.
        const from = cut - (needles?.longest ?? 1) + 1;
        const mentioned = (): boolean => needles === undefined || needles.find(bytes, from, lineEnd) >= 0;
        this.#line(bytes, lineStart, cut, offset, lineEnd - cut, mentioned);
      }
      at = lineEnd + 1;
    }
  }
}

/** Line ends in `bytes[from, to)`, four bytes at a time. */
function countNewlines(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  let at = from;
  for (; at < to && (bytes.byteOffset + at) % 4 !== 0; at++) count += bytes[at] === NEWLINE ? 1 : 0;
  const words = Math.floor((to - at) / 4);
  if (words > 8) {
    const view = new Uint32Array(bytes.buffer, bytes.byteOffset + at, words);
    for (let i = 0; i < words; i++) {
      const x = (view[i] as number) ^ 0x0a0a0a0a;
      // The high bit of each byte that became zero; then the four bits are added up.
      const zero = ~(((x & 0x7f7f7f7f) + 0x7f7f7f7f) | x | 0x7f7f7f7f);
      if (zero !== 0) count += Math.imul((zero >>> 7) & 0x01010101, 0x01010101) >>> 24;
    }
    at += 4 * words;
  }
  for (; at < to; at++) count += bytes[at] === NEWLINE ? 1 : 0;
  return count;
}
