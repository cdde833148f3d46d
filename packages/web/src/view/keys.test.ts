import { expect, test } from 'vitest';
import { commandOf, DECODE_KEYS, groupsOf, MATRIX_KEYS, TRACE_KEYS } from './keys.ts';

const press = (key: string, more: object = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

test.each([{ rows: TRACE_KEYS }, { rows: DECODE_KEYS }, { rows: MATRIX_KEYS }])(
  'each key means one thing, and each command has a key',
  ({ rows }) => {
    const keys = rows.flatMap(row => [...row.keys]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(rows.map(row => row.command)).size).toBe(rows.length);
  },
);
test('a key is bound by the table', () => {
  expect(commandOf(TRACE_KEYS, press('j'), false)).toBe('next');
  expect(commandOf(TRACE_KEYS, press('?'), false)).toBe('keys');
  expect(commandOf(TRACE_KEYS, press('q'), false)).toBeUndefined();
});
test('what belongs to the browser stays with it, and text is typed', () => {
  expect(commandOf(TRACE_KEYS, press('c', { ctrlKey: true }), false)).toBeUndefined();
  expect(commandOf(TRACE_KEYS, press('a', { metaKey: true }), false)).toBeUndefined();
  expect(commandOf(TRACE_KEYS, press('j'), true)).toBeUndefined();
  expect(commandOf(TRACE_KEYS, press('Escape'), true)).toBe('escape');
});
test('the table is shown whole', () => {
  expect(groupsOf(TRACE_KEYS).flatMap(([, rows]) => rows)).toHaveLength(TRACE_KEYS.length);
});
