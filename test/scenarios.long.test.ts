import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundledScenarios } from '@syndrome/lab/scenario/load.ts';
import { LONG, RESTORED, coldAndRestored, passes } from './every-scenario.ts';
import { Sandbox } from './program.ts';

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

const scenarios = bundledScenarios().filter(({ name }) => LONG.has(name));

test('all that are left to the long tests are there', () => {
  expect(new Set(scenarios.map(({ name }) => name))).toEqual(LONG);
});

describe('the other scenarios of a machine kind', () => {
  test.each(scenarios.map(s => [s.name, s.outcome]))('%s: %s', async (name, outcome) => {
    expect(await passes(sandbox, name, outcome)).toBe('pass');
  });
});

describe('a restored run gives the verdict of a cold one', () => {
  test.each(RESTORED.seldom)('%s', async name => {
    const [cold, restored] = await coldAndRestored(sandbox, name);
    expect(restored).toEqual(cold);
  });
});
