import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from './classify.ts';
import { pageOf } from './of-record.ts';
import { component } from './testing/rules.ts';
import { deferredRecord, errorsOf, fruText } from './smca-extra.ts';
import { umcPlace } from './smca-banks.ts';
import type { X86McaRecord } from './record.ts';

const RECORD: X86McaRecord = {
  kind: 'x86-mca',
  vendor: 'amd',
  cpu: 3,
  bank: 17,
  status: 0xbc00080000010135n,
  addr: 0x1000n,
  misc: 0xd01a0ffe00000000n,
  synd: 0x2n,
  ipid: 0x0000009600350f00n,
  destat: 0x842010000600011bn,
  deaddr: 0x1234580n,
};

describe('deferredRecord', () => {
  it('is the error that MCA_DESTAT kept, with its own address', () => {
    const found = deferredRecord(RECORD);
    expect(found).toStrictEqual({
      kind: 'x86-mca',
      vendor: 'amd',
      cpu: 3,
      bank: 17,
      status: 0x842010000600011bn,
      addr: 0x1234580n,
      synd: 0x2n,
      ipid: 0x0000009600350f00n,
    });
    expect(found === undefined ? undefined : [classify(found), pageOf(found)]).toEqual(['Deferred', undefined]);
    expect(umcPlace({ ipid: RECORD.ipid ?? 0n, status: found?.status ?? 0n, synd: { chipSelect: 2n } })).toEqual({
      channel: 3,
      chipSelect: 2,
    });
  });

  it('takes address and syndrome only when they are valid', () => {
    const noAddr = deferredRecord({ ...RECORD, destat: 0x802010000600011bn });
    expect([noAddr?.addr, noAddr?.synd]).toEqual([undefined, 2n]);
    const noSynd = deferredRecord({ ...RECORD, destat: 0x840010000600011bn });
    expect([noSynd?.addr, noSynd?.synd]).toEqual([0x1234580n, undefined]);
    const { deaddr: _d, synd: _s, ...bare } = RECORD;
    expect(Object.keys(deferredRecord(bare) ?? {})).not.toContain('addr');
    expect(Object.keys(deferredRecord(bare) ?? {})).not.toContain('synd');
  });

  it('stands beside the error of MCA_STATUS, alone without one, and not twice where both registers have it', () => {
    const errors = (record: X86McaRecord) => errorsOf(record).map(e => [e.record.status, e.fromDestat]);
    const { destat = 0n, deaddr = 0n } = RECORD;
    expect(errors(RECORD)).toEqual([
      [RECORD.status, false],
      [destat, true],
    ]);
    expect(errors({ ...RECORD, status: 0n })).toEqual([[destat, true]]);
    expect(errors({ ...RECORD, status: destat, addr: deaddr })).toEqual([[destat, false]]);
    expect(errors({ ...RECORD, status: destat, addr: deaddr + 64n })).toHaveLength(2);
    expect(errors({ ...RECORD, status: destat ^ 1n, addr: deaddr })).toHaveLength(2);
    expect(errors({ ...RECORD, status: 0n, destat: 0n })).toEqual([[0n, false]]);
    expect(errors({ ...RECORD, vendor: 'intel' })).toEqual([[RECORD.status, false]]);
    const { vendor: _, ...bare } = RECORD;
    expect(deferredRecord(bare)?.vendor).toBe('amd');
  });

  it('is none without MCA_DESTAT, VAL or DEFERRED', () => {
    const { destat: _, ...without } = RECORD;
    expect(deferredRecord(without)).toBeUndefined();
    expect(deferredRecord({ ...RECORD, destat: 0x042010000600011bn })).toBeUndefined();
    expect(deferredRecord({ ...RECORD, destat: 0x842000000600011bn })).toBeUndefined();
  });
});

const word = (text: string): bigint =>
  Array.from(text).reduce((sum, c, i) => sum | (BigInt(c.charCodeAt(0)) << BigInt(8 * i)), 0n);

describe('fruText', () => {
  const config = 1n << 9n;
  it('reads up to 16 characters, low byte first', () => {
    expect(fruText({ config, synd1: word('P0 Chann'), synd2: word('el A DM1') })).toBe('P0 Channel A DM1');
    expect(fruText({ config, synd1: word('DIMM A1') })).toBe('DIMM A1');
    expect(fruText({ config, synd1: word('P0_DIMM '), synd2: word('B  ') })).toBe('P0_DIMM B');
    expect(component({ ...RECORD, config, synd1: word('DIMM A1') }).name).toMatch(/^UMC channel 3.*, FRU DIMM A1$/);
    expect(component({ ...RECORD, ipid: 0xabc_0000_0000n, config, synd1: word('DIMM A1') }).name).toBe('FRU DIMM A1');
  });

  it('is none without the announcement, the registers or a text', () => {
    expect(fruText({ config: 0x1ffn, synd1: word('DIMM A1') })).toBeUndefined();
    expect(fruText({ synd1: word('DIMM A1') })).toBeUndefined();
    expect(fruText({ config, synd2: word('DIMM A1') })).toBeUndefined();
    expect(fruText({ config, synd1: 0n, synd2: word('DIMM') })).toBeUndefined();
  });

  it('never brings control characters to a screen', () => {
    const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    fc.assert(
      fc.property(u64, u64, (synd1, synd2) => {
        expect(fruText({ config, synd1, synd2 }) ?? '').not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
    expect(fruText({ config, synd1: word('a\u001b[31m') })).toBe('a\\x1b[31m');
  });
});
