import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelled, labelledWords } from './wrap.ts';

describe('words behind a label', () => {
  it('stand as a text of them would', () => {
    const word = fc.string({
      unit: fc.constantFrom(...Array.from('abcxyz019=')),
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), fc.integer({ min: 48, max: 100 }), (words, columns) => {
        expect(labelledWords('registers', words, 13, columns)).toEqual(
          labelled('registers', words.join(' '), 13, columns),
        );
      }),
    );
    expect(labelledWords('registers', ['a=0x1', 'b=0x2'])).toEqual(['  registers    a=0x1 b=0x2']);
  });
});
