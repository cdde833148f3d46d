import { expect, test } from 'vitest';
import { scenarioWord, scenarioWords } from './words.ts';

test('every word of a scenario file says what it is, and so do its members', () => {
  const words = scenarioWords();
  expect(new Set(words).size).toBe(words.length);
  for (const name of words) {
    const word = scenarioWord(name);
    expect(word).toMatchObject({ name, about: expect.stringMatching(/\w/) as string });
    for (const { name: member, about } of word?.members ?? []) expect(`${name} ${member}: ${about}`).toMatch(/: .*\w/);
  }
});

test.each([
  ['map', { name: 'process', needed: true }, 'step'],
  ['amd-host', { name: 'memory', about: 'MiB, of the host layer (default: 1536)' }, 'machine'],
  ['process.signal', { name: 'addr', about: 'address' }, 'event'],
])('%s', (name, member, what) => {
  const word = scenarioWord(name);
  expect(word?.what).toBe(what);
  expect(word?.members).toContainEqual(expect.objectContaining(member));
});

test('other words are none', () => {
  expect([scenarioWord('inject'), scenarioWord('toString'), scenarioWord('')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
