import type { SupplyProgress } from '@syndrome/lab/supply/fetcher.ts';
import { afterEach, expect, test, vi } from 'vitest';
import { bytes, progressLine } from './progress.ts';

afterEach(() => void vi.restoreAllMocks());

/** What is written to a stderr that is no terminal. */
function lines(told: SupplyProgress[]): string[] {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation(chunk => {
    written.push(String(chunk));
    return true;
  });
  const tell = progressLine();
  for (const progress of told) tell(progress);
  return written.join('').split('\n').filter(Boolean);
}

test('a log has each phase once, though packages are verified and unpacked by turns', () => {
  const part = 'qemu';
  const packages = [1, 2, 3].flatMap((n): SupplyProgress[] => [
    { part, phase: 'verify', done: n - 1, total: 3 },
    { part, phase: 'unpack', done: n, total: 3 },
  ]);
  const download = [0, 10, 20, 30, 99, 100].map(
    (n): SupplyProgress => ({ part, phase: 'download', done: n, total: 100 }),
  );
  expect(lines([...download, ...packages, { part, phase: 'done', done: 1, total: 1 }])).toEqual([
    'qemu: download 0 B of 100 B',
    'qemu: download 30 B of 100 B',
    'qemu: download 99 B of 100 B',
    'qemu: download 100 B of 100 B',
    'qemu: verify',
    'qemu: unpack',
    'qemu: done',
  ]);
});

test('a notice is said each time, and a part that is made again tells its phases again', () => {
  const notice: SupplyProgress = { part: 'qemu', phase: 'notice', done: 0, total: 0, text: 'an index is a week old' };
  const done: SupplyProgress = { part: 'qemu', phase: 'done', done: 1, total: 1 };
  expect(lines([notice, notice, done, done])).toEqual([
    'qemu: an index is a week old',
    'qemu: an index is a week old',
    'qemu: done',
    'qemu: done',
  ]);
});

test('bytes are told in units of 1,000', () => {
  expect([0, 999, 1000, 34_700_000].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '34.7 MB']);
});
