/** The CPU that mcelog names once is that of the records behind it, where its digits say which one it is. */
import { expect, it } from 'vitest';
import type { TextItem } from '../item.ts';
import { McelogReader } from './mcelog-reader.ts';

const RECORD = [
  'Hardware event. This is not a software error.',
  'CPU 0 BANK 8',
  'ADDR 33e8dad00',
  'STATUS 8c0000400001009f MCGSTATUS 0',
];

function cpuidBehind(line: string): bigint | undefined {
  const items: TextItem[] = [];
  const reader = new McelogReader(item => items.push(item), 'test');
  for (const [i, text] of [line, ...RECORD].entries()) reader.push(text, i + 1);
  reader.end();
  const [item] = items;
  return item?.type === 'mca' ? item.record.cpuid : undefined;
}

it.each([
  ['mcelog: Unknown Intel CPU type family 6 model 2c', 0x206c0n],
  ['Unsupported new Family 6 Model 2a CPU: only decoding architectural errors', 0x206a0n],
  ['mcelog: Family 6 Model 122 CPU: only decoding architectural errors', 0x706a0n],
  ['mcelog: Family 6 Model 3f CPU: only decoding architectural errors', 0x306f0n],
  // 0x45 or 45: nothing says which.
  ['mcelog: Family 6 Model 45 CPU: only decoding architectural errors', undefined],
])('%s', (line, cpuid) => {
  expect(cpuidBehind(line)).toBe(cpuid);
});
