import { expect, test } from 'vitest';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { RecordList, rowOf } from './record-rows.ts';

const LOG = [1, 2, 3].flatMap(i => [
  `[ ${i}.1] mce: [Hardware Error]: CPU ${i}: Machine Check: 0 Bank 8: 8c00004000010092`,
  `[ ${i}.2] mce: [Hardware Error]: TSC 2ba5d7cda8cb ADDR 87e${i}000 MISC 4000008c `,
  `[ ${i}.3] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1796021342 SOCKET 0 APIC 6 microcode 2007006`,
]);
const list = new RecordList();
for (const record of decode(
  [...LOG, 'Memory failure: 0x87e1: recovery action for dirty LRU page: Recovered'].join('\n'),
).records)
  list.add(record);

test('a row says what it is, where, and at which line', () => {
  const [first] = list.records;
  expect(first && rowOf(first)).toMatchObject({
    where: 'CPU 1 · bank 8 · 0x87e1000',
    severity: 'corrected',
    place: ':1',
  });
});
test('records that say the same are one group, the most first', () => {
  expect(list.groups()).toMatchObject([
    { severity: 'corrected', count: 3, cpus: 3, pages: 3, first: 0 },
    { severity: 'uncorrected-recoverable', count: 1 },
  ]);
});
test('records are found by words, severity, CPU, address and page frame', () => {
  expect([...list.find('')]).toEqual([0, 1, 2, 3]);
  expect([...list.find('CPU 2')]).toEqual([1]);
  expect([...list.find('pfn 0x87e1')]).toEqual([0, 3]);
  expect([...list.find('RECOVERABLE')]).toEqual([3]);
  expect([...list.find('nothing')]).toEqual([]);
});

test('of several files a row says which it is of, and is found by it', () => {
  const several = new RecordList(true);
  for (const input of ['a.log', 'b.log'])
    for (const record of decode(LOG.join('\n'), { input }).records) several.add(record);
  const [first] = several.records;
  expect(first && rowOf(first, several.named).place).toBe('a.log:1');
  expect(several.find('b.log')).toHaveLength(3);
});
