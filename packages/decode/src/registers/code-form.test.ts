import { describe, expect, it } from 'vitest';
import { codeForm } from './code-form.ts';

describe('a form of an error code', () => {
  const cache = codeForm('000F 0001 RRRR TTLL');

  it('is told by its digits, whatever the fields hold', () => {
    expect([0x0100, 0x01ff, 0x1135].map(code => cache.has(code))).toEqual([true, true, true]);
    expect([0x0000, 0x0300, 0x2134, 0x00ff].map(code => cache.has(code))).toEqual([false, false, false, false]);
  });

  it('gives its fields by their letters', () => {
    expect(['R', 'T', 'L', 'F', 'C'].map(letter => cache.of(letter, 0x1174))).toEqual([7, 1, 0, 1, 0]);
  });

  it('may leave bits open', () => {
    const open = codeForm('xxx0 0000 1xxx xxxx');
    expect([0x0080, 0xe0ff, 0x1080, 0x0000].map(code => open.has(code))).toEqual([true, true, false, false]);
  });

  it('is refused where it has not 16 digits, or a field in two pieces', () => {
    expect(() => codeForm('0001 RRRR')).toThrow(/not a form/);
    expect(() => codeForm('A0A0 0000 0000 0000')).toThrow(/field A is not in one piece/);
  });
});
