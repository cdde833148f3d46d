/** @module SHA-256 (FIPS 180-4) without a library, for names of policies and chains of decisions: pure rooms have no node:crypto. */
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { Decision } from './input.ts';

const primes = (n: number): number[] => {
  const out: number[] = [];
  for (let p = 2; out.length < n; p++) if (out.every(q => p % q !== 0)) out.push(p);
  return out;
};
const fraction = (x: number): number => Math.floor((x - Math.floor(x)) * 2 ** 32) | 0;
/** FIPS 180-4 4.2.2 and 5.3.3: the first 32 bits of the fractions of cube and square roots of primes. */
const K = Int32Array.from(primes(64), p => fraction(Math.cbrt(p)));
const START = Int32Array.from(primes(8), p => fraction(Math.sqrt(p)));

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));
const at = (list: Int32Array, i: number): number => list[i] ?? 0;

/** Six bits of a code point, counted from the lowest, and the byte of UTF-8 that holds them. */
const sextet = (c: number, i: number): number => Math.floor(c / 64 ** i) % 64;
const next = (c: number, i: number): number => 0x80 | sextet(c, i);

/** The bytes of a character in UTF-8. */
function bytesOf(c: number): readonly number[] {
  if (c < 0x80) return [c];
  if (c < 0x800) return [0xc0 | sextet(c, 1), next(c, 0)];
  if (c < 0x10000) return [0xe0 | sextet(c, 2), next(c, 1), next(c, 0)];
  return [0xf0 | sextet(c, 3), next(c, 2), next(c, 1), next(c, 0)];
}

/** A text each of whose characters is a byte of the UTF-8 of another one: mostly that itself. */
function encoded(text: string): string {
  let bytes = '';
  /** From where on nothing is taken yet. */
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 0x80) continue;
    const c = text.codePointAt(i) ?? 0;
    bytes += text.slice(from, i) + String.fromCharCode(...bytesOf(c));
    if (c > 0xffff) i++;
    from = i + 1;
  }
  return from === 0 ? text : bytes + text.slice(from);
}

/** A byte of what is hashed: the text, a bit, zeros, and its length in bits at the end (FIPS 180-4 5.1.1). */
function byteAt(bytes: string, i: number, end: number): number {
  const { length } = bytes;
  if (i < length) return bytes.charCodeAt(i);
  if (i === length) return 0x80;
  return i < end - 8 ? 0 : Math.floor((length * 8) / 256 ** (end - 1 - i)) % 256;
}

/** Takes a block into the hash (FIPS 180-4 6.2.2). @param w the block, in its first 16 words, and room for the schedule */
function compress(h: Int32Array, w: Int32Array): void {
  for (let i = 16; i < 64; i++) {
    const a = at(w, i - 15);
    const b = at(w, i - 2);
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = (at(w, i - 16) + s0 + at(w, i - 7) + s1) | 0;
  }
  let a = at(h, 0);
  let b = at(h, 1);
  let c = at(h, 2);
  let d = at(h, 3);
  let e = at(h, 4);
  let f = at(h, 5);
  let g = at(h, 6);
  let k = at(h, 7);
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (k + s1 + ((e & f) ^ (~e & g)) + at(K, i) + at(w, i)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    // One after the other: a list of eight would be made and taken apart in each round.
    k = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  h[0] = at(h, 0) + a;
  h[1] = at(h, 1) + b;
  h[2] = at(h, 2) + c;
  h[3] = at(h, 3) + d;
  h[4] = at(h, 4) + e;
  h[5] = at(h, 5) + f;
  h[6] = at(h, 6) + g;
  h[7] = at(h, 7) + k;
}

/** The SHA-256 of a text's UTF-8 bytes, 64 hex digits. */
export function sha256(text: string): string {
  const bytes = encoded(text);
  const end = Math.ceil((bytes.length + 9) / 64) * 64;
  const h = START.slice();
  const w = new Int32Array(64);
  for (let block = 0; block < end; block += 64) {
    if (block + 64 <= bytes.length)
      for (let i = 0, j = block; i < 16; i++, j += 4)
        w[i] =
          (bytes.charCodeAt(j) << 24) |
          (bytes.charCodeAt(j + 1) << 16) |
          (bytes.charCodeAt(j + 2) << 8) |
          bytes.charCodeAt(j + 3);
    else
      for (let i = 0, j = block; i < 16; i++, j += 4)
        w[i] =
          (byteAt(bytes, j, end) << 24) |
          (byteAt(bytes, j + 1, end) << 16) |
          (byteAt(bytes, j + 2, end) << 8) |
          byteAt(bytes, j + 3, end);
    compress(h, w);
  }
  let hex = '';
  for (let i = 0; i < 8; i++) for (let j = 24; j >= 0; j -= 8) hex += HEX[(at(h, i) >>> j) & 255] ?? '';
  return hex;
}

/** JSON with the keys of every object in order and 64-bit values exact: the same data is the same text. */
export function canonical(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

function inOrder(v: unknown): unknown {
  if (typeof v === 'bigint') return hex64(v);
  if (typeof v !== 'object' || v === null) return v;
  if (Array.isArray(v)) return v.map(inOrder);
  const of = v as Record<string, unknown>;
  const keys = Object.keys(of).sort();
  // Setting it as a key would set what it inherits from.
  if (keys.includes('__proto__')) return Object.fromEntries(keys.map(key => [key, inOrder(of[key])]));
  const ordered: Record<string, unknown> = {};
  for (const key of keys) {
    const one = of[key];
    ordered[key] = typeof one === 'string' || typeof one === 'number' ? one : inOrder(one);
  }
  return ordered;
}

/**
 * The hash of a decision and of all before it: two runs that end in the same one have decided the same, in the same order (I12).
 * @example decisions.reduce(decisionHash, '')
 */
export function decisionHash(before: string, decision: Decision): string {
  return sha256(`${before}\n${canonical(decision)}`);
}
