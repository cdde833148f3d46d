import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PendingCalls } from './pending-calls.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settled = (answer: Promise<string>): Promise<string> =>
  answer.then(
    value => `answered ${value}`,
    error => `refused ${(error as Error).message}`,
  );

describe('pending calls', () => {
  test('each gets the answer of its own key, in whatever order they come, and nothing later', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .uniqueArray(fc.nat(50), { minLength: 1 })
          .chain(keys => fc.tuple(fc.constant(keys), fc.shuffledSubarray(keys))),
        async ([keys, order]) => {
          const calls = new PendingCalls<number, string, string>();
          const all = keys.map(key => settled(calls.add(key, `call ${key}`, 1000, () => new Error(`late ${key}`))));
          for (const key of order) {
            expect(calls.get(key)).toBe(`call ${key}`);
            calls.take(key)?.resolve(String(key));
            expect(calls.take(key)).toBeUndefined();
          }
          vi.advanceTimersByTime(1000);
          const expected = keys.map(key => (order.includes(key) ? `answered ${key}` : `refused late ${key}`));
          expect(await Promise.all(all)).toEqual(expected);
          expect(vi.getTimerCount()).toBe(0);
        },
      ),
    );
  });

  test('a deadline is that of its call, and what comes late is nobody’s', async () => {
    const calls = new PendingCalls<string, string, string>();
    const quick = settled(calls.add('a', 'a', 10, () => new Error('a is late')));
    const slow = settled(calls.add('b', 'b', 20, () => new Error('b is late')));
    vi.advanceTimersByTime(10);
    expect(await quick).toBe('refused a is late');
    expect(calls.take('a')).toBeUndefined();
    calls.take('b')?.resolve('yes');
    expect(await slow).toBe('answered yes');
  });

  test('at the end each that waits is refused in its order; one that a refusal ends is not refused twice', async () => {
    const calls = new PendingCalls<number, string, string>();
    const all = [1, 2, 3].map(key => settled(calls.add(key, `call ${key}`, 10, () => new Error('late'))));
    calls.take(2)?.reject(new Error('no'));
    const seen: string[] = [];
    calls.end((call, key) => {
      seen.push(`${call} ${key}`);
      return new Error(`closed ${key}`);
    });
    expect(seen).toEqual(['call 1 1', 'call 3 3']);
    expect(await Promise.all(all)).toEqual(['refused closed 1', 'refused no', 'refused closed 3']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
