import { describe, expect, test } from 'vitest';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { recordOf } from '@syndrome/decode/decode/transfer.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { hashOfRecord, inputOfHash } from './record-link.ts';

const one = (input: string): DecodedRecord => {
  const [record] = decode(input).records;
  if (record === undefined) throw new Error(`no record in ${input}`);
  return record;
};

test.each([
  'status=0x9c00180000000000 addr=0x87ee000 misc=0x8c bank=9 vendor=amd',
  'status=0xbd80000000100134 mcgstatus=0x7 addr=0x1000 vendor=intel cpu=3 bank=1',
  'status=0xbd80000000100134',
  'esr=0x92000410 far=0xffff80001000',
  'Memory failure: 0x87ee: recovery action for dirty LRU page: Recovered',
])('%s is the same record again', input => {
  const record = one(input);
  const hash = hashOfRecord(record);
  const again = one(inputOfHash(hash ?? '') ?? '');
  expect(again.raw).toEqual(record.raw);
  expect(again.bank).toBe(record.bank);
});
test('a link can be read', () => {
  const record = one('status=0x9c00180000000000 addr=0x87ee000 bank=9 vendor=amd');
  expect(hashOfRecord(record)).toBe('#decode?status=0x9c00180000000000&addr=0x00000000087ee000&bank=9&vendor=amd');
});
test('what is too long for an address is no link', () => {
  const long = { kind: 'event', name: 'memory-failure', fields: { page: 'y'.repeat(9000) } } as const;
  expect(hashOfRecord(recordOf({ raw: long }))).toBeUndefined();
});
describe('what is no link is no input', () => {
  test.each([
    '',
    '#',
    '#decode',
    '#decode?',
    '#trace?status=0x1',
    '#decode?status',
    '#decode?status=<img>',
    '#decode?1=2',
    `#decode?text=${'x'.repeat(9000)}`,
  ])('%s', hash => {
    expect(inputOfHash(hash)).toBeUndefined();
  });
});
