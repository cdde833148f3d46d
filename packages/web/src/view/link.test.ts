import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashOf, lookOf } from './link.ts';

test('a link can be read', () => {
  const look = { event: { run: 'a', seq: 81 }, from: -0.2e9, to: 4.1e9, find: 'memory failure' } as const;
  expect(hashOf(look)).toBe('#trace?event=a81&from=-0.2&to=4.1&find=memory+failure');
});
test('what it says is restored', () => {
  const ns = fc.integer({ min: -1e12, max: 1e12 }).map(us => us * 1000);
  const look = fc.record(
    {
      event: fc.record({ run: fc.constantFrom('a' as const, 'b' as const), seq: fc.nat(1e8) }),
      find: fc.string({ minLength: 1, maxLength: 50 }),
      raw: fc.constant(true),
      differences: fc.constant(true),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(look, fc.option(fc.tuple(ns, fc.integer({ min: 1000, max: 1e12 }))), (rest, window) => {
      const [from, span] = window ?? [];
      if (from !== undefined && Math.abs(from) > 8e13) return;
      const whole =
        from === undefined || span === undefined ? rest : { ...rest, from, to: from + Math.ceil(span / 1000) * 1000 };
      const back = lookOf(hashOf(whole));
      expect(back).toEqual(whole);
    }),
  );
});
describe('what is no link, or a hostile one, is left out', () => {
  test.each([
    '',
    '#',
    '#trace',
    '#decode?event=a1',
    '#trace?event=c1',
    '#trace?event=a-1',
    '#trace?event=a99999999999',
    '#trace?from=1',
    '#trace?from=2&to=1',
    '#trace?from=1e9&to=1e10',
    '#trace?from=0&to=999999',
    '#trace?from=NaN&to=Infinity',
    '#trace?raw=2&only=all',
  ])('%s', hash => {
    expect(lookOf(hash)).toEqual({});
  });
  test('what is looked for has a bound', () => {
    expect(lookOf(`#trace?find=${'x'.repeat(9999)}`).find).toHaveLength(200);
  });
});
