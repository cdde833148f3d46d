/**
 * @module Bytes out of a dump: `hexdump -C`, `hexdump`, `xxd`, `od -x`, `od -t x1` to `x8`, the kernel's print_hex_dump().
 * Offsets are checked, so that no other text passes for one, and so that no row goes missing unseen.
 */
import { LineScanner } from '../text/transport/line-scanner.ts';
import type { LineTaker } from '../text/transport/line-scanner.ts';
import type { ByteSink, ByteText } from './byte-text.ts';

/** How a dump is written, and what begins it. */
export interface DumpLayout {
  /** Of the offsets. */
  base: 8 | 10 | 16;
  /** Whether a group of digits is a little-endian number, and not bytes in their order. */
  words: boolean;
  /** Digits of a group. */
  digits: number;
  /** The first, up to what is wrong. */
  bytes: Uint8Array;
  /** That can be read, also behind what is wrong. */
  rows: number;
}

interface Row {
  offset: string;
  colon: boolean;
  groups: string[];
  /** The last group ends too early; it is not among the others. */
  cut: boolean;
}

/** Bytes that all `*` together may stand for: a few characters must not become endless work. */
const MAX_REPEATED = 1 << 24;
const MAX_GROUPS = 32;
const MAX_ROW = 1024;
/** Of the bytes that a text stands for as many tell what it is. */
const PROBED = 1 << 16;
const ROW = /^([0-9a-fA-F]{6,16})(:?)(?: +|$)(.*)$/;
const HEX = /^[0-9a-fA-F]{1,16}$/;
const GROUP = /^(?:[0-9a-fA-F]{2}){1,8}$/;
const PREFIX = { 8: '0o', 10: '', 16: '0x' } as const;
const DIGITS = { 8: /^[0-7]+$/, 10: /^[0-9]+$/, 16: /^/ } as const;
const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder();

/** The groups of a row, without the characters that some programs print behind them. */
function groupsOf(colon: boolean, rest: string): string[] {
  let text = rest;
  const bar = /(?: {2,}|^)(?:\|.{0,64}\||>.{0,64}<)$/.exec(rest);
  if (bar !== null) text = rest.slice(0, bar.index);
  else if (colon) text = rest.split('  ', 1)[0] ?? '';
  return text.split(/ +/, MAX_GROUPS + 1).filter(g => g !== '');
}

function rowOf(line: string, digits: number | undefined): Row | undefined {
  const m = line.length > MAX_ROW ? null : ROW.exec(line);
  if (m === null) return undefined;
  const colon = m[2] === ':';
  const groups = groupsOf(colon, m[3] ?? '');
  const last = groups.at(-1);
  // Programs fill their last number up.
  const cut = last !== undefined && HEX.test(last) && (last.length % 2 !== 0 || last.length < (digits ?? 0));
  if (cut) groups.pop();
  if (groups.length > MAX_GROUPS || !groups.every(g => GROUP.test(g))) return undefined;
  return { offset: m[1] ?? '', colon, groups, cut };
}

function bytesOf(groups: readonly string[], words: boolean): Uint8Array {
  return Uint8Array.from(
    groups.flatMap(g => {
      const bytes = (g.match(/../g) ?? []).map(d => Number.parseInt(d, 16));
      return words ? bytes.toReversed() : bytes;
    }),
  );
}

/** Reads a dump of a known layout, row by row. */
export class DumpText implements ByteText, LineTaker {
  readonly #layout: Pick<DumpLayout, 'base' | 'words' | 'digits'>;
  readonly #sink: ByteSink;
  readonly #scanner = new LineScanner(this);
  /** Offsets: of the first row, and of the one that has to come next. */
  #first: bigint | undefined;
  #next: bigint | undefined;
  /** The last row, which the next one may cut: od fills its last number up. */
  #held: Uint8Array = new Uint8Array(0);
  #repeat = false;
  #repeatable = MAX_REPEATED;
  /** Rows with bytes that were taken before anything was wrong. */
  rows = 0;

  constructor(layout: Pick<DumpLayout, 'base' | 'words' | 'digits'>, sink: ByteSink) {
    this.#layout = layout;
    this.#sink = sink;
  }

  push(text: Uint8Array): void {
    this.#scanner.push(text);
  }

  end(): void {
    this.#scanner.end();
    this.#flush();
  }

  line(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    const text = decoder.decode(bytes.subarray(start, end)).trim();
    const broken = (why: string | undefined): void => this.#break(why, offset, lineNumber);
    if (text === '*') {
      if (this.#held.length === 0) broken('a `*` without a row before it');
      else this.#repeat = true;
    } else if (text !== '') this.#row(text, broken);
    return false;
  }

  skipped(): void {}

  cut(lineNumber: number, _bytes: number, offset: number): void {
    this.#break('the line is too long for a row of a dump', offset, lineNumber);
  }

  #row(text: string, broken: (why: string | undefined) => void): void {
    const { base, words, digits } = this.#layout;
    const row = rowOf(text, words ? digits : undefined);
    if (row === undefined || !DIGITS[base].test(row.offset)) {
      broken('the line is no row of the dump; it was not read');
      return;
    }
    const offset = BigInt(`${PREFIX[base]}${row.offset}`);
    this.#next ??= offset;
    const ahead = Number(offset - this.#next);
    const ends = row.groups.length === 0 && !row.cut;
    if (this.#repeat && ahead >= 0 && ahead <= this.#repeatable) this.#fill(ahead);
    else if (ends && ahead < 0 && -ahead < Math.min(8, this.#held.length)) {
      this.#held = this.#held.subarray(0, this.#held.length + ahead);
    } else if (ahead !== 0 && offset === this.#first) broken(undefined);
    else if (ahead !== 0) {
      broken(
        this.#repeat
          ? `the \`*\` stand for more than ${MAX_REPEATED} bytes, or for none that can be`
          : ahead > 0
            ? `${ahead} bytes are missing before the row`
            : 'the row is not the one that comes next',
      );
    }
    this.#repeat = false;
    this.#flush();
    this.#first ??= offset;
    this.#held = bytesOf(row.groups, words);
    this.#next = offset + BigInt(this.#held.length);
    if (this.#held.length > 0) this.rows++;
    if (row.cut) broken('the row ends within a group of digits, which was left out');
  }

  /** Repeats the row before as often as fits. */
  #fill(count: number): void {
    const row = this.#held;
    this.#repeatable -= count;
    this.#flush();
    for (let left = count; left > 0; left -= row.length) this.#sink.bytes(row.subarray(0, left));
    this.#held = row.subarray(row.length);
  }

  #break(why: string | undefined, offset: number, lineNumber: number): void {
    this.#flush();
    this.#next = undefined;
    this.#repeat = false;
    this.#sink.broken(why, offset, lineNumber);
  }

  #flush(): void {
    if (this.#held.length > 0) this.#sink.bytes(this.#held);
    this.#held = NOTHING;
  }
}

/** Rows that follow each other further on make a dump of a text whose first two do not: one of them may be missing. */
const SURE_ROWS = 3;

interface Probe {
  rows: number;
  /** Of them those before anything is wrong, and the most that follow each other. */
  sound: number;
  following: number;
  bytes: Uint8Array;
}

/** Which rows of a text can be read in a layout, and the first bytes of them. */
function probe(text: Uint8Array, layout: Pick<DumpLayout, 'base' | 'words' | 'digits'>): Probe {
  const out = new Uint8Array(PROBED);
  let length = 0;
  let sound: number | undefined;
  let since = 0;
  let following = 0;
  const dump: DumpText = new DumpText(layout, {
    bytes(bytes) {
      if (sound !== undefined || length === PROBED) return;
      const part = bytes.subarray(0, PROBED - length);
      out.set(part, length);
      length += part.length;
    },
    broken() {
      sound ??= dump.rows;
      following = Math.max(following, dump.rows - since);
      since = dump.rows;
    },
  });
  dump.push(text);
  dump.end();
  const { rows } = dump;
  return { rows, sound: sound ?? rows, following: Math.max(following, rows - since), bytes: out.slice(0, length) };
}

/**
 * The layouts in which a text can be a dump, the likelier first: groups of digits as bytes in their order (xxd, and every
 * dump of single bytes), or as little-endian numbers (od, hexdump, the kernel). None when it does not begin with two rows
 * that follow each other, or with one and has several further on.
 */
export function dumpLayouts(text: Uint8Array): DumpLayout[] {
  const lines = decoder
    .decode(text.subarray(0, 4 * MAX_ROW))
    .trimStart()
    .split('\n', 1);
  const first = rowOf((lines[0] ?? '').trim(), undefined);
  if (first === undefined || first.groups.length < 2) return [];
  const digits = first.groups[0]?.length ?? 0;
  const words = digits > 2 && !(first.colon && digits === 4);
  const read = ([16, 8, 10] as const).map(base =>
    [words, !words].map(w => ({ base, words: w, digits, ...probe(text, { base, words: w, digits }) })),
  );
  const followingIn = (layouts: readonly Probe[]): number => Math.max(...layouts.map(l => l.following));
  const most = Math.max(...read.map(followingIn));
  // Where one row is missing, the next may be the one that follows if its offset is read as of another base.
  const best = read.find(layouts => followingIn(layouts) === most) ?? [];
  return most >= SURE_ROWS || best.some(l => l.sound >= 2) ? best : [];
}
