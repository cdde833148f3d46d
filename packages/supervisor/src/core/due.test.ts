/** `SYNDROME_WORLD_RUNS=2000` looks at more histories. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PATIENT, QUICK } from '../sim/policies.ts';
import { nextDue } from './due.ts';
import type { Effect, Input } from './input.ts';
import type { Policy } from './policy.ts';
import { newState } from './state.ts';
import { step } from './step.ts';
import { Scene, START } from './testing/scene.ts';
import { history, World } from './testing/world.ts';

const RUNS = Math.ceil(Number(process.env['SYNDROME_WORLD_RUNS'] ?? '150') / 3);
const TICK_MS = 1000;
/** Past the longest wait of a policy that is tried here, an hour after which a planned stop is forgotten and an hour of looks at a copy. */
const AFTER_MS = 2.2 * 3_600_000;

/**
 * What is wanted of inputs, and of time as it passes.
 * @param isDue whether a tick is given: where time brings nothing it may be left out
 */
function wanted(
  inputs: readonly Input[],
  isDue: (next: number, now: number) => boolean,
): { all: Effect[]; ticks: number } {
  const state = newState();
  const all: Effect[] = [];
  let ticks = 0;
  let next = START;
  const until = (end: number, now: number): void => {
    for (let at = now + TICK_MS; at < end; at += TICK_MS) {
      if (!isDue(next, at)) continue;
      ticks++;
      const effects = step(state, { input: 'tick', at });
      all.push(...effects);
      next = effects.length > 0 ? at : nextDue(state);
    }
  };
  let now = START;
  for (const input of inputs) {
    until(input.at, now);
    now = Math.max(now, input.at);
    all.push(...step(state, input));
    next = now;
  }
  until(now + AFTER_MS, now);
  return { all, ticks };
}

const WINDOWS: Policy = {
  ...QUICK,
  reoffline: true,
  rules: [
    { name: 'many', of: 'host', when: { errors: 2, within: 900_000 }, do: 'evacuate' },
    { name: 'one', of: 'host', when: { errors: 1, within: 120_000 }, do: 'tell' },
    ...PATIENT.rules,
  ],
};

test('who gives a tick only when one is due decides the same, at the same time, as who gives one each second', () => {
  let [all, due] = [0, 0];
  fc.assert(
    fc.property(fc.constantFrom(QUICK, PATIENT, WINDOWS), history, (policy, happenings) => {
      const world = new World(policy);
      for (const h of happenings) world.happen(h);
      const inputs = world.scene.log.map(({ input }) => input).filter(({ input }) => input !== 'tick');
      const each = wanted(inputs, () => true);
      const few = wanted(inputs, (next, now) => now >= next);
      expect(few.all).toEqual(each.all);
      all += each.ticks;
      due += few.ticks;
    }),
    { numRuns: RUNS },
  );
  // It would be the same if all ticks were due.
  expect(due).toBeLessThan(all / 4);
}, 300_000);

test('a fleet in which nothing is open waits for nothing', () => {
  const scene = new Scene(QUICK);
  scene.host('a');
  scene.vm('a', 'v');
  scene.pass(2);
  expect(nextDue(scene.state)).toBe(Infinity);
});

test('an agent that is away is due when it is told', () => {
  const scene = new Scene(QUICK);
  scene.host('a');
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  const away = scene.now;
  scene.pass(1);
  expect(nextDue(scene.state)).toBe(away + 30_000);
});
