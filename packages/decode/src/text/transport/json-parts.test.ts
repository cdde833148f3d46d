import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonParts, stringsIn } from './json-parts.ts';

const value = fc.oneof(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()));

describe('the values of a line', () => {
  it('are the elements of an array, in one line or one a line', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), values => {
        expect(jsonParts(JSON.stringify(values))).toEqual({ values, rest: '' });
        const [first, ...others] = values.map(v => JSON.stringify(v));
        expect(jsonParts(`[${first ?? ''}${others.length === 0 ? ']' : ','}`)?.values).toEqual([values[0]]);
        for (const other of others) expect(jsonParts(`,${other}]}}`)?.values).toEqual([JSON.parse(other)]);
      }),
    );
  });

  it('are those that are whole where the line is cut', () => {
    const line = JSON.stringify([{ a: 'x' }, { b: '}{][",' }, { c: 1 }]);
    for (let at = 0; at < line.length; at++) {
      const parts = jsonParts(line.slice(0, at));
      const whole = ['{"a":"x"}', '{"b":"}{][\\","}', '{"c":1}'].filter(v => line.indexOf(v) + v.length <= at);
      expect((parts?.values ?? []).length).toBe(whole.length);
    }
  });

  it.each([
    '[    1.234567] mce: [Hardware Error]: CPU 0',
    '{1}[Hardware Error]: event severity: corrected',
    '[Hardware Error]: x',
    '[1,2,3]',
    '"message": "x"',
    '  "message": "x",',
    'text',
    '',
  ])('none in %j', text => {
    expect(jsonParts(text)).toBeUndefined();
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', ',', ':', '\\', 'a', ' ') }), text => {
        const parts = jsonParts(text);
        expect(parts === undefined || parts.values.length > 0).toBe(true);
        expect(stringsIn(text)).toBeInstanceOf(Array);
      }),
    );
  });
});
