import { describe, expect, test } from 'vitest';
import { fill } from './fill.ts';
import { exceptSchema, labelOf, paramsSchema, pointsOf, sizeOf, spaceOf, valuesOf } from './space.ts';

const PARAMS = {
  kill: ['early', 'late'],
  page: { anon: { lsb: 12, after: ['touch'] }, huge: { lsb: 21, after: ['touch', 'verify'] } },
  cpus: [1, 2],
};

describe('a space', () => {
  const space = spaceOf(PARAMS, [
    { page: 'huge', kill: ['late'] },
    { cpus: 2, page: 'anon' },
  ]);

  test('has the points of its axes, the first one slowest, without what is left out', () => {
    expect(sizeOf(space)).toBe(8);
    expect([...pointsOf(space)].map(labelOf)).toEqual(['early anon 1', 'early huge 1', 'early huge 2', 'late anon 1']);
  });
  test('gives values and their fields names', () => {
    expect(Object.fromEntries(valuesOf(space, { kill: 'late', page: 'huge', cpus: '2' }))).toEqual({
      kill: 'late',
      page: 'huge',
      'page.lsb': 21,
      'page.after': ['touch', 'verify'],
      cpus: 2,
    });
  });
  test.each([
    [{ page: [] }],
    [{ page: {} }],
    [{ Page: ['a'] }],
    [{ page: ['a b'] }],
    [{ page: ['../a'] }],
    [{ page: { a: { 'b c': 1 } } }],
    [{ page: 'a' }],
  ])('is not made of %j', params => {
    expect(paramsSchema.safeParse(params).success).toBe(false);
  });
  test('takes one value or several in what is left out', () => {
    expect(exceptSchema.safeParse([{ page: 'a', kill: ['b', 'c'] }]).success).toBe(true);
  });
});

describe('a document', () => {
  const values = new Map<string, unknown>([
    ['n', 5],
    ['word', 'x'],
    ['list', [{ a: 1 }, { b: 2 }]],
    ['none', null],
    ['map', { k: ['v'] }],
  ]);
  const faults: string[] = [];
  const filled = (document: unknown) =>
    fill(document, {
      value: name => values.get(name),
      origin: name => ['params', name],
      fault: (path, message) => faults.push(`${path.join('.')}: ${message}`),
    });

  test('gets values of their types, lists in place, and nothing for nothing', () => {
    const { value } = filled({
      steps: ['${list}', { 'within ${n}s': 'a ${word} b' }, '${none}', '${n}'],
      one: '${none}',
      of: '${map}',
      kept: null,
      saved: '$page and $page.virt',
    });
    expect(value).toEqual({
      steps: [{ a: 1 }, { b: 2 }, { 'within 5s': 'a x b' }, 5],
      of: { k: ['v'] },
      kept: null,
      saved: '$page and $page.virt',
    });
    expect(faults).toEqual([]);
  });
  test('tells where each part of it stands', () => {
    const { placeOf } = filled({ steps: ['${list}', { c: '${map}' }, { 'd${n}': 1 }] });
    expect(placeOf(['steps', 1, 'b'])).toEqual(['params', 'list', 1, 'b']);
    expect(placeOf(['steps', 2, 'c', 'k', 0])).toEqual(['params', 'map', 'k', 0]);
    expect(placeOf(['steps', 3, 'd5'])).toEqual(['steps', 2, 'd${n}']);
  });
  test('tells what it cannot fill', () => {
    filled({ a: ['${nothing}', 'x ${list}'] });
    expect(faults.splice(0)).toEqual([
      'a.0: there is no parameter "nothing"',
      'a.1: ${list} is a list or a map, and stands in a text',
    ]);
  });
});
