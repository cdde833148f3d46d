import { expect, test } from 'vitest';
import { ControllerClock } from './controller-clock.ts';

const HOUR = 3_600_000;
const START = 1_795_914_984_000;

function clocks(off: number): {
  clock: ControllerClock;
  pass: (ms: number) => void;
  set: (ms: number) => void;
  now: () => number;
} {
  let [passed, wrong] = [0, off];
  const now = (): number => START + passed;
  return {
    clock: new ControllerClock({ steady: () => passed, wall: () => now() + wrong }),
    pass: ms => void (passed += ms),
    set: ms => void (wrong = ms),
    now,
  };
}

test.each([-HOUR, -5, 0, 5, HOUR])(
  'a clock that is off by %d ms: a deadline is as far away as at the controller',
  off => {
    const { clock, pass, now } = clocks(off);
    clock.heard(now());
    pass(1000);
    expect(clock.here(now() + 60_000) - (now() + off)).toBe(60_000);
  },
);

test('before the first message both clocks count as the same', () => {
  expect(clocks(HOUR).clock.here(START)).toBe(START);
});

test('what waited in a buffer while the agent was stopped makes no deadline later', () => {
  const { clock, pass, now } = clocks(-HOUR);
  clock.heard(now());
  const late = [now() + 5000, now() + 10_000];
  const deadline = now() + 15_000;
  pass(60_000);
  for (const time of late) clock.heard(time);
  expect(clock.here(deadline) - (now() - HOUR)).toBe(-45_000);
});

test('a controller whose time runs slower for a while, since its clock was set back, is followed', () => {
  const { clock, pass, now } = clocks(0);
  const slow = (): number => START + (now() - START) / 2;
  for (let i = 0; i < 60; i++) {
    pass(5000);
    clock.heard(slow());
  }
  // Off by half the time of the messages that count, and no more.
  expect(clock.here(slow() + 15_000) - now()).toBeGreaterThan(0);
});

test('a clock that is set later is followed', () => {
  const { clock, pass, set, now } = clocks(0);
  clock.heard(now());
  pass(1000);
  set(HOUR);
  expect(clock.here(now() + 60_000) - (now() + HOUR)).toBe(60_000);
});
