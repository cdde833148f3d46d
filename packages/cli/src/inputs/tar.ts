/** @module The files of a tar, piece by piece. Sources: POSIX.1-2017, pax, ustar; GNU tar manual, Basic Tar Format. Nothing is written anywhere. */

const BLOCK = 512;
/** A name, or a header of pax, is longer than this only in a damaged archive. */
const MAX_META = 1 << 16;
const MAX_ENTRIES = 2_000_000;

interface TarEntry {
  path: string;
  size: number;
  /** Links and devices hold nothing. */
  type: 'file' | 'folder' | 'other';
}

/** Takes the bytes of one file. */
export interface EntrySink {
  data(bytes: Uint8Array): Promise<void> | undefined;
  /** @param whole false where the archive ended within it */
  end(whole: boolean): Promise<void> | undefined;
}

const latin1 = new TextDecoder('latin1');
const utf8 = new TextDecoder();

function text(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return utf8.decode(end < 0 ? field : field.subarray(0, end));
}

/** A number in octal digits, or in bytes behind a mark where it is too large for them. */
function number(block: Uint8Array, at: number, length: number): number {
  const first = block[at] as number;
  if (first === 0x80) {
    let value = 0;
    for (let i = at + 1; i < at + length; i++) value = value * 256 + (block[i] as number);
    return value;
  }
  const digits = latin1
    .decode(block.subarray(at, at + length))
    .replaceAll('\0', ' ')
    .trim();
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : digits === '' ? 0 : Number.NaN;
}

/** Bytes 148 to 155 hold the sum of all others, and count as blanks. */
function isSound(block: Uint8Array): boolean {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i > 155) sum += block[i] as number;
  return number(block, 148, 8) === sum;
}

/** `27 path=…\n`: members of a pax header. */
function paxOf(bytes: Uint8Array): Map<string, string> {
  const members = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : Number(latin1.decode(bytes.subarray(at, blank)));
    if (!(length > blank - at) || at + length > bytes.length) break;
    const pair = utf8.decode(bytes.subarray(blank + 1, at + length - 1));
    const equals = pair.indexOf('=');
    if (equals > 0) members.set(pair.slice(0, equals), pair.slice(equals + 1));
    at += length;
  }
  return members;
}

/** Reads a tar that comes in pieces, and hands each file to whoever wants it. */
export class TarReader {
  readonly #open: (entry: TarEntry) => EntrySink | undefined;
  readonly #header = new Uint8Array(BLOCK);
  #have = 0;
  /** Bytes of the file that are still to come, and of the blanks behind it. */
  #left = 0;
  #padding = 0;
  #sink: EntrySink | undefined;
  #meta: { of: 'L' | 'x' | 'other'; parts: Uint8Array[] } | undefined;
  #longName: string | undefined;
  #pax = new Map<string, string>();
  #entries = 0;
  #ended = false;
  /** What is wrong with the archive: nothing is read behind that. */
  broken: string | undefined;

  constructor(open: (entry: TarEntry) => EntrySink | undefined) {
    this.#open = open;
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#ended && this.broken === undefined; ) {
      if (this.#left > 0) {
        const part = bytes.subarray(at, at + Math.min(this.#left, bytes.length - at));
        this.#left -= part.length;
        at += part.length;
        if (this.#meta !== undefined) this.#meta.parts.push(part.slice());
        const busy = this.#sink?.data(part);
        if (busy !== undefined) await busy;
        if (this.#left === 0) await this.#fileEnds(true);
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, bytes.length - at);
        this.#padding -= skipped;
        at += skipped;
      } else {
        const part = bytes.subarray(at, at + BLOCK - this.#have);
        this.#header.set(part, this.#have);
        this.#have += part.length;
        at += part.length;
        if (this.#have < BLOCK) continue;
        this.#have = 0;
        await this.#entry(this.#header);
      }
    }
  }

  async end(): Promise<void> {
    if (this.broken !== undefined || this.#ended) return;
    if (this.#left > 0) {
      this.broken = 'it ends in the middle of a file';
      await this.#fileEnds(false);
    } else if (this.#have > 0 || this.#padding > 0) this.broken = 'it ends in the middle of a block';
    else this.broken = 'it ends without the mark of its end';
  }

  async #entry(block: Uint8Array): Promise<void> {
    if (block.every(b => b === 0)) {
      this.#ended = true;
      return;
    }
    const size = number(block, 124, 12);
    if (!isSound(block) || !Number.isSafeInteger(size)) {
      this.broken = `${this.#entries === 0 ? 'it has no header of a tar' : `a header behind its ${this.#entries}th entry is damaged`}`;
      return;
    }
    if (++this.#entries > MAX_ENTRIES) {
      this.broken = `it has more than ${MAX_ENTRIES} entries`;
      return;
    }
    const type = String.fromCharCode(block[156] as number);
    if (type === 'L' || type === 'K' || type === 'x' || type === 'g') {
      if (size > MAX_META) this.broken = 'a name in it is longer than any is';
      this.#meta = { of: type === 'L' || type === 'x' ? type : 'other', parts: [] };
      this.#begin(size);
      if (size === 0) this.#meta = undefined;
      return;
    }
    const prefix = text(block, 257, 5) === 'ustar' && block[263] === 0x30 ? text(block, 345, 155) : '';
    const name = text(block, 0, 100);
    const path = this.#pax.get('path') ?? this.#longName ?? (prefix === '' ? name : `${prefix}/${name}`);
    const real = Number(this.#pax.get('size') ?? size);
    this.#longName = undefined;
    this.#pax = new Map();
    if (!Number.isSafeInteger(real) || real < 0) {
      this.broken = 'the size of a file in it is no number';
      return;
    }
    const isFile = type === '0' || type === '\0' || type === '7';
    // Of the others only those hold bytes that no reader knows.
    const holds = isFile || !/[1-6]/.test(type);
    this.#sink = this.#open({
      path: path.replace(/^(?:\.\/)+/, ''),
      size: holds ? real : 0,
      type: type === '5' || path.endsWith('/') ? 'folder' : isFile ? 'file' : 'other',
    });
    this.#begin(holds ? real : 0);
    if (this.#left === 0) await this.#fileEnds(true);
  }

  #begin(size: number): void {
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
  }

  async #fileEnds(whole: boolean): Promise<void> {
    const meta = this.#meta;
    this.#meta = undefined;
    if (meta !== undefined && whole) {
      const bytes = Buffer.concat(meta.parts);
      if (meta.of === 'L') this.#longName = utf8.decode(bytes).replace(/\0[\s\S]{0,65536}$/, '');
      else if (meta.of === 'x') this.#pax = paxOf(bytes);
    }
    const sink = this.#sink;
    this.#sink = undefined;
    await sink?.end(whole);
  }
}
