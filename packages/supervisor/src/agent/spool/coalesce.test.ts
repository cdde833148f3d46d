import { event } from '@syndrome/decode/events/event.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Said, SeenEvent } from '../../core/said.ts';
import { Coalescer } from './coalesce.ts';

const seen = (pfn: number): SeenEvent => ({
  kind: 'event',
  source: 'kmsg',
  event: event('host.memory-failure', { pfn: BigInt(pfn), page: 'dirty LRU page', result: 'Recovered' }),
});
const counts = (out: Said[]): number[] => out.map(s => (s.kind === 'event' ? (s.count ?? 1) : -1));

describe('Coalescer', () => {
  test('lets a burst through, then counts, and writes the count when the window is over', () => {
    const out: Said[] = [];
    const coalescer = new Coalescer(s => out.push(s), { burst: 2 });
    for (let i = 0; i < 10_000; i++) coalescer.take(seen(1), 0);
    coalescer.take(seen(2), 1);
    expect(counts(out)).toEqual([1, 1, 1]);
    coalescer.tick(999);
    expect(out).toHaveLength(3);
    coalescer.tick(1000);
    expect(counts(out)).toEqual([1, 1, 1, 9998]);
    coalescer.take(seen(1), 1001);
    expect(counts(out).at(-1)).toBe(1);
  });

  test('counts earlier and longer where the spool runs full', () => {
    const out: Said[] = [];
    const coalescer = new Coalescer(s => out.push(s));
    for (let i = 0; i < 100; i++) coalescer.take(seen(1), i * 500, true);
    expect(counts(out)).toEqual([1]);
    coalescer.tick(60_000, true);
    expect(counts(out)).toEqual([1, 99]);
  });

  test('never holds anything but events back', () => {
    const out: Said[] = [];
    const coalescer = new Coalescer(s => out.push(s), { burst: 1 });
    for (let i = 0; i < 5; i++) coalescer.take({ kind: 'source', source: 'qmp', state: 'lost' }, 0);
    expect(out).toHaveLength(5);
  });

  test('the sum of all counts is what came, whatever comes when, and memory is bounded', () => {
    const arrivals = fc.array(fc.record({ pfn: fc.nat(8), wait: fc.nat(700), tight: fc.boolean() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(arrivals, list => {
        const out: Said[] = [];
        const coalescer = new Coalescer(s => out.push(s), { burst: 2, keys: 4 });
        let now = 0;
        for (const { pfn, wait, tight } of list) coalescer.take(seen(pfn), (now += wait), tight);
        coalescer.end();
        for (let pfn = 0; pfn <= 8; pfn++) {
          const of = (s: Said): boolean =>
            s.kind === 'event' && (s.event.fields as { pfn: bigint }).pfn === BigInt(pfn);
          const sum = counts(out.filter(of)).reduce((a, b) => a + b, 0);
          expect(sum).toBe(list.filter(a => a.pfn === pfn).length);
        }
      }),
    );
  });
});
