import { expect, test } from 'vitest';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { chipsOf, outlookFor } from './outlook.ts';

const one = (input: string): DecodedRecord => {
  const [record] = decode(input).records;
  if (record === undefined) throw new Error('no record');
  return record;
};
const DEFERRED = one('status=0x9c00180000000000 addr=0x87ee000 misc=0x8c bank=9 vendor=amd');

test('each consumer that can get the record has its answer', () => {
  const all = outlookFor(DEFERRED, {});
  expect(all.map(({ who }) => who)).toEqual(['Linux', 'Xen']);
  for (const { predictions } of all) expect(predictions.length).toBeGreaterThan(0);
});
test('what is assumed decides', () => {
  const [linux] = outlookFor(DEFERRED, { linux: { version: '6.19.6', platform: 'kvm' } });
  expect(linux).toMatchObject({ version: '6.19.6', assumed: [{ setting: 'platform', value: 'kvm' }] });
  expect(linux?.predictions.map(({ outcome }) => outcome)).toContain('panicked');
});
test('a chip leads to another outcome, and taking it leads there', () => {
  const [linux] = outlookFor(DEFERRED, {});
  const [prediction] = linux?.predictions ?? [];
  const [chip] = prediction ? chipsOf(prediction) : [];
  expect(chip?.outcome).not.toBe(prediction?.outcome);
  const [then] = outlookFor(DEFERRED, { linux: { [chip?.setting ?? '']: chip?.value } });
  expect(then?.predictions[0]?.outcome).toBe(chip?.outcome);
});
test('an event has none', () => {
  expect(outlookFor(one('Memory failure: 0x87ee: recovery action for dirty LRU page: Recovered'), {})).toEqual([]);
});
