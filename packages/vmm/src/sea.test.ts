import { describe, expect, test } from 'vitest';
import { classifyArm } from '@syndrome/decode/arm/classify.ts';
import { seaResponse } from './sea.ts';

const on = (esr: bigint, rest: Partial<Parameters<typeof seaResponse>[0]> = {}) =>
  seaResponse({
    syndrome: classifyArm({ esr }),
    gpa: 0x4440_3456n,
    source: 'stage1-walk',
    isRam: true,
    isQuarantined: false,
    policy: 'now',
    ...rest,
  });

describe('seaResponse', () => {
  test('an abort of the access itself: inject, take the page away', () => {
    expect(on(0x92000010n)).toEqual({ action: 'inject-data-abort', quarantine: 'now', certain: true });
    expect(on(0x82000010n)).toEqual({ action: 'inject-instruction-abort', quarantine: 'now', certain: true });
  });

  test('an abort on a table walk names the access, not the table: nothing is taken away on suspicion', () => {
    expect(on(0x92000017n)).toEqual({ action: 'inject-data-abort', quarantine: 'not-certain', certain: false });
    expect(on(0x92000017n, { policy: 'on-request' }).quarantine).toBe('on-request');
  });

  test('an address from KVM is that of the fault', () => {
    expect(on(0x92000017n, { source: 'exit' })).toMatchObject({ quarantine: 'now', certain: true });
  });

  test('no address, an address without memory, a page that is gone already', () => {
    expect(on(0x92000410n, { gpa: undefined, source: 'none' })).toMatchObject({
      action: 'inject-data-abort',
      quarantine: 'no-address',
      certain: false,
    });
    expect(on(0x92000010n, { isRam: false }).quarantine).toBe('no-address');
    expect(on(0x92000010n, { isQuarantined: true }).quarantine).toBe('already');
    expect(on(0x92000010n, { policy: 'off' }).quarantine).toBe('off');
  });

  test('a class that is no abort is not answered with one', () => {
    expect(on(0xbe000000n).action).toBe('none');
  });
});
