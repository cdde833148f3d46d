import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Agenda } from './agenda.ts';

test('everything happens at its time; of what is due together, what was asked for first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), times => {
      const agenda = new Agenda(100);
      const seen: [at: number, nth: number][] = [];
      for (const [nth, ms] of times.entries())
        agenda.after(ms, () => {
          seen.push([agenda.now, nth]);
          // What is asked for meanwhile takes its place.
          if (nth % 5 === 0) agenda.after(3, () => seen.push([agenda.now, 1000 + nth]));
        });
      agenda.until(200);
      const asked = times.flatMap((ms, nth): [number, number][] => [
        [100 + ms, nth],
        ...(nth % 5 === 0 ? [[100 + ms + 3, 1000 + nth] as [number, number]] : []),
      ]);
      expect(seen.map(([at]) => at)).toEqual(seen.map(([at]) => at).toSorted((a, b) => a - b));
      expect(seen.toSorted(([, a], [, b]) => a - b)).toEqual(asked.toSorted(([, a], [, b]) => a - b));
      const firsts = seen.filter(([, nth]) => nth < 1000);
      expect(firsts).toEqual(firsts.toSorted(([a, i], [b, j]) => a - b || i - j));
      expect([agenda.length, agenda.now]).toEqual([0, 200]);
    }),
  );
});

test('what is due later waits', () => {
  const agenda = new Agenda(0);
  let done = 0;
  agenda.after(10, () => done++);
  agenda.until(9);
  expect([done, agenda.length, agenda.now]).toEqual([0, 1, 9]);
  agenda.until(10);
  expect([done, agenda.length]).toEqual([1, 0]);
});
