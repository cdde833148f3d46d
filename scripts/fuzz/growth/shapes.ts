/** Texts that a parser may find hard, of any length: runs of what it looks for, in and around lines that it knows. */
import type { Chance } from '../../chance.ts';

export interface Shape {
  /** For the table. */
  name: string;
  make: (size: number) => string;
}

/** What is repeated; `§` becomes the number of the repetition, so that no two are alike. */
const UNITS: readonly string[] = [
  [' ', '\t', '\r', '\n', '\0', '\u001b', '\u2028', '\u00a0', 'é', '\ufffd', '0', '9', 'a', 'F', 'x', '_'],
  ['[', ']', '(', ')', '{', '}', '<', '>', '"', "'", '`', '\\', '/', '|', '#', '$', '%', '&', '*', '+', '-', '.'],
  [',', ';', ':', '=', '?', '!', '@', '~', '^'],
  ['0x', '0x0 ', 'a ', 'a=', 'a=1 ', 'a: ', 'a:1,', '[ ', '] ', '[a] ', '(a) ', '""', '"a" ', "'a' ", '\\"', '\\n'],
  ['\r\n', ' \n', '\n ', 'a\n', '- ', '..', '::', '//', '/a', '%41', '\u001b[', '\u001b[0m', '<a>', '</a>', '<a '],
  ['{"a":', '{"a":1}', '[[', '{}', '[]', 'é ', '😀', '§', '§,', '§ ', 'a§=1 ', 'a§: 1\n', '[§]', '"a§":1,', '<§>'],
].flat();

const repeated = (unit: string, size: number): string => {
  if (!unit.includes('§')) return unit.repeat(Math.max(1, Math.ceil(size / unit.length)));
  const parts: string[] = [];
  let length = 0;
  for (let n = 0; length < size; n++) {
    const part = unit.replaceAll('§', String(n));
    length += part.length;
    parts.push(part);
  }
  return parts.join('');
};

const shown = (text: string): string => {
  const quoted = JSON.stringify(text);
  return quoted.length > 60 ? `${quoted.slice(0, 28)}…${quoted.slice(-28)}` : quoted;
};

const ROWS = 10;

/** A shape of chance: the first ones are a run of each unit alone. */
export function shapeOf(chance: Chance, n: number, seeds: readonly string[]): Shape {
  if (n < UNITS.length) {
    const unit = UNITS[n] ?? ' ';
    return { name: `${shown(unit)} again and again`, make: size => repeated(unit, size) };
  }
  const seed = seeds.length === 0 ? '' : chance.pick(seeds);
  // Where something begins or ends; a cut in the middle of a word only sometimes.
  const edges = [...seed.matchAll(/\b|$|(?<=\W)/g)].map(m => m.index);
  const at = chance.oneIn(4) ? chance.below(seed.length + 1) : chance.pick(edges);
  const word = /^\W?\w*\W?/.exec(seed.slice(at))?.[0] ?? '';
  const unit = chance.oneIn(4) && word !== '' ? word : chance.pick(UNITS);
  const [head, tail] = [seed.slice(0, at), chance.oneIn(2) ? seed.slice(at) : chance.pick(['', '!', '\u2028x', '"'])];
  const about = `${shown(head)} + ${shown(unit)} × n + ${shown(tail)}`;
  const line = (size: number): string => head + repeated(unit, size - head.length - tail.length) + tail;
  switch (chance.below(6)) {
    case 0: {
      const other = chance.pick(UNITS);
      const half = (size: number): string => repeated(unit, size / 2) + repeated(other, size / 2 - head.length);
      return { name: `${about}, ${shown(other)} × n`, make: size => head + half(size) + tail };
    }
    case 1:
      return { name: `${ROWS} lines of ${about}`, make: size => `${line(size / ROWS)}\n`.repeat(ROWS) };
    case 2: {
      const block = `${head}${unit}${tail}`;
      return { name: `(${about}) again and again`, make: size => repeated(block === '' ? ' ' : block, size) };
    }
    case 3:
      return { name: `lines of ${about}`, make: size => repeated(`${head}${unit}${tail}\n`, size) };
    case 4: {
      const first = chance.pick(seeds.length === 0 ? [''] : seeds);
      return {
        name: `${shown(first)}, lines of ${about}`,
        make: size => `${first}\n${repeated(`${head}${unit}${tail}\n`, size)}`,
      };
    }
    default:
      return { name: about, make: line };
  }
}
