import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TextItem } from '../item.ts';
import { RasMcCtlReader } from './ras-mc-ctl-reader.ts';

const GOLDEN = join(import.meta.dirname, '..', '..', 'decode', 'golden');
const LINES = ['ras-mc-ctl-all.in', 'ras-mc-ctl-wrapped.in', 'ras-mc-ctl-summary.in', 'ras-mc-ctl-memory.in'].flatMap(
  name => readFileSync(join(GOLDEN, name), 'utf8').split('\n'),
);

function read(lines: readonly string[]): TextItem[] {
  const items: TextItem[] = [];
  const reader = new RasMcCtlReader(item => items.push(item), 'x');
  lines.forEach((line, i) => reader.push(line, i + 1));
  reader.end();
  return items;
}

const ROW =
  '7 2023-05-31 10:06:19 -0400 error: Corrected error, mcg mcgstatus=0, mci Corrected_error, mcgcap=0x0f000c1c, status=0x8c00004200800090, addr=0x1efa4c7cc40, cpu=0x00000020, bank=0x0000000d';

describe('ras-mc-ctl', () => {
  it('a row broken at any blank is the same record', () => {
    const [whole] = read([ROW]);
    expect(whole).toMatchObject({ type: 'mca', record: { bank: 13, cpu: 32, addr: 0x1efa4c7cc40n } });
    const words = ROW.split(' ');
    fc.assert(
      // The number, the time and the first word stand in one line.
      fc.property(fc.integer({ min: 6, max: words.length - 1 }), fc.integer({ min: 1, max: 6 }), (at, size) => {
        const lines = [
          words.slice(0, at).join(' '),
          words.slice(at, at + size).join(' '),
          words.slice(at + size).join(' '),
        ];
        const broken = lines.filter(line => line !== '');
        const [item, ...more] = read(broken);
        expect(more).toEqual([]);
        if (item?.type !== 'mca' || whole?.type !== 'mca') throw new Error('no record');
        expect({ ...item.record, origin: undefined }).toEqual({ ...whole.record, origin: undefined });
        expect([item.firstLine, item.lastLine]).toEqual([1, broken.length]);
      }),
    );
  });

  it('a disk is no memory, and a count of 0 is no error', () => {
    expect(
      read(['Disk errors summary:', '\t0:0 has 60 errors', 'Label\tCE\tUE', 'mc#0csrow#3channel#0\t0\t0']),
    ).toEqual([]);
    expect(read(['Label\tCE\tUE', 'DIMM_A1\t5539\t2'])).toMatchObject([
      { name: 'edac-corrected', fields: { count: 5539, label: 'DIMM_A1' } },
      { name: 'edac-uncorrected', fields: { count: 2, label: 'DIMM_A1' } },
    ]);
  });

  it('any lines: no exception, no more items than lines and their counts, nothing left open', () => {
    const line = fc.oneof(
      fc.constantFrom(...LINES),
      fc.constantFrom(...LINES).chain(l => fc.nat(l.length).map(n => l.slice(0, n))),
      fc.string({ unit: 'binary', maxLength: 80 }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), lines => {
        const items = read(lines);
        expect(items.length).toBeLessThanOrEqual(2 * lines.length);
        for (const { firstLine, lastLine } of items)
          expect(firstLine <= lastLine && lastLine <= lines.length).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('hostile lines of a megabyte', () => {
    for (const unit of ['1 ', '1 a error: ', 'error: ,', ' ', 'a=', 'Label ', "Corrected on DIMM Label(s): '"]) {
      expect(
        read([unit.repeat(Math.ceil((1 << 20) / unit.length)), 'Label\tCE\tUE', unit.repeat(100_000)]).length,
      ).toBeLessThan(4);
    }
  });
});
