import { describe, expect, it } from 'vitest';
import { InOrder } from './in-order.ts';
import type { TextItem } from '../item.ts';

const item = (firstLine: number, name = 'x'): TextItem => ({
  type: 'foreign-event',
  form: 'linux',
  name,
  fields: {},
  firstLine,
  lastLine: firstLine,
});

function collect(): { out: [number, string][]; order: InOrder } {
  const out: [number, string][] = [];
  return { out, order: new InOrder(i => out.push([i.firstLine, i.type === 'foreign-event' ? i.name : ''])) };
}

describe('items in the order of the input', () => {
  it('wait for the record that began before them', () => {
    const { out, order } = collect();
    order.take(item(6));
    order.release(2);
    expect([out, order.waiting]).toEqual([[], true]);
    order.take(item(2));
    order.release(Number.POSITIVE_INFINITY);
    expect(out.map(([line]) => line)).toEqual([2, 6]);
  });

  it('of one line stay as they came', () => {
    const { out, order } = collect();
    for (const name of ['a', 'b', 'c']) order.take(item(3, name));
    order.release(3);
    expect(out.map(([, name]) => name)).toEqual(['a', 'b', 'c']);
  });

  it('do not wait for ever', () => {
    const { out, order } = collect();
    for (let line = 10; line < 110; line++) {
      order.take(item(line));
      order.release(1);
    }
    expect(out.map(([line]) => line)).toEqual(Array.from({ length: 36 }, (_, i) => 10 + i));
  });
});
