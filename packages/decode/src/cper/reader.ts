/**
 * @module Records and status blocks out of bytes that come in pieces; no more than one of them is held. Records are told
 * by their signature; status blocks have none and are told by lengths and severities that can be.
 */
import type { CperDiagnostic } from './error.ts';
import { decodeGhesBlock } from './ghes.ts';
import { GUID_NULL, SECTION_NAMES, guidFromBytes } from './guid.ts';
import type { CperRecord } from './record.ts';
import { RECORD_HEADER_LENGTH, decodeCperRecord, isCperRecord } from './uefi-record.ts';

const BLOCK_HEADER = 20;
const ENTRY_HEADER = 64;
const DESCRIPTOR = 72;

/**
 * Whether a status block can begin at `at`: data entries of a known type, or a severity that exists and entries that fit.
 * @param more these are the first bytes only: the length may be that of what follows
 */
export function looksLikeGhesBlock(bytes: Uint8Array, at = 0, more = false): boolean {
  if (bytes.length - at < BLOCK_HEADER) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
  const dataLength = view.getUint32(12, true);
  const room = bytes.length - at - BLOCK_HEADER;
  if (room < ENTRY_HEADER || dataLength < ENTRY_HEADER) return false;
  const entry = at + BLOCK_HEADER;
  if (SECTION_NAMES[guidFromBytes(bytes, entry)] !== undefined) return true;
  // No section has a type of zeros: in a block that lost its beginning that is where no FRU is named.
  if (bytes.subarray(entry, entry + 16).every(b => b === 0)) return false;
  // An unknown section type: both severities, revision and the lengths have to agree.
  if (view.getUint32(16, true) > 3) return false;
  const severity = view.getUint32(BLOCK_HEADER + 16, true);
  const length = view.getUint32(BLOCK_HEADER + 24, true);
  return (more || dataLength <= room) && severity <= 3 && length <= dataLength - ENTRY_HEADER;
}

/** A record or block, the bytes it was found in, and what is to say of it. */
export interface CperFound {
  offset: number;
  end: number;
  record: CperRecord;
  diagnostics: CperDiagnostic[];
}

interface CperSink {
  record(found: CperFound): void;
  /** Bytes that are neither, and not all zero. */
  gap(offset: number, end: number, diagnostics: CperDiagnostic[]): void;
}

/** `CPER`, a revision, and the end of the signature. */
const SIGNATURE_LENGTH = 10;
/** Bytes that tell what begins at the first of them. */
const TELLING = BLOCK_HEADER + ENTRY_HEADER;

function hasSignature(bytes: Uint8Array, at: number): boolean {
  if (!isCperRecord(bytes, at)) return false;
  for (let i = 6; i < SIGNATURE_LENGTH; i++) if (bytes[at + i] !== 0xff) return false;
  return true;
}

/** First bytes of the types that are known. */
const TYPE_BYTES = new Set(Object.keys(SECTION_NAMES).map(type => Number.parseInt(type.slice(6, 8), 16)));
const MAX_SEVERITY = 3;
const ENTRY_REVISIONS: readonly number[] = [0x201, 0x300];

function isKnownType(bytes: Uint8Array, at: number): boolean {
  return TYPE_BYTES.has(bytes[at] ?? -1) && SECTION_NAMES[guidFromBytes(bytes, at)] !== undefined;
}

/** Whether it can only be a status block that begins at `at`: a known type, and everything beside it as it must be. */
function isSurelyBlock(bytes: Uint8Array, at: number): boolean {
  const entry = at + BLOCK_HEADER;
  if (bytes.length - entry < ENTRY_HEADER || !isKnownType(bytes, entry)) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK_HEADER + ENTRY_HEADER);
  return (
    view.getUint32(16, true) <= MAX_SEVERITY &&
    view.getUint32(BLOCK_HEADER + 16, true) <= MAX_SEVERITY &&
    ENTRY_REVISIONS.includes(view.getUint16(BLOCK_HEADER + 20, true)) &&
    view.getUint32(12, true) >= ENTRY_HEADER + view.getUint32(BLOCK_HEADER + 24, true)
  );
}

/** Where the first record or status block from `from` to `end` begins that is told beyond doubt; -1 when there is none. */
export function findRecord(bytes: Uint8Array, from = 0, end = bytes.length): number {
  for (let at = from; at < end && at + SIGNATURE_LENGTH <= bytes.length; at++) {
    if (hasSignature(bytes, at) || isSurelyBlock(bytes, at)) return at;
  }
  return -1;
}

/**
 * Where what begins here ends: at `end`, or where another record begins within: then the length is wrong, or the end of
 * this one is missing.
 */
function endOf(bytes: Uint8Array, end: number): number {
  if (bytes.length < TELLING) return end;
  return isCperRecord(bytes) ? endOfRecord(bytes, end) : endOfBlock(bytes, end);
}

/** A section of a type that is not known may hold a record; nothing else of a record does. */
function endOfRecord(bytes: Uint8Array, end: number): number {
  if (end < RECORD_HEADER_LENGTH) return end;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.min(view.getUint16(10, true), Math.floor((end - RECORD_HEADER_LENGTH) / DESCRIPTOR));
  const opaque: (readonly [from: number, to: number])[] = [];
  for (let i = 0; i < count; i++) {
    const at = RECORD_HEADER_LENGTH + i * DESCRIPTOR;
    const from = view.getUint32(at, true);
    const to = from + view.getUint32(at + 4, true);
    if (to <= end && !isKnownType(bytes, at + 16)) opaque.push([from, to]);
  }
  let at = bytes.indexOf(0x43, RECORD_HEADER_LENGTH);
  for (; at >= 0 && at < end; at = bytes.indexOf(0x43, at + 1)) {
    const here = at;
    if (hasSignature(bytes, here) && !opaque.some(([from, to]) => from <= here && here < to)) return here;
  }
  return end;
}

/** Among data entries of a known type, and behind them. */
function endOfBlock(bytes: Uint8Array, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const last = Math.min(end, BLOCK_HEADER + view.getUint32(12, true));
  let at = BLOCK_HEADER;
  while (at + ENTRY_HEADER <= last) {
    const none = guidFromBytes(bytes, at) === GUID_NULL;
    if (hasSignature(bytes, at) || isSurelyBlock(bytes, at)) return at;
    const header = view.getUint16(at + 20, true) < 0x300 ? ENTRY_HEADER : ENTRY_HEADER + 8;
    const stop = none ? last : Math.min(last, at + header + view.getUint32(at + 24, true));
    if (none || isKnownType(bytes, at)) {
      // The end of a section and the entry behind it look like a block where the header of that would begin.
      let next = findRecord(bytes, at, stop);
      if (next === stop - BLOCK_HEADER && !none && stop < last) next = findRecord(bytes, next + 1, stop);
      if (next >= 0) return next;
    }
    at = stop;
  }
  return end;
}

/** How many bytes tell what begins here, and all of it; Infinity where nothing says how long it is. */
function needed(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) return 4;
  if (isCperRecord(bytes)) {
    if (bytes.length < RECORD_HEADER_LENGTH) return RECORD_HEADER_LENGTH;
    const length = view.getUint32(20, true);
    return length < RECORD_HEADER_LENGTH ? Number.POSITIVE_INFINITY : length;
  }
  const least = BLOCK_HEADER + ENTRY_HEADER;
  if (bytes.length < least) return least;
  if (!looksLikeGhesBlock(bytes, 0, true)) return 0;
  const raw = view.getUint32(8, true) === 0 ? 0 : view.getUint32(4, true) + view.getUint32(8, true);
  return Math.max(BLOCK_HEADER + view.getUint32(12, true), raw);
}

/** What comes out does not depend on how the bytes are cut into pieces. Never throws. */
export class CperReader {
  readonly #sink: CperSink;
  readonly #limit: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** Byte of the input that `#bytes` begins with. */
  #offset = 0;
  /** Nothing can be told before so many bytes are there. */
  #need = 0;
  #state: 'record' | 'zeros' | 'gap' = 'record';
  #gap: { offset: number; diagnostics: CperDiagnostic[] } = { offset: 0, diagnostics: [] };

  /**
   * @param limit bytes held of one record; what stands behind them is left out, and said
   * @param offset where in the input the bytes begin
   */
  constructor(sink: CperSink, limit = Number.POSITIVE_INFINITY, offset = 0) {
    this.#sink = sink;
    this.#limit = limit;
    this.#offset = offset;
  }

  /** Takes any part of the input; bytes are not kept. */
  push(chunk: Uint8Array): void {
    // So that of a record no more than the limit is there when it is read, however long the pieces are.
    for (let at = 0; at < chunk.length; at += this.#limit) this.#push(chunk.subarray(at, at + this.#limit));
  }

  /** The input ended: reads what is there. */
  end(): void {
    this.#read(true);
    if (this.#state === 'gap') this.#endGap(this.#offset + this.#length);
    this.#state = 'record';
  }

  #push(chunk: Uint8Array): void {
    if (this.#length === 0) {
      this.#bytes = chunk;
      this.#length = chunk.length;
    } else {
      if (this.#bytes.length < this.#length + chunk.length) {
        const bigger = new Uint8Array(2 * (this.#length + chunk.length));
        bigger.set(this.#bytes.subarray(0, this.#length));
        this.#bytes = bigger;
      }
      this.#bytes.set(chunk, this.#length);
      this.#length += chunk.length;
    }
    if (this.#length < this.#need) return;
    this.#read(false);
    this.#bytes = this.#bytes.slice(0, this.#length);
  }

  #drop(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
    this.#length -= count;
    this.#offset += count;
    this.#need = 0;
  }

  #read(ended: boolean): void {
    while (this.#length > 0) {
      if (this.#state === 'gap') {
        if (!this.#findNext(ended)) return;
      } else if (this.#state === 'zeros') {
        if (!this.#passZeros()) return;
      } else if (!this.#readOne(ended)) return;
    }
  }

  /** Reads what begins here; false when more bytes have to come. */
  #readOne(ended: boolean): boolean {
    const there = this.#bytes.subarray(0, Math.min(this.#length, this.#limit));
    const need = needed(there);
    // Whether another begins before this one could end shows in the bytes behind it.
    const more = need + TELLING - 1;
    if (there.length < more && there.length < this.#limit && !ended) {
      this.#need = Math.min(more, this.#limit);
      return false;
    }
    const offset = this.#offset;
    const whole = Math.min(there.length, need === 0 ? there.length : need);
    const bytes = there.subarray(0, endOf(there, whole));
    const read = isCperRecord(there)
      ? decodeCperRecord(bytes, offset)
      : looksLikeGhesBlock(there)
        ? decodeGhesBlock(bytes, offset)
        : undefined;
    if (read?.value !== undefined) {
      const end = offset + read.length;
      const { diagnostics } = read;
      const next = bytes.length < whole;
      if (next) {
        const message =
          'another record begins here, before this one could end: its length is wrong, or a part is missing';
        diagnostics.push({ code: 'E_CPER_LENGTH', message, offset: end });
      }
      const cut = !next && need > there.length && there.length >= this.#limit;
      if (cut) {
        const message = `the record is longer than the ${this.#limit} bytes that are held of one; the rest was not read`;
        diagnostics.push({ code: 'E_CPER_LIMIT', message, offset: end });
      }
      this.#drop(read.length);
      this.#sink.record({ offset, end, record: read.value, diagnostics });
      if (cut) this.#startGap([]);
      return true;
    }
    // A block may begin with zero bytes: on to the word that holds the first other byte.
    if (there[0] === 0 && there[1] === 0 && there[2] === 0 && there[3] === 0) this.#state = 'zeros';
    else if (there.some(b => b !== 0)) this.#startGap(read?.diagnostics ?? []);
    else this.#drop(this.#length);
    return true;
  }

  #passZeros(): boolean {
    const first = this.#bytes.subarray(0, this.#length).findIndex(b => b !== 0);
    const next = first < 0 ? this.#length : first;
    this.#drop(next - (next % 4));
    if (first >= 0) this.#state = 'record';
    // Fewer than four zeros are left, and nothing behind them yet.
    return first >= 0;
  }

  #startGap(diagnostics: CperDiagnostic[]): void {
    this.#state = 'gap';
    this.#gap = { offset: this.#offset, diagnostics };
  }

  #findNext(ended: boolean): boolean {
    const there = this.#bytes.subarray(0, this.#length);
    // Where the gap begins nothing could be read.
    const found = findRecord(there, this.#gap.offset === this.#offset ? 1 : 0);
    // One that begins behind this would not be whole enough to be told, so that it depends on what is to come.
    const told = Math.max(0, this.#length - TELLING + 1);
    if (found >= 0 && (ended || found < told)) {
      this.#drop(found);
      this.#endGap(this.#offset);
      this.#state = 'record';
      return true;
    }
    if (!ended && told > 0) this.#drop(told);
    return false;
  }

  #endGap(end: number): void {
    const { offset, diagnostics } = this.#gap;
    const message = `${end - offset} bytes are neither an error record nor a status block`;
    if (end > offset) this.#sink.gap(offset, end, [...diagnostics, { code: 'E_CPER_UNKNOWN', message, offset }]);
  }
}
