import { describe, expect, test } from 'vitest';
import { decodeAbort } from './esr.ts';

describe('decodeAbort', () => {
  test('the abort of a broken stage-2 walk, as KVM reports it', () => {
    expect(decodeAbort(0x92000017n)).toEqual({
      ec: 0x24,
      ecName: 'DABT_LOW',
      abort: 'data',
      fsc: 0x17,
      fscName: 'synchronous external abort on translation table walk, level 3',
      walkLevel: 3,
      fnv: false,
      ea: false,
      cm: false,
      s1ptw: false,
      wnr: false,
      set: 0,
    });
  });

  test.each([
    [0x92000010n, { abort: 'data', fscName: 'synchronous external abort', walkLevel: undefined }],
    [0x92000050n, { wnr: true }],
    [0x92000410n, { fnv: true }],
    [0x92000210n, { ea: true }],
    [0x92000090n, { s1ptw: true }],
    [0x92000110n, { cm: true }],
    [0x92001810n, { set: 3 }],
    [0x96000010n, { ecName: 'DABT_CUR' }],
    [0x82000010n, { ecName: 'IABT_LOW', abort: 'instruction' }],
    [0x86000010n, { ecName: 'IABT_CUR', abort: 'instruction' }],
    [0x92000013n, { walkLevel: -1 }],
    [0x9200001bn, { walkLevel: -1, fscName: 'synchronous parity or ECC error on translation table walk, level -1' }],
    [0x92000018n, { fscName: 'synchronous parity or ECC error' }],
    [0x92000005n, { fscName: 'fault status 0x05' }],
    [0xbe000000n, { abort: 'other', ecName: 'EC_0x2f' }],
  ])('%#', (esr, expected) => {
    expect(decodeAbort(esr)).toMatchObject(expected);
  });
});
