import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TraceEvent } from '../event.ts';
import type { Trace } from '../reader.ts';
import { plain } from '../style.ts';
import { parseTrace } from '../testing/parse.ts';
import { comparedRun, type Comparison, compareRuns } from './compare.ts';
import { compareData } from './data.ts';
import { compareLines } from './lines.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const real = (name: string): Trace => parseTrace(readFileSync(join(GOLDEN, name), 'utf8'), name);
const bad = real('pair-amd-deferred-6.19.6.ndjson');
const good = real('pair-amd-deferred-7.3.4.ndjson');

const compare = (a: Trace, b: Trace): Comparison => compareRuns(comparedRun(a), comparedRun(b));

type Row = [ms: number, name: string, fields?: object, layer?: string];

/** A trace of (ms, name, fields) that ends well, injected at 0 unless a row says otherwise. */
function trace(rows: Row[], more: { expect?: string[]; parts?: Record<string, string> } = {}): Trace {
  const header = { type: 'trace', version: 2, scenario: 's', layers: ['lab', 'vmm', 'guest', 'process'], settle: 0 };
  const lines: object[] = [{ ...header, expect: more.expect ?? [], parts: more.parts ?? {} }];
  const all: Row[] = [[0, 'lab.injected', { kind: 'mce' }, 'lab'], ...rows, [1e6, 'lab.end', {}, 'lab']];
  for (const [i, [ms, name, fields = {}, layer = 'guest']] of all.entries())
    lines.push({ seq: i + 1, t: ms * 1e6, layer, source: 'lab', name, fields });
  return parseTrace(lines.map(line => JSON.stringify(line)).join('\n'), 'made');
}
const kinds = ({ rows }: Comparison): string[] =>
  rows.slice(1).map(({ kind, a, b }) => `${kind} ${(a ?? b)?.name?.replace(/^\w+\./, '')}`);

describe('a pair of real runs, Linux 6.19.6 and 7.3.4 with one deferred error', () => {
  test('first differ where 6.19.6 writes a register that its processor does not have', () => {
    const { rows, first, differ, parts } = compare(bad, good);
    expect(differ).toBe(true);
    expect(rows[first ?? -1]).toMatchObject({ kind: 'only-a', a: { name: 'guest.msr-error' } });
    expect(parts.map(({ part }) => part)).toEqual(['kernel']);
    // Addresses, processes and the kernel's name differ in events that are the same.
    expect(rows.slice(0, first).map(({ kind }) => kind)).toEqual(Array.from({ length: first ?? 0 }, () => 'same'));
  });
  test('also the other way round: what the failing run did comes first', () => {
    const { rows, first } = compare(good, bad);
    expect(rows[first ?? -1]).toMatchObject({ kind: 'only-b', b: { name: 'guest.msr-error' } });
  });
  test('as text', async () => {
    const lines = compareLines(compare(bad, good), ['bad.ndjson', 'good.ndjson'], { style: plain, width: 100 });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(join(GOLDEN, 'pair-amd-deferred.txt'));
  });
  test('as data: times from the zero of their run, the first difference by its index', () => {
    const data = compareData(compare(bad, good), ['a', 'b']) as {
      first: number;
      rows: { name: string; a?: { t: number }; b?: { t: number } }[];
      a: { causes: string[] };
    };
    expect(data.rows[data.first]).toMatchObject({ name: 'guest.msr-error', a: { t: 1541119558 } });
    expect(data.rows[data.first]).not.toHaveProperty('b');
    expect(data.a.causes).toEqual(['linux-amd-destat-without-smca']);
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
  });
});

describe('alignment', () => {
  test('is by order and not by time', () => {
    const slow = trace([
      [900, 'guest.mce-logged'],
      [5000, 'guest.alive'],
    ]);
    const fast = trace([
      [1, 'guest.mce-logged'],
      [2, 'guest.alive'],
    ]);
    expect(compare(slow, fast)).toMatchObject({ differ: false, rows: expect.any(Array) });
  });
  test('takes the k-th of a name with the k-th, and what is too many is told', () => {
    const [one, two] = [
      trace([[1, 'guest.mce-logged']]),
      trace([
        [1, 'guest.mce-logged'],
        [2, 'guest.mce-logged'],
      ]),
    ];
    expect(kinds(compare(one, two))).toEqual(['same mce-logged', 'only-b mce-logged']);
  });
  test('what only one run has stands where it happened there', () => {
    const a = trace([
      [1, 'guest.alive'],
      [3, 'guest.mce-logged'],
    ]);
    const b = trace([
      [1, 'guest.alive'],
      [2, 'guest.silent'],
      [3, 'guest.mce-logged'],
      [4, 'guest.oops', { text: 'x' }],
    ]);
    expect(kinds(compare(a, b))).toEqual(['same alive', 'only-b silent', 'same mce-logged', 'only-b oops']);
  });
  test('where both have events of their own and neither failed, time decides', () => {
    const a = trace([[3, 'guest.mce-logged']]);
    const b = trace([
      [2, 'guest.alive'],
      [4, 'guest.silent'],
    ]);
    expect(kinds(compare(a, b))).toEqual(['only-b alive', 'only-a mce-logged', 'only-b silent']);
  });
  test('events that come in another order are common all the same', () => {
    const a = trace([
      [1, 'guest.alive'],
      [2, 'guest.mce-logged'],
    ]);
    const b = trace([
      [1, 'guest.mce-logged'],
      [2, 'guest.alive'],
    ]);
    expect(kinds(compare(a, b))).toEqual(['same alive', 'same mce-logged']);
  });
});

describe('channels', () => {
  // The lab asks the guest over one channel while its console goes over another: which is first is chance.
  const answer = (ms: number): Row => [ms, 'guest.alive'];
  const fault: Row = [16, 'guest.oops', { text: 'x' }];
  const panic: Row = [60, 'guest.panic', { message: 'm' }];
  const logged: Row = [11, 'guest.mce-logged'];
  const expected = { expect: ['never: guest.panic'] };
  const run = (rows: Row[]): Trace => {
    const made = trace(rows, expected);
    for (const event of made.events) if (event.name !== 'guest.alive') event.source = 'console';
    return made;
  };
  const good = run([logged, answer(21)]);
  test.each([7, 30])('what the failed run did stands first, whenever another channel is heard: %i', ms => {
    const bad = run([answer(ms), fault, panic].toSorted((x, y) => x[0] - y[0]));
    for (const [comparison, kind] of [
      [compare(bad, good), 'only-a'],
      [compare(good, bad), 'only-b'],
    ] as const) {
      const { rows, first } = comparison;
      expect(rows[first ?? -1]).toMatchObject({ kind, [kind.slice(-1)]: { name: 'guest.oops' } });
      expect(kinds(comparison).at(-1)).toBe(`only-${kind === 'only-a' ? 'b' : 'a'} mce-logged`);
    }
  });
});

describe('fields', () => {
  const value = (name: string, address: string): Row => [0, 'lab.value', { name, value: address }, 'lab'];
  const [here, there] = ['0x0000000001234000', '0x0000000009876000'];
  const differences = (a: Row[], b: Row[]): string[] =>
    compare(trace(a), trace(b)).rows.flatMap(row => row.differences.map(d => `${d.field}: ${d.a} | ${d.b}`));

  test('addresses are compared by what the runs call them', () => {
    const signal = (addr: string): Row => [1, 'process.signal', { proc: 'v', signal: 'SIGBUS', addr, pid: 7 }];
    expect(differences([value('page', here), signal(here)], [value('page', there), signal(there)])).toEqual([]);
    expect(differences([value('page', here), signal(here)], [value('page', there), signal(here)])).toEqual([
      `addr: $page | ${here}`,
    ]);
  });
  test('so are page frames', () => {
    const failure = (pfn: string): Row => [1, 'guest.memory-failure', { pfn, page: 'p', result: 'Recovered' }];
    const frame = (address: string): string => `0x${(BigInt(address) >> 12n).toString(16).padStart(16, '0')}`;
    expect(
      differences([value('page', here), failure(frame(here))], [value('page', there), failure(frame(there))]),
    ).toEqual([]);
  });
  test('processes and places in code are chance, register values are not', () => {
    const fault = (msr: string, symbol: string): Row => [
      1,
      'guest.msr-error',
      { access: 'WRMSR', msr, symbol, unchecked: false },
    ];
    const msr = '0x00000000c0002098';
    expect(differences([fault(msr, 'f+0x1d/0x50')], [fault(msr, 'f+0x20/0x58')])).toEqual([]);
    expect(differences([fault(msr, 'f+0x1d/0x50')], [fault(msr, 'g+0x1d/0x50')])).toEqual([
      'symbol: f+0x1d/0x50 | g+0x1d/0x50',
    ]);
    expect(differences([fault(msr, 'f')], [fault('0x00000000c0002088', 'f')])).toEqual([
      'msr: 0x00000000c0002098 | 0x00000000c0002088',
    ]);
  });
  test('a text that names the part that was tried is no difference', () => {
    const run = (kernel: string): Trace =>
      trace([[1, 'guest.alive', { kernel: `${kernel}+deb13` }]], { parts: { kernel: `${kernel}+deb13 amd64` } });
    expect(compare(run('6.19.6'), run('7.3.4'))).toMatchObject({ differ: false, parts: [{ part: 'kernel' }] });
  });
});

test('a verdict that differs is a difference, with events alike', () => {
  const [a, b] = ['never: guest.alive', 'within 5s: guest.alive'].map(text =>
    trace([[1, 'guest.alive']], { expect: [text] }),
  ) as [Trace, Trace];
  const comparison = compare(a, b);
  expect([comparison.differ, comparison.first]).toEqual([true, undefined]);
});

const NAMES = ['guest.alive', 'guest.silent', 'guest.mce-logged', 'guest.panic'] as const;
const rows = fc.array(fc.record({ name: fc.constantFrom(...NAMES), gap: fc.nat(50) }), { maxLength: 30 }).map(list => {
  let at = 0;
  return trace(list.map(({ name, gap }): Row => [(at += gap), name, name === 'guest.panic' ? { message: 'm' } : {}]));
});

test('every event of both runs stands in one row, each run in its own order', () => {
  fc.assert(
    fc.property(rows, rows, (a, b) => {
      const { rows: all, first, differ } = compare(a, b);
      const of = (side: 'a' | 'b'): number[] => all.flatMap(row => row[side]?.seq ?? []);
      const own = ({ events }: Trace): number[] =>
        events.filter((e: TraceEvent) => e.name !== 'lab.end').map(({ seq }) => seq);
      expect(of('a')).toEqual(own(a));
      expect(of('b').toSorted((x, y) => x - y)).toEqual(own(b));
      expect(differ).toBe(first !== undefined);
    }),
  );
});

test('a run compared with itself does not differ, and the sides can be changed', () => {
  fc.assert(
    fc.property(rows, rows, (a, b) => {
      expect(compare(a, a).differ).toBe(false);
      const count = (c: Comparison, kind: string): number => c.rows.filter(row => row.kind === kind).length;
      const [one, other] = [compare(a, b), compare(b, a)];
      expect(count(one, 'only-a')).toBe(count(other, 'only-b'));
      expect(count(one, 'same')).toBe(count(other, 'same'));
    }),
  );
});
