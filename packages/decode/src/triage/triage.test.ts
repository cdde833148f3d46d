/**
 * Golden files: `golden/<name>.in` is a log, `<name>.golden` what its records come to. The words of headlines and next steps are
 * not held here: they are those of the records.
 * `UPDATE_GOLDEN=1` rewrites them.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { createDecoder } from '../decode/decoder.ts';
import { recordOf } from '../decode/transfer.ts';
import { COLUMNS } from '../decode/wrap.ts';
import { DistinctCounter, hashOf } from './distinct.ts';
import { TopCounter } from './top.ts';
import { Triage } from './triage.ts';
import type { TriageReport } from './triage.ts';
import { triageGroups, triageHead } from './triage-text.ts';

const DIR = join(import.meta.dirname, 'golden');

function triage(bytes: Uint8Array, size = Math.max(1, bytes.length)): TriageReport {
  const sums = new Triage();
  const decoder = createDecoder({ input: 'log', onRecord: r => sums.add(r) });
  for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
  decoder.end();
  return sums.report();
}

const of = (text: string): TriageReport => triage(new TextEncoder().encode(text));

const inputs = readdirSync(DIR)
  .filter(f => f.endsWith('.in'))
  .map(f => f.slice(0, -'.in'.length));

const WORDS: ReadonlySet<string> = new Set(['headline', 'nextSteps', 'what']);

function withoutWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (WORDS.has(name) ? [] : [[name, withoutWords(member)]])),
  );
}

describe('golden logs', () => {
  it.each(inputs)('%s', name => {
    const bytes = readFileSync(join(DIR, `${name}.in`));
    const report = triage(bytes);
    const lines = [...triageHead(report), '', ...triageGroups(report)];
    const text = `${stringify(withoutWords(report), 1)}\n`;
    const golden = join(DIR, `${name}.golden`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(COLUMNS);
    for (const size of [1, 7, 1000]) expect(triage(bytes, size)).toEqual(report);
  });

  it('955 errors in 5 lines, 719 of them of one DIMM', () => {
    const { bySeverity, parts } = triage(readFileSync(join(DIR, 'edac-burst.in')));
    expect(bySeverity).toEqual({ corrected: { incidents: 5, errors: 955 } });
    expect(parts.map(p => [p.name, p.bySeverity.corrected?.errors])).toEqual([
      ['CPU_SrcID#1_Ha#0_Chan#1_DIMM#1', 719],
      ['CPU_SrcID#1_Ha#0_Chan#0_DIMM#1', 236],
    ]);
  });

  it('three errors of one column', () => {
    const [part] = triage(readFileSync(join(DIR, 'ras-mc-ctl-errors.in'))).parts;
    expect(part?.pattern).toEqual({ is: 'one column', incidents: 3 });
    expect([part?.first?.text, part?.last?.text]).toEqual(['2022-10-16T06:55:24Z', '2022-10-16T06:56:49Z']);
  });

  it('counts of banks, and their yellow status', () => {
    const { bySeverity, parts } = triage(readFileSync(join(DIR, 'cache-yellow.in')));
    expect(bySeverity.corrected).toEqual({ incidents: 2, errors: 26_535 });
    expect(parts.map(p => p.threshold)).toEqual(['yellow', 'yellow']);
  });

  it('one error with five witnesses, and the part under both of its names', () => {
    const { incidents, worst, parts } = triage(readFileSync(join(DIR, 'five-witnesses.in')));
    expect(incidents).toBe(1);
    expect(worst?.witnesses.map(w => w.reporter)).toEqual(['firmware', 'kernel', 'machine-check', 'driver', 'kernel']);
    expect(worst).toMatchObject({ joinedBy: 'address and time', part: 'NODE 3 CPU0_DIMM_G1', address: 0x7e025e400n });
    expect(parts).toHaveLength(1);
    expect(parts[0]?.aliases).toEqual(['CPU_SrcID#0_MC#3_Chan#0_DIMM#0']);
  });

  it('bad data that is found, and then used: not known to be one error where the first names no system address', () => {
    const { bySeverity, worst, remarks } = triage(readFileSync(join(DIR, 'deferred-consumed.in')));
    expect(bySeverity).toEqual({
      uncorrected: { incidents: 1, errors: 1 },
      deferred: { incidents: 1, errors: 1 },
    });
    expect(worst?.witnesses.map(w => w.reporter)).toEqual(['driver', 'machine-check', 'kernel', 'kernel']);
    expect(remarks.join(' ')).toMatch(/1 line of the kernel tells what came of an error/);
  });

  it('a count that a bank and a driver both name is one count', () => {
    const { bySeverity, remarks } = triage(readFileSync(join(DIR, 'soft-offline-failed.in')));
    expect(bySeverity.corrected).toEqual({ incidents: 2, errors: 21 });
    // The firmware's record has no address.
    expect(remarks.join(' ')).toMatch(/1 report names no physical address/);
  });
});

const edac = (dimm: number, page: number, count: number, seconds: number): string =>
  `[${seconds.toFixed(6)}] EDAC MC0: ${count} CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#${dimm} (channel:0 slot:${dimm} page:0x${page.toString(16)} offset:0x40 grain:32 syndrome:0x0 -  err_code:0x0101:0x0090 socket:0 imc:0 rank:0 bg:1 ba:2 row:0x${(page & 0xff).toString(16)} col:0x10)\n`;

describe('what is one error', () => {
  it('not two lines of one driver, nor another address of the page, nor another time', () => {
    expect(of(edac(0, 5, 1, 1) + edac(0, 5, 1, 1)).incidents).toBe(2);
    const ghes = (address: string, seconds: number): string =>
      [
        'event severity: corrected',
        'Error 0, type: corrected',
        '  section_type: memory error',
        `  physical_address: ${address}`,
      ]
        .map(line => `[${seconds.toFixed(6)}] {1}[Hardware Error]: ${line}\n`)
        .join('');
    expect(of(ghes('0x0000000000005040', 1) + edac(0, 5, 1, 2)).incidents).toBe(1);
    expect(of(ghes('0x0000000000005080', 1) + edac(0, 5, 1, 2)).incidents).toBe(2);
    expect(of(ghes('0x0000000000005040', 1) + edac(0, 5, 1, 60)).incidents).toBe(2);
  });

  it('not a corrected and an uncorrected one of the same page', () => {
    const ue = edac(0, 5, 1, 1).replace(' CE ', ' UE ');
    expect(of(edac(0, 5, 1, 1) + ue).bySeverity).toEqual({
      uncorrected: { incidents: 1, errors: 1 },
      corrected: { incidents: 1, errors: 1 },
    });
  });

  it('not a corrected event of a CXL device and an uncorrected machine check of the same page', () => {
    const cxl = (descriptor: string): string =>
      `[    1.000000] cxl_general_media: memdev=mem1 host=0000:0e:00.0 serial=5 log=Warning : time=1 uuid=fbcd0a77-c260-417f-85a9-088b1621eba6 len=128 flags='0x1' handle=0 related_handle=0 maint_op_class=0 : dpa=7c0 dpa_flags='0x10' descriptor='${descriptor}' type='0x3' transaction_type='0xc0' channel=3 rank=33 device=5 hpa=5040\n`;
    const check = [
      'CPU 0: Machine Check: 0 Bank 9: bd80000000000134',
      'TSC 2f40aa78e ADDR 5040 MISC 8c ',
      'PROCESSOR 0:50654 TIME 1795167593 SOCKET 0 APIC 0 microcode 1',
    ]
      .map(line => `[    1.000100] mce: [Hardware Error]: ${line}\n`)
      .join('');
    expect(of(cxl('THRESHOLD_EVENT') + check).bySeverity).toEqual({
      'uncorrected-recoverable': { incidents: 1, errors: 1 },
      corrected: { incidents: 1, errors: 1 },
    });
    const { incidents, worst } = of(cxl('UNCORRECTABLE_EVENT') + check);
    expect(incidents).toBe(1);
    expect(worst?.witnesses.map(w => w.reporter)).toEqual(['device', 'machine-check']);
  });

  it('what a controller or a device logs without a page is an error, not what came of one', () => {
    const lines = [
      '  1f | 03/11/2020 | 02:11:09 | Memory #0x10 | Uncorrectable ECC | Asserted',
      '[    1.000000] aer_event: 0000:01:00.0 PCIe Bus Error: severity=Corrected, Bad TLP, TLP Header=Not available',
    ];
    const { bySeverity, remarks } = of(`${lines.join('\n')}\n`);
    expect(bySeverity).toEqual({
      uncorrected: { incidents: 1, errors: 1 },
      corrected: { incidents: 1, errors: 1 },
    });
    expect(remarks.join(' ')).not.toContain('came of an error');
  });

  it('a page that is met again is on top', () => {
    const { pagesAgain } = of([1, 2, 1, 3, 1, 2].map((page, i) => edac(0, page, 1, i * 60)).join(''));
    expect(pagesAgain).toEqual([
      { pfn: 1n, incidents: 3 },
      { pfn: 2n, incidents: 2 },
    ]);
  });
});

describe('patterns', () => {
  const row = (n: number, rank: number, bank: number, r: number, column: number): string =>
    edac(0, n, 1, n).replace(
      /rank:.*/,
      `rank:${rank} bg:0 ba:${bank} row:0x${r.toString(16)} col:0x${column.toString(16)})`,
    );
  it.each([
    [
      'one cell',
      [
        [0, 1, 7, 8],
        [0, 1, 7, 8],
      ],
    ],
    [
      'one row',
      [
        [0, 1, 7, 8],
        [0, 1, 7, 9],
      ],
    ],
    [
      'one column',
      [
        [0, 1, 7, 8],
        [0, 1, 6, 8],
      ],
    ],
    [
      'one bank',
      [
        [0, 1, 7, 8],
        [0, 1, 6, 9],
      ],
    ],
    [
      'one rank, several banks',
      [
        [0, 1, 7, 8],
        [0, 2, 7, 8],
      ],
    ],
    [
      'several ranks',
      [
        [0, 1, 7, 8],
        [1, 1, 7, 8],
      ],
    ],
  ] as const)('%s', (is, cells) => {
    const [part] = of(cells.map((c, i) => row(i + 1, c[0], c[1], c[2], c[3])).join('')).parts;
    expect(part?.pattern).toEqual({ is, incidents: 2 });
  });

  it('none of one error', () => {
    expect(of(row(1, 0, 1, 7, 8)).parts[0]?.pattern).toBeUndefined();
  });
});

describe('sums', () => {
  const line = fc.record({ dimm: fc.integer({ min: 0, max: 3 }), count: fc.integer({ min: 1, max: 500 }) });

  it('are those of the parts, in any order and in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(),
        (all, size, turn) => {
          const lines = all.map(({ dimm, count }, i) => edac(dimm, i + 1, count, i + 1));
          const at = turn % lines.length;
          const turned = [...lines.slice(at), ...lines.slice(0, at)].toReversed();
          const expected = all.reduce((n, l) => n + l.count, 0);
          const reports = [lines, turned].map(l => triage(new TextEncoder().encode(l.join('')), size));
          for (const { bySeverity, parts } of reports) {
            expect(bySeverity.corrected).toEqual({ incidents: all.length, errors: expected });
            expect(parts.reduce((n, p) => n + (p.bySeverity.corrected?.errors ?? 0), 0)).toBe(expected);
            for (let dimm = 0; dimm < 4; dimm++) {
              const mine = all.filter(l => l.dimm === dimm).reduce((n, l) => n + l.count, 0);
              expect(parts.find(p => p.name.endsWith(`#${dimm}`))?.bySeverity.corrected?.errors ?? 0).toBe(mine);
            }
          }
          const byName = (r: TriageReport): unknown => r.parts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
          expect(byName(reports[1] as TriageReport)).toEqual(byName(reports[0] as TriageReport));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of a million distinct records need no more memory than those of a tenth', { timeout: 300_000 }, () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const sums = new Triage();
    const heap = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const feed = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        const message = `memory read error on DIMM_${i % 300} (channel:0 row:${i} col:${i >> 3} rank:0 bank:${i & 15})`;
        const fields = { count: 1, message, addr: BigInt(i) * 4096n + 64n };
        sums.add(recordOf({ raw: { kind: 'event', name: 'edac-corrected', fields } }));
      }
    };
    const before = heap();
    feed(0, 100_000);
    const tenth = heap() - before;
    feed(100_000, 1_000_000);
    const all = heap() - before;
    const report = sums.report();
    expect(report.bySeverity.corrected).toEqual({ incidents: 1_000_000, errors: 1_000_000 });
    expect(report.parts.reduce((n, p) => n + (p.bySeverity.corrected?.errors ?? 0), 0)).toBe(1_000_000);
    expect(all / tenth).toBeLessThan(2);
    expect(report.remarks.join(' ')).toMatch(/More parts than are told apart/);
  });
});

describe('counters of bounded memory', () => {
  it('count different values exactly up to the bound, and near it beyond, in any order', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => hashOf([i, 7]));
    const exact = new DistinctCounter(256);
    for (const v of values.slice(0, 256)) exact.add(v);
    expect([exact.count, exact.approximate]).toEqual([256, false]);
    const [a, b, half] = [new DistinctCounter(256), new DistinctCounter(256), new DistinctCounter(256)];
    for (const v of values) a.add(v);
    for (const v of values.slice(0, 10_000)) half.add(v);
    for (const v of values.slice(5000).toReversed()) b.add(v);
    b.merge(half);
    expect(b.count).toBe(a.count);
    expect(Math.abs(a.count / values.length - 1)).toBeLessThan(0.25);
    expect(a.approximate).toBe(true);
  });

  it('keep what was met most often, and say by how much they may be wrong', () => {
    const top = new TopCounter<number>(64);
    for (let i = 0; i < 20_000; i++) top.add(i % 3 === 0 ? 7 : 1000 + i);
    const [first] = top.top(3, 2);
    expect(first?.key).toBe(7);
    expect(first?.times).toBeLessThanOrEqual(6667);
    expect((first?.times ?? 0) + top.missing).toBeGreaterThanOrEqual(6667);
  });
});
