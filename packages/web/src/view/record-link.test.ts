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
  'status=0xbd80000000100134 apicid=0x12 cpu=3 bank=1',
  'esr=0x92000410 far=0xffff80001000',
  'Memory failure: 0x87ee: recovery action for dirty LRU page: Recovered',
])('%s is the same record again', input => {
  const record = one(input);
  const hash = hashOfRecord(record);
  const again = one(inputOfHash(hash ?? '') ?? '');
  expect(again.raw).toEqual(record.raw);
  expect(again.bank).toBe(record.bank);
});
test.each([
  [
    'a socket and a time',
    [
      '[ 1.1] mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 8: 8c00004000010092',
      '[ 1.1] mce: [Hardware Error]: TSC 2ba5d7cda8cb ADDR 87ee000 MISC 4000008c ',
      '[ 1.1] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1796021342 SOCKET 1 APIC 6 microcode 2007006',
    ].join('\n'),
  ],
  [
    'what values cannot say',
    '{"schemaVersion":1,"kind":"x86-mca","bank":1,"raw":{"kind":"x86-mca","bank":1,"status":"0xbd80000000100134","within":"previous-boot"}}',
  ],
  ['a record of the firmware', '[ 1.1] mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank -1: bd0000000000009f'],
  [
    'a CPU of arm64',
    '{"schemaVersion":1,"kind":"arm-sea","raw":{"kind":"arm-sea","esr":"0x0000000092000410","el":1,"cpu":2}}',
  ],
])('%s goes with the link', (_, input) => {
  const record = one(input);
  const again = one(inputOfHash(hashOfRecord(record) ?? '') ?? '');
  const { origin: _origin, ...raw } = record.raw as { origin?: unknown };
  expect(again.raw).toEqual(raw);
  expect([again.bank, again.headline]).toEqual([record.bank, record.headline]);
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
