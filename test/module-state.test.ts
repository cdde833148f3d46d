import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkAllModuleState, checkModuleState, statelessSources } from '../scripts/module-state.ts';
import { roomOf, rooms } from '../scripts/rooms.ts';

const FILE = 'packages/decode/src/mca/a.ts';

const ROOT = join(import.meta.dirname, '..');

test('no module of a room that keeps no state does', () => {
  expect(checkAllModuleState(ROOT)).toEqual([]);
});

test('these rooms are the pure ones, pages, and policy, from both halves of the project', () => {
  const found = new Set(statelessSources(ROOT).map(file => roomOf(file)));
  const pure = Object.keys(rooms).filter(name => rooms[name]?.pure === true);
  expect(found).toEqual(new Set([...pure, 'page', 'policy']));
  expect(pure).toEqual(expect.arrayContaining(['decode', 'trace', 'core']));
});

test.each([
  ['a variable', "let last = '';\nexport const f = (): string => last;"],
  ['an exported variable', 'export let count: number;'],
  ['a cache', 'const known = new Map<string, number>();\nfunction f(s: string): void {\n  known.set(s, 1);\n}'],
  [
    'a cache of a method',
    'const known = new Set<string>();\nclass A {\n  f(s: string): void {\n    known.add(s);\n  }\n}',
  ],
  ['a list', 'const seen: string[] = [];\nexport const f = (s: string): void => void seen.push(s);'],
  ['a member', 'const held = { last: 0 };\nexport function f(n: number): void {\n  held.last += n;\n}'],
  ['an element', 'const room = new Uint8Array(8);\nexport function f(n: number): void {\n  room[n & 7] = n;\n}'],
  ['an element that counts', 'const room = new Uint8Array(8);\nexport function f(n: number): void {\n  room[n]++;\n}'],
  ['Object.assign', 'const held = {};\nexport const f = (o: object): object => Object.assign(held, o);'],
  ['an object with its own state', 'const cursor = new Cursor();'],
  ['a weak cache', 'const known = new WeakMap<object, string>();'],
  ['a static member', 'class A {\n  static last = 0;\n}'],
  ['a static private member', 'class A {\n  static #known = new Map();\n}'],
  ['a sticky expression', 'const WORD = /a/y;\nexport const f = (s: string): boolean => WORD.test(s);'],
  ['one that is global', "const WORD = new RegExp('a', 'g');\nexport const f = (s: string): unknown => WORD.exec(s);"],
])('%s is found', (_, code) => {
  expect(checkModuleState(FILE, code)).toHaveLength(1);
});

test.each([
  [
    'a table that is filled once',
    'const HEX = new Int8Array(256).fill(-1);\nfor (let i = 0; i < 10; i++) {\n  HEX[0x30 + i] = i;\n}',
  ],
  [
    'a constant that is compared',
    'const A = { b: 1 };\nexport const f = (n: number): boolean => A.b === n || A.b >= n;',
  ],
  ['a constant that is read', 'const A = new Map([[1, 2]]);\nexport const f = (n: number): number => A.get(n) ?? 0;'],
  ['a variable of a function', 'export function f(): number {\n  let n = 0;\n  return n++;\n}'],
  ['a member of an object', 'class A {\n  #n = 0;\n  f(): void {\n    this.#n++;\n  }\n}'],
  ['a comment', '// let a = 1;\n/* let b = 1; */'],
  [
    'a global expression that is given to matchAll',
    'const A = /a/g;\nexport const f = (s: string): unknown => s.matchAll(A);',
  ],
  ['a static constant', 'class A {\n  static readonly LAST = 9;\n  static of(): A {\n    return new A();\n  }\n}'],
])('%s is none', (_, code) => {
  expect(checkModuleState(FILE, code)).toEqual([]);
});

test('a test may keep what it likes', () => {
  expect(checkModuleState('packages/decode/src/mca/a.test.ts', 'let n = 0;')).toEqual([]);
});
