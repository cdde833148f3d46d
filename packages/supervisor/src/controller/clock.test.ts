import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SteadyTime } from './clock.ts';

class Fake {
  #wall = 1_000_000_000_000;
  #steady = 0;
  wall = (): number => this.#wall;
  steady = (): number => this.#steady;

  pass(ms: number): void {
    this.#wall += ms;
    this.#steady += ms;
  }
  set(by: number): void {
    this.#wall += by;
  }
}

test('the time never goes back, and never stands still for longer than two milliseconds, whatever is done to the clock', () => {
  const steps = fc.array(
    fc.record({ pass: fc.integer({ min: 2, max: 5000 }), set: fc.integer({ min: -1e10, max: 1e10 }) }),
  );
  fc.assert(
    fc.property(steps, list => {
      const clock = new Fake();
      const time = new SteadyTime(clock);
      let last = time.now();
      for (const { pass, set } of list) {
        clock.set(set);
        clock.pass(pass);
        const now = time.now();
        expect(now).toBeGreaterThan(last);
        last = now;
      }
    }),
  );
});

test('it follows the clock forward at once, and waits for it at half its speed', () => {
  const clock = new Fake();
  const time = new SteadyTime(clock);
  const start = time.now();
  clock.pass(1000);
  expect(time.now()).toBe(start + 1000);
  clock.set(3_600_000);
  expect(time.now()).toBe(start + 3_601_000);
  clock.set(-3_600_000);
  for (let i = 0; i < 1000; i++) {
    clock.pass(1);
    time.now();
  }
  expect(time.now()).toBe(start + 3_601_500);
  clock.pass(7_200_000);
  expect(time.now()).toBe(start + 7_202_000);
  expect(time.jumps).toEqual({ count: 2, lastMs: -3_600_000 });
});

test('it counts each jump, also of two that no millisecond lies between', () => {
  const clock = new Fake();
  const time = new SteadyTime(clock);
  for (const by of [3_600_000, -7_200_000, 60_000]) {
    clock.set(by);
    time.now();
  }
  expect(time.jumps).toEqual({ count: 3, lastMs: 60_000 });
});

test('it begins after the last time that is known', () => {
  const clock = new Fake();
  const time = new SteadyTime(clock, clock.wall() + 10_000);
  expect(time.now()).toBe(clock.wall() + 10_000);
  clock.pass(2000);
  expect(time.now()).toBe(clock.wall() + 9000);
});
