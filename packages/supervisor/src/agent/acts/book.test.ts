import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act } from '../../core/act.ts';
import { resultOf } from '../actuator.ts';
import { ActBook } from './book.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'book-'));
  path = join(folder, 'acts.json');
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

const act = (id: string, epoch: number, vm = 'web'): Act => ({
  id,
  kind: 'stop',
  host: 'a',
  vm,
  epoch,
  incident: 'inc-1',
  deadline: 1000,
});

describe('ActBook', () => {
  test('does an act once, and answers the same again, also after a restart', () => {
    const book = new ActBook(path);
    const stop = act('1', 4);
    expect(book.begin(stop, 0)).toEqual({ begin: true });
    // Asked again while it is done: the answer is to come.
    expect(book.begin(stop, 0)).toEqual({ begin: false, answer: undefined });
    const result = resultOf(stop, { state: 'confirmed', seen: { pid: '7' } });
    book.end(result);
    expect(book.begin(stop, 5000)).toEqual({ begin: false, answer: result });
    expect(new ActBook(path).begin(stop, 5000)).toEqual({ begin: false, answer: result });
  });

  test('what a crash interrupted is unknown, and is not done again', () => {
    expect(new ActBook(path).begin(act('1', 4), 0)).toEqual({ begin: true });
    const later = new ActBook(path);
    const again = later.begin(act('1', 4), 0);
    expect(again).toMatchObject({ begin: false, answer: { action: '1', state: 'unknown', epoch: 4 } });
    expect(later.begin(act('1', 4), 0)).toEqual(again);
  });

  test.each(['prove', 'stop', 'terminate'] as const)(
    'a start that comes behind the %s of its epoch begins no copy, also after a crash',
    kind => {
      expect(new ActBook(path).begin({ ...act('1', 4), kind }, 0)).toEqual({ begin: true });
      const book = new ActBook(path);
      const start = (id: string, epoch: number, vm?: string): Act => ({ ...act(id, epoch, vm), kind: 'start' });
      expect(book.begin(start('2', 4), 0)).toMatchObject({ begin: false, answer: { state: 'refused' } });
      expect(book.begin(start('3', 4, 'db'), 0)).toEqual({ begin: true });
      expect(book.begin(start('4', 5), 0)).toEqual({ begin: true });
      expect(book.begin({ ...act('5', 5), kind }, 0)).toEqual({ begin: true });
    },
  );

  test('refuses an epoch older than the highest, which was on the disk before the act was done', () => {
    expect(new ActBook(path).begin(act('1', 4), 0)).toEqual({ begin: true });
    const book = new ActBook(path);
    expect(book.epochOf('web')).toBe(4);
    expect(book.begin(act('2', 3), 0)).toMatchObject({ begin: false, answer: { state: 'refused' } });
    expect(book.begin(act('3', 4), 0)).toEqual({ begin: true });
    expect(book.begin(act('4', 1, 'db'), 0)).toEqual({ begin: true });
  });

  test("asks for the lock of another host's copy in whatever epoch that is, and learns no epoch by it", () => {
    const book = new ActBook(path);
    expect(book.begin({ ...act('1', 5), kind: 'check' }, 0)).toEqual({ begin: true });
    expect(book.begin({ ...act('2', 4), kind: 'ask-lock', of: 'b' }, 0)).toEqual({ begin: true });
    expect(book.begin({ ...act('3', 7), kind: 'ask-lock', of: 'b' }, 0)).toEqual({ begin: true });
    expect(book.epochOf('web')).toBe(5);
  });

  test('refuses what comes too late', () => {
    expect(new ActBook(path).begin(act('1', 4), 1000)).toMatchObject({
      answer: { reason: 'its deadline is over, by 0 s' },
    });
  });

  test('does nothing that it cannot write down', () => {
    const book = new ActBook(join(folder, 'none', 'acts.json'));
    expect(book.begin(act('1', 4), 0)).toMatchObject({ begin: false, answer: { state: 'refused' } });
  });

  test('a damaged book is said, and never overwritten', () => {
    for (const text of ['', '{', '[]', '{"epochs": {}}']) {
      writeFileSync(path, text);
      expect(() => new ActBook(path)).toThrow('is damaged');
    }
  });

  test('no order and no crash lets an epoch go back, or an act happen twice', () => {
    const steps = fc.array(fc.record({ id: fc.nat(9), epoch: fc.nat(5), end: fc.boolean(), crash: fc.boolean() }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, list => {
        rmSync(path, { force: true });
        let book = new ActBook(path);
        const done = new Set<number>();
        let highest = 0;
        for (const { id, epoch, end, crash } of list) {
          const one = act(String(id), epoch);
          const { begin } = book.begin(one, 0);
          if (begin) {
            expect(done.has(id)).toBe(false);
            expect(epoch).toBeGreaterThanOrEqual(highest);
            done.add(id);
            highest = epoch;
            if (end) book.end(resultOf(one, { state: 'confirmed' }));
          }
          if (crash) book = new ActBook(path);
        }
      }),
      { numRuns: 30 },
    );
  });
});
