import { expect, test } from 'vitest';
import { didYouMean, nearest } from './nearest.ts';

const KNOWN = ['xen-ce', 'intel-ce-logged', 'intel-uc-fatal', 'amd-uc-plain'];

test.each([
  ['xen-cee', 'xen-ce'],
  ['inetl-uc-fatal', 'intel-uc-fatal'],
  ['intel-ce', 'intel-ce-logged'],
  ['amd', 'amd-uc-plain'],
  ['intel', undefined],
  ['nothing-like-it', undefined],
  ['', undefined],
])('nearest to "%s": %s', (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant);
});

test('the hint names one word, else those that begin like it, else all', () => {
  expect(didYouMean('intel-ce', KNOWN)).toBe('Did you mean "intel-ce-logged"?');
  // A part that is missing is likelier than two letters too many.
  expect(nearest('intel-ce', [...KNOWN, 'intel-lmce'])).toBe('intel-ce-logged');
  expect(didYouMean('intel', KNOWN)).toBe('Did you mean one of intel-ce-logged, intel-uc-fatal?');
  expect(didYouMean('', KNOWN)).toBe(`Known: ${KNOWN.join(', ')}.`);
});

test('a word longer than anybody mistypes is near to nothing', () => {
  expect(nearest('x'.repeat(64), ['y'.repeat(64)])).toBeUndefined();
  expect(nearest(`${'x'.repeat(63)}y`, ['x'.repeat(64)])).toBe('x'.repeat(64));
  expect(nearest(`${'x'.repeat(64)}y`, ['x'.repeat(64)])).toBeUndefined();
});
