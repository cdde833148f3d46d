/** @module Syndromes from words, as a person writes them: `sea write walk=3`, `serror uer`, `esr EC=DABT_LOW DFSC=0x10`. */
import { fits } from '../registers/address.ts';
import { parseU64 } from '../common/hex.ts';
import { encodeEsr } from './encode.ts';
import { ArmError } from './errors.ts';
import { ESR, ISS_DATA_ABORT, syndromeTables } from './esr.ts';
import { EC, exceptionClassByName } from './exception-class.ts';

/** A syndrome and the level whose ESR it is. */
interface WordedEsr {
  esr: bigint;
  el: 1 | 2;
}

const SEA_HINT =
  'sea: data or instruction; read or write; el0, el1 or guest (whose access it is); walk=-1 to 3; parity; uer, ueo or uc; fnv; ea; s1ptw.';
const SERROR_HINT = 'serror: uc, ueu, ueo, uer or ce; uncategorized; iss=N for a format of the CPU maker; ea.';

function wrong(word: string, hint: string): ArmError {
  return new ArmError('E_ARM_WORD', `${word} says nothing about this syndrome`, { hint });
}

/** Widths of the fields of ESR. */
const ISS_BITS = 24;
const EC_BITS = 6;

const SET: Readonly<Record<string, bigint>> = { uer: 0n, uc: 2n, ueo: 3n };
const AET: Readonly<Record<string, bigint>> = { uc: 0n, ueu: 1n, ueo: 2n, uer: 3n, ce: 6n };

function sea(words: readonly string[]): WordedEsr {
  let instruction = false;
  let from: 'el0' | 'el1' | 'guest' = 'el0';
  let parity = false;
  let level: number | undefined;
  const iss: Record<string, bigint | boolean> = {};
  for (const word of words) {
    const walk = /^walk=(-1|[0-3])$/.exec(word);
    if (walk !== null) level = Number(walk[1]);
    else if (word === 'el0' || word === 'el1' || word === 'guest') from = word;
    else if (word === 'instruction') instruction = true;
    else if (word === 'write') iss['WnR'] = true;
    else if (word === 'parity') parity = true;
    else if (word === 'fnv') iss['FnV'] = true;
    else if (word === 'ea') iss['EA'] = true;
    else if (word === 's1ptw') iss['S1PTW'] = true;
    else if (Object.hasOwn(SET, word)) iss['SET'] = SET[word] ?? 0n;
    else if (word !== 'data' && word !== 'read') throw wrong(word, SEA_HINT);
  }
  if (instruction && iss['WnR'] === true) throw wrong('write', 'An instruction fetch is no write.');
  const [same, lower] = instruction ? [EC.IABT_CUR, EC.IABT_LOW] : [EC.DABT_CUR, EC.DABT_LOW];
  // DDI 0487 D24.2.40: 0x10 and 0x18 for the access, 0x14 and 0x1c plus the level for a walk.
  const code = (parity ? 0x18 : 0x10) + (level === undefined ? 0 : 4 + level);
  iss[instruction ? 'IFSC' : 'DFSC'] = BigInt(code);
  return { esr: encodeEsr({ ec: from === 'el1' ? same : lower, iss }), el: from === 'guest' ? 2 : 1 };
}

function serror(words: readonly string[]): WordedEsr {
  let aet = 0n;
  let ea = false;
  let uncategorized = false;
  let own: bigint | undefined;
  for (const word of words) {
    const iss = /^iss=(.+)$/.exec(word);
    if (iss !== null) {
      own = parseU64(iss[1] ?? '');
      if (own === undefined || !fits(own, ISS_BITS)) throw wrong(word, 'iss is a number of 24 bits.');
    } else if (word === 'uncategorized') uncategorized = true;
    else if (word === 'ea') ea = true;
    else if (Object.hasOwn(AET, word)) aet = AET[word] ?? 0n;
    else throw wrong(word, SERROR_HINT);
  }
  const plain = uncategorized ? {} : { AET: aet, EA: ea, DFSC: 0x11n };
  return { esr: encodeEsr({ ec: EC.SERROR, iss: own === undefined ? plain : { IDS: true, IMPDEF: own } }), el: 1 };
}

function fields(all: readonly string[]): WordedEsr {
  const el = all.includes('el2') ? 2 : 1;
  const words = all.filter(w => w !== 'el1' && w !== 'el2');
  const pairs = words.map(w => /^([A-Za-z0-9]{1,16})(?:=(.{1,32}))?$/.exec(w));
  const class_ = pairs.find(p => p?.[1]?.toUpperCase() === 'EC')?.[2];
  if (class_ === undefined) throw wrong(words[0] ?? 'esr', 'Name the exception class: EC=DABT_LOW, EC=0x24, ….');
  const number = parseU64(class_);
  const ec = number === undefined ? (exceptionClassByName(class_.toUpperCase())?.value ?? class_) : Number(number);
  const isTop = (p: RegExpExecArray | null): boolean => ['ISV', 'IDS'].includes(p?.[1]?.toUpperCase() ?? '');
  const top = pairs.some(p => isTop(p) && p?.[2] !== '0');
  const probe =
    typeof ec === 'number'
      ? ESR.encode({ EC: BigInt.asUintN(EC_BITS, BigInt(ec)), ISS: top ? ISS_DATA_ABORT.masks.ISV : 0n })
      : 0n;
  const tables = syndromeTables(probe);
  const iss: Record<string, bigint | boolean> = {};
  const iss2: Record<string, bigint | boolean> = {};
  let il = true;
  for (const [i, pair] of pairs.entries()) {
    const name = pair?.[1]?.toUpperCase() ?? '';
    const value = pair?.[2] === undefined ? 1n : parseU64(pair[2]);
    const at = [
      [tables.iss, iss],
      [tables.iss2, iss2],
    ] as const;
    const found = at
      .map(([table, into]) => [table.fields.find(f => f.name.toUpperCase() === name), into] as const)
      .find(([field]) => field !== undefined);
    if (name === 'EC') continue;
    if (name === 'IL' && value !== undefined) il = value !== 0n;
    else if (found?.[0] === undefined || value === undefined) {
      const known = [...tables.iss.fields, ...tables.iss2.fields].map(f => f.name);
      throw wrong(words[i] ?? '', `Fields of the class: ${['EC', 'IL', ...known].join(' ')}.`);
    } else found[1][found[0].name] = found[0].kind === 'bit' ? value !== 0n : value;
  }
  return { esr: encodeEsr({ ec, il, iss, iss2 }), el };
}

/**
 * The syndrome that words describe; the first says of what kind. Undefined when that is none of sea, serror and esr.
 * Throws
 * {@link ArmError} for a word that is not understood, RegisterError for a value that does not fit.
 */
export function esrOfWords(words: readonly string[]): WordedEsr | undefined {
  const [kind, ...rest] = words;
  if (kind === 'sea') return sea(rest);
  if (kind === 'serror') return serror(rest);
  return kind === 'esr' ? fields(rest) : undefined;
}
