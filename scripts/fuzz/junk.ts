/** Anything: texts, JSON values and chunks of bytes that nobody has promised, and ways to spoil good ones. */
import { stringify } from '@syndrome/decode/common/hex.ts';
import type { Chance } from '../chance.ts';

/** Keys that mean something to JavaScript itself. */
export const HOSTILE_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'then'];

const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  'NaN',
  '0x',
  '0xffffffffffffffff',
  '18446744073709551616',
  '\0',
  '\r\n',
  '\u001b[2J',
  '\u202e',
  '\ud800',
  '%zz',
  '../../x',
  'undefined',
  '__proto__',
];

/** A number as JSON may hold it. */
export function anyNumber(chance: Chance): number {
  switch (chance.below(6)) {
    case 0:
      return chance.below(16);
    case 1:
      return -chance.below(1000);
    case 2:
      return Number(chance.u64());
    case 3:
      return chance.u32() / 7;
    case 4:
      return chance.pick([Number.MAX_SAFE_INTEGER, 2 ** 53, 1e308, -0, 0xffff_ffff, 2 ** 31]);
    default:
      return chance.u32();
  }
}

/** A short text. */
export function anyText(chance: Chance): string {
  switch (chance.below(5)) {
    case 0:
      return chance.pick(TEXTS);
    case 1:
      return String.fromCharCode(...Array.from(chance.bytes(chance.below(12)), b => 0x20 + (b % 0x5f)));
    case 2:
      return String.fromCharCode(...Array.from({ length: chance.below(6) }, () => chance.below(0x10000)));
    case 3:
      return `0x${chance.u64().toString(16)}`;
    default:
      return String.fromCharCode(...Array.from(chance.bytes(1 + chance.below(8)), b => 0x61 + (b % 26)));
  }
}

/** A JSON value; its objects have these keys, and hostile ones. */
export function anyJson(chance: Chance, keys: readonly string[] = [], depth = 0): unknown {
  switch (chance.below(depth > 3 ? 6 : 8)) {
    case 0:
    case 1:
      return anyText(chance);
    case 2:
      return anyNumber(chance);
    case 3:
      return null;
    case 4:
      return chance.oneIn(2);
    case 5:
      return keys.length > 0 ? chance.pick(keys) : '';
    case 6:
      return Array.from({ length: chance.below(4) }, () => anyJson(chance, keys, depth + 1));
    default: {
      const out: [string, unknown][] = [];
      for (let n = chance.below(5); n > 0; n--) {
        const key = chance.oneIn(4) || keys.length === 0 ? chance.pick(HOSTILE_KEYS) : chance.pick(keys);
        out.push([key, anyJson(chance, keys, depth + 1)]);
      }
      return Object.fromEntries(out);
    }
  }
}

/** A copy of a JSON value in which a few places are other values, missing, or twice there. */
export function spoiledJson(chance: Chance, value: unknown, keys: readonly string[] = []): unknown {
  // Counted first, so that each place is as likely as the others.
  let places = 0;
  const count = (v: unknown): void => {
    places++;
    if (typeof v === 'object' && v !== null) Object.values(v).forEach(count);
  };
  count(value);
  const hit = new Set(Array.from({ length: chance.below(3) }, () => chance.below(places)));
  let at = 0;
  const copy = (v: unknown): unknown => {
    if (hit.has(at++)) return anyJson(chance, keys);
    if (Array.isArray(v)) {
      const out: unknown[] = v.map(copy);
      if (out.length > 0 && chance.oneIn(16)) {
        const i = chance.below(out.length);
        if (chance.oneIn(2)) out.splice(i, 1);
        else out.splice(i, 0, out[chance.below(out.length)]);
      }
      return out;
    }
    if (typeof v !== 'object' || v === null) return v;
    const entries = Object.entries(v).map(([k, inner]): [string, unknown] => [k, copy(inner)]);
    if (chance.oneIn(16) && entries.length > 0) entries.splice(chance.below(entries.length), 1);
    if (chance.oneIn(16)) entries.push([chance.pick(HOSTILE_KEYS), anyJson(chance, keys)]);
    return Object.fromEntries(entries);
  };
  return copy(value);
}

/** A text with some characters changed, cut out, doubled or taken from another one. */
export function spoiledText(chance: Chance, text: string, others: readonly string[] = [text]): string {
  let out = text;
  for (let changes = chance.below(5); changes > 0; changes--) {
    const at = chance.below(out.length + 1);
    const rest = out.slice(at);
    switch (chance.below(6)) {
      case 0:
        out = out.slice(0, at) + anyText(chance) + rest.slice(1);
        break;
      case 1:
        out = out.slice(0, at) + rest.slice(chance.below(30));
        break;
      case 2:
        out = out.slice(0, at) + rest.slice(0, chance.below(60)) + rest;
        break;
      case 3: {
        const other = chance.pick(others);
        const from = chance.below(other.length + 1);
        out = out.slice(0, at) + other.slice(from, from + chance.below(80)) + rest;
        break;
      }
      case 4:
        out = out.slice(0, at) + String.fromCharCode(chance.below(0x100)) + rest;
        break;
      default:
        if (chance.oneIn(3)) out = out.slice(0, at);
    }
  }
  return out.slice(0, 8192);
}

/** The bytes in pieces: all at once, one by one, or any. */
export function chunks(chance: Chance, bytes: Uint8Array): Uint8Array[] {
  // One by one is as good on few bytes as on many.
  const least = bytes.length > 200 ? 40 : 1;
  const most = chance.pick([least, 3 * least, 64, 300, bytes.length + 1]);
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + chance.below(most);
    // Each in memory of its own, as a socket gives it.
    out.push(bytes.slice(at, at + length));
    at += length;
  }
  return out;
}

/** A value as text that shows every difference: bigint apart from number, undefined apart from missing. */
export function image(value: unknown): string {
  return (
    JSON.stringify(value, (_key, v: unknown) => {
      if (typeof v === 'bigint') return `${v}n`;
      if (v === undefined) return '(undefined)';
      if (v instanceof Map) return { map: [...v] };
      if (v instanceof Set) return { set: [...v] };
      if (v instanceof Error) return { error: v.name, message: v.message };
      if (typeof v === 'number' && !Number.isFinite(v)) return `(${v})`;
      return v;
    }) ?? '(undefined)'
  );
}

/** JSON as this project writes it. */
export const wire = (value: unknown): string => stringify(value);
