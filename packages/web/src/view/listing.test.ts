import { describe, expect, test } from 'vitest';
import { ageWords, type ListedFile, listedRows, type Listing, sizeWords, sumWords } from './listing.ts';

const file = (of: Partial<ListedFile>): ListedFile => ({
  name: 'traces/x.ndjson',
  kind: 'trace',
  state: 'pass',
  size: 20_380,
  changed: 1_000_000,
  scenario: 'amd-deferred',
  about: 'signalled · kernel 7.3.4',
  ...of,
});
const listing = (...files: ListedFile[]): Listing => ({ schemaVersion: 1, folders: [], files, more: 0 });
const ALL = listing(
  file({}),
  file({ state: 'fail', about: 'panicked · kernel 6.19.6', name: 'traces/bad.ndjson' }),
  file({ state: 'running', scenario: 'xen-ce', about: '' }),
  file({ kind: 'matrix', state: 'read', about: '24 cells, 3 failed', name: 'matrices/m.json' }),
  file({ kind: 'other', state: 'read', scenario: '', about: '', name: 'logs/kern.log' }),
  file({ state: 'unread', scenario: '' }),
);

test('a row has a word for what stands in colour, and a name where there is no scenario', () => {
  const rows = listedRows(ALL, '', 1_065_000);
  expect(rows.map(({ state, title, about, size, age }) => [state, title, about, size, age])).toEqual([
    ['PASS', 'amd-deferred', 'signalled · kernel 7.3.4', '20 kB', '1 min'],
    ['FAIL', 'amd-deferred', 'panicked · kernel 6.19.6', '20 kB', '1 min'],
    ['RUNNING', 'xen-ce', '', '20 kB', '1 min'],
    ['', 'amd-deferred', 'matrix · 24 cells, 3 failed', '20 kB', '1 min'],
    ['', 'kern.log', '', '20 kB', '1 min'],
    ['…', 'x.ndjson', 'signalled · kernel 7.3.4', '20 kB', '1 min'],
  ]);
});

test('what is worth a look is summed up first', () => {
  expect(sumWords(ALL.files)).toBe('1 running · 1 fail · 1 pass');
  expect(sumWords([])).toBe('');
});

describe('the filter', () => {
  test.each([
    ['FAIL', 2],
    ['fail 6.19', 1],
    ['running', 1],
    ['matrix', 1],
    ['kern.LOG', 1],
    ['amd signalled', 1],
    ['nothing of it', 0],
    ['  ', 6],
  ])('%j leaves %i', (find, count) => {
    expect(listedRows(ALL, find, 0)).toHaveLength(count);
  });
});

test('whoever named a file, its name stays text', () => {
  const [row] = listedRows(
    listing(file({ name: 'traces/\u001b[2J\u202eevil', scenario: 'a\nb', about: '\u0007' })),
    '',
    0,
  );
  // oxlint-disable-next-line no-control-regex
  expect(`${row?.name}${row?.title}${row?.about}`).not.toMatch(/[\u0000-\u001f\u202e]/);
});

test.each([
  [-5000, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [7_200_000, '2 h'],
  [200_000_000, '2 d'],
])('%i ms are %s', (ms, words) => {
  expect(ageWords(ms)).toBe(words);
});
test.each([
  [999, '999 B'],
  [20_380, '20 kB'],
  [70_000_000, '70.0 MB'],
])('%i bytes are %s', (bytes, words) => {
  expect(sizeWords(bytes)).toBe(words);
});
