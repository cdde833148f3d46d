import { describe, expect, it } from 'vitest';
import { NAMED_ESR } from './encode.ts';
import { classifyArm } from './classify.ts';
import { esrOfWords } from './words.ts';

describe('syndromes from words', () => {
  it.each([
    ['sea', 0x92000010n, 1],
    ['sea write el1', 0x96000050n, 1],
    ['sea guest uer', 0x92000010n, 2],
    ['sea guest ueo', 0x92001810n, 2],
    ['sea uc fnv ea', 0x92001610n, 1],
    ['sea instruction el0', 0x82000010n, 1],
    ['sea instruction el1 walk=2', 0x86000016n, 1],
    ['sea walk=-1', 0x92000013n, 1],
    ['sea parity', 0x92000018n, 1],
    ['sea parity walk=3 s1ptw', 0x9200009fn, 1],
    ['serror', 0xbe000011n, 1],
    ['serror ce', 0xbe001811n, 1],
    ['serror uer ea', 0xbe000e11n, 1],
    ['serror uncategorized', 0xbe000000n, 1],
    ['serror iss=0x123', 0xbf000123n, 1],
    ['esr EC=DABT_LOW DFSC=0x17 WnR', 0x92000057n, 1],
    ['esr ec=0x25 isv srt=3 dfsc=7 il=0', 0x95030007n, 1],
    ['esr EC=0x24 Overlay=1', 0x4092000000n, 1],
    ['esr EC=0x24 el2 DFSC=0x10', 0x92000010n, 2],
  ])('%s', (text, esr, el) => {
    expect(esrOfWords(text.split(' '))).toEqual({ esr, el });
  });

  it('says what every word does', () => {
    const from = (words: string) => classifyArm(esrOfWords(words.split(' ')) ?? { esr: 0n });
    expect(from('sea instruction')).toMatchObject({ class: 'sea', access: 'instruction', from: 'lower' });
    expect(from('sea write el1')).toMatchObject({ class: 'sea', access: 'write', from: 'same' });
    expect(from('sea walk=0')).toMatchObject({ class: 'sea-walk', walkLevel: 0 });
    expect(from('sea parity')).toMatchObject({ class: 'parity' });
    for (const state of ['uer', 'uc', 'ueo']) expect(from(`sea ${state}`).state).toBe(state.toUpperCase());
    for (const state of ['uc', 'ueu', 'ueo', 'uer', 'ce'])
      expect(from(`serror ${state}`).state).toBe(state.toUpperCase());
  });

  it.each([
    'sea x',
    'sea walk=4',
    'sea instruction write',
    'serror x',
    'serror iss=0x1000000',
    'serror iss=z',
    'esr',
    'esr DFSC=1',
    'esr EC=DABT_LOW X=1',
    'esr EC=DABT_LOW DFSC=z',
    'esr EC=nothing',
  ])('refuses %s', text => {
    expect(() => esrOfWords(text.split(' '))).toThrow(expect.objectContaining({ hint: expect.any(String) as string }));
  });

  it('leaves names alone', () => {
    for (const { name } of NAMED_ESR) expect(esrOfWords([name])).toBeUndefined();
  });
});
