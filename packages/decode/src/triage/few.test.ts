import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Few } from './few.ts';

const step = fc.record({ key: fc.nat(5), value: fc.nat(3), drops: fc.boolean() });

test('few entries are those of a Map', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const few = new Few<number, number>();
      const map = new Map<number, number>();
      for (const { key, value, drops } of steps) {
        if (drops) {
          few.drop(value);
          for (const [k, v] of map) if (v === value) map.delete(k);
        } else {
          few.set(key, value);
          map.set(key, value);
        }
        for (let k = 0; k <= 5; k++) expect([few.get(k), few.has(k)]).toEqual([map.get(k), map.has(k)]);
      }
    }),
  );
});
