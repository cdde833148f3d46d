/** `SYNDROME_SIM_HOURS=1000000` simulates more host-hours than 4,000. */
import { describe, expect, test } from 'vitest';
import { NAMED_SEEDS } from './testing/seeds.ts';
import type { Violation } from './site.ts';
import { type Fault, FAULTS } from './faults.ts';
import { FLAWS, simulate, type SimulationOptions } from './simulate.ts';

const HOURS = Number(process.env['SYNDROME_SIM_HOURS'] ?? 4000);
/** Within so many host-hours the lack of a check has to show. */
const FLAW_HOURS = 10_000;
const site = (more: Partial<SimulationOptions> = {}): SimulationOptions => ({
  hosts: 20,
  hours: HOURS,
  seed: 1,
  faultsPerHostHour: 0.2,
  ...more,
});

describe('a simulation', () => {
  test(
    'of sites in which everything fails: what must hold holds',
    async () => {
      const found = await simulate(site());
      expect(found.violations).toEqual([]);
      // Idle hours prove nothing.
      expect(found.faults / found.hostHours).toBeGreaterThan(0.1);
      expect(Math.min(found.starts, found.proofs)).toBeGreaterThan(20);
    },
    60_000 + HOURS * 20,
  );

  test('of few hosts, and of many for a short time', async () => {
    for (const [hosts, hours] of [
      [3, 600],
      [300, 300],
    ] as const)
      expect(await simulate(site({ hosts, hours, seed: 5 }))).toMatchObject({ hostHours: hours, violations: [] });
  }, 120_000);

  test('is the same for the same seed, and another one for another', async () => {
    const once = await simulate(site({ hours: 200, seed: 7 }));
    expect(await simulate(site({ hours: 200, seed: 7 }))).toEqual(once);
    expect(await simulate(site({ hours: 200, seed: 8 }))).not.toEqual(once);
  });

  test('in several threads is the same as in one, in the same order', async () => {
    const seeds = async (threads: number): Promise<unknown> => {
      const told: unknown[] = [];
      const sum = await simulate(site({ hours: 1500, flaw: 'proof', threads, told: counts => told.push(counts) }));
      return { sum, told };
    };
    expect(await seeds(3)).toEqual(await seeds(1));
  }, 120_000);

  test('meets all that fails, and counts it', async () => {
    const { nemesis, faults } = await simulate(site({ hours: 2400, seed: 3, faultsPerHostHour: 1 }));
    const struck = Object.keys(FAULTS) as Fault[];
    expect(struck.reduce((sum, name) => sum + nemesis[name], 0)).toBe(faults);
    // Those that are rare, or come only with shards.
    const rare = [
      'shards-led',
      'shards-given',
      'lease-outlived',
      'late-write-refused',
      'pause',
      'acts-late',
      'controllers-away',
    ];
    expect(
      Object.keys(nemesis).filter(name => nemesis[name as keyof typeof nemesis] === 0 && !rare.includes(name)),
    ).toEqual([]);
  }, 60_000);

  test('of ledgers that controllers share: each has one at a time, nothing is lost when they move', async () => {
    const found = await simulate(site({ hours: 960, seed: 1, shards: 4, faultsPerHostHour: 0.3 }));
    expect(found.violations).toEqual([]);
    const { nemesis } = found;
    // More often than each was led at first.
    expect(nemesis['shards-led']).toBeGreaterThan(8);
    expect(nemesis['shards-given']).toBeGreaterThan(0);
  }, 60_000);

  test('ends when it is told to', async () => {
    for (const threads of [1, 2])
      await expect(simulate(site({ threads, signal: AbortSignal.abort() }))).rejects.toMatchObject({
        name: 'AbortError',
      });
  });
});

test('a controller that writes without its lease is seen beside the one that has it', async () => {
  const { violations } = await simulate(
    site({ hours: 1440, seed: 1, shards: 4, faultsPerHostHour: 0.3, flaw: 'epoch' }),
  );
  expect(violations.map(({ invariant }) => invariant)).toContain('S1');
}, 120_000);

describe.each(NAMED_SEEDS)('the seed $name', ({ seed, hosts, hours, faultsPerHostHour, invariant, flaw }) => {
  const options = { seed, hosts, hours, faultsPerHostHour };

  test('holds', async () => {
    expect(await simulate(options)).toMatchObject({ seeds: 1, violations: [] });
  }, 60_000);

  test.runIf(flaw !== undefined)(
    'shows what was wrong where that is so again',
    async () => {
      const { violations } = await simulate({ ...options, ...(flaw === undefined ? {} : { flaw }) });
      expect(violations.map(found => found.invariant)).toContain(invariant);
    },
    60_000,
  );
});

/** The tests of the tests: each check that is left out is missed. */
test.each(FLAWS)(
  'without the check "%s" something does not hold',
  async flaw => {
    const expected = { epoch: /^I(?:4|7|10|12)$/, proof: /^I4$/, dedupe: /^I3$/, breaker: /^I10$/ }[flaw];
    const shown: { seed: number; hostHours: number }[] = [];
    const enough = new AbortController();
    const told = (one: { violations: Violation[]; seed: number; hostHours: number }): void => {
      if (!one.violations.some(({ invariant }) => expected.test(invariant))) return;
      shown.push(one);
      enough.abort();
    };
    await simulate(site({ hours: FLAW_HOURS, flaw, told, signal: enough.signal })).catch(() => {});
    const [{ seed, hostHours } = expect.fail('it was not missed')] = shown;
    // The same site with the check: nothing is wrong.
    expect(await simulate(site({ hours: hostHours, seed }))).toMatchObject({ seeds: 1, hostHours, violations: [] });
  },
  300_000,
);
