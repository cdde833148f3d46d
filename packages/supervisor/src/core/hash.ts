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

/** Six bits of a code point, counted from the lowest, and the byte of UTF-8 that holds them. */
const sextet = (c: number, i: number): number => Math.floor(c / 64 ** i) % 64;
const next = (c: number, i: number): number => 0x80 | sextet(c, i);

const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));
const at = (list: Int32Array, i: number): number => list[i] ?? 0;

/** The UTF-8 bytes of a text, padded as FIPS 180-4 5.1.1 says. */
function padded(text: string): Uint8Array {
  // No unit of UTF-16 takes more than three bytes.
  const bytes = new Uint8Array(Math.ceil((text.length * 3 + 9) / 64) * 64);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.codePointAt(i) ?? 0;
    if (c < 0x80) {
      bytes[length++] = c;
      continue;
    }
    if (c < 0x800) bytes[length++] = 0xc0 | sextet(c, 1);
    else {
      if (c < 0x10000) bytes[length++] = 0xe0 | sextet(c, 2);
      else {
        bytes[length++] = 0xf0 | sextet(c, 3);
        bytes[length++] = next(c, 2);
        i++;
      }
      bytes[length++] = next(c, 1);
    }
    bytes[length++] = next(c, 0);
  }
  const out = bytes.subarray(0, Math.ceil((length + 9) / 64) * 64);
  out[length] = 0x80;
  const view = new DataView(out.buffer);
  view.setUint32(out.length - 8, Math.floor((length * 8) / 2 ** 32));
  view.setUint32(out.length - 4, (length * 8) >>> 0);
  return out;
}

/** The SHA-256 of a text's UTF-8 bytes, 64 hex digits. */
export function sha256(text: string): string {
  const bytes = padded(text);
  const view = new DataView(bytes.buffer);
  const h = START.slice();
  const w = new Int32Array(64);
  for (let block = 0; block < bytes.length; block += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(block + i * 4);
    for (let i = 16; i < 64; i++) {
      const a = at(w, i - 15);
      const b = at(w, i - 2);
      const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
      const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
      w[i] = at(w, i - 16) + s0 + at(w, i - 7) + s1;
    }
    let [a, b, c, d] = [at(h, 0), at(h, 1), at(h, 2), at(h, 3)];
    let [e, f, g, k] = [at(h, 4), at(h, 5), at(h, 6), at(h, 7)];
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
    for (const [i, v] of [a, b, c, d, e, f, g, k].entries()) h[i] = at(h, i) + v;
  }
  return Array.from(h, v => (v >>> 0).toString(16).padStart(8, '0')).join('');
}

/** JSON with the keys of every object in order and 64-bit values exact: the same data is the same text. */
export function canonical(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

function inOrder(v: unknown): unknown {
  if (typeof v === 'bigint') return hex64(v);
  if (typeof v !== 'object' || v === null) return v;
  if (Array.isArray(v)) return v.map(inOrder);
  const entries = Object.entries(v).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, of]) => [key, inOrder(of)]));
}

/**
 * The hash of a decision and of all before it: two runs that end in the same one have decided the same, in the same order (I12).
 * @example decisions.reduce(decisionHash, '')
 */
export function decisionHash(before: string, decision: Decision): string {
  return sha256(`${before}\n${canonical(decision)}`);
}
