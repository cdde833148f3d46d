import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { boundStates, keptStates, markUsed, statesDir, statesLimit } from './kept-states.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'states-'));
  mkdirSync(statesDir(cache));
});
afterEach(() => rmSync(cache, { recursive: true }));

const MIB = 2 ** 20;

/** A state of 1 MiB that was used so many seconds ago. */
function state(name: string, secondsAgo: number): string {
  const path = join(statesDir(cache), name);
  writeFileSync(path, Buffer.alloc(MIB, 1));
  const at = Date.now() / 1000 - secondsAgo;
  utimesSync(path, at, at);
  return path;
}

const names = (): string[] => readdirSync(statesDir(cache)).toSorted();

test('what was not used for the longest time goes first, until the rest fits', () => {
  const [a, b] = [state('a.state', 400), state('b.state', 300)];
  state('c.state', 200);
  const made = state('d.state', 0);
  markUsed(a);
  expect(keptStates(cache).map(s => s.path)[0]).toBe(b);
  expect(boundStates(cache, made, 3.5 * MIB)).toEqual([b]);
  expect(names()).toEqual(['a.state', 'c.state', 'd.state']);
  expect(boundStates(cache, made, 3.5 * MIB)).toEqual([]);
  expect(keptStates(cache).reduce((sum, s) => sum + s.bytes, 0)).toBe(3 * MIB);
});

test('what was just made stays, also where it is too large alone', () => {
  const made = state('old-clock.state', 900);
  state('b.state', 300);
  boundStates(cache, made, 1);
  expect(names()).toEqual(['old-clock.state']);
});

test('what a killed run has left unfinished goes, what is being written does not', () => {
  state('a.state.12.00ff', 3600);
  state('b.state.13.00ff', 1);
  state('a.state', 3600);
  expect(keptStates(cache)).toHaveLength(1);
  boundStates(cache, '', 100 * MIB);
  expect(names()).toEqual(['a.state', 'b.state.13.00ff']);
});

test('without any state there is nothing to do', () => {
  rmSync(statesDir(cache), { recursive: true });
  expect([keptStates(cache), boundStates(cache, '')]).toEqual([[], []]);
  markUsed(join(statesDir(cache), 'a.state'));
  expect(existsSync(statesDir(cache))).toBe(false);
});

test.each([
  [undefined, 8e9],
  ['', 8e9],
  ['2.5', 2.5e9],
  ['-1', 8e9],
  ['much', 8e9],
])('the limit with SYNDROME_STATES_GB=%j is %d bytes', (value, bytes) => {
  expect(statesLimit({ SYNDROME_STATES_GB: value })).toBe(bytes);
});
