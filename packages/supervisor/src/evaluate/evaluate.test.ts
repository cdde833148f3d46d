import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_POLICY } from '../core/policy.ts';
import { policyId } from '../core/step.ts';
import { shippedPolicy } from '../policy/shipped.ts';
import { ASSUMPTIONS, assumed } from './assumptions.ts';
import { contenders, variants } from './contenders.ts';
import { Episode } from './episode.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { differenceOf, drawFaults, idleOutcomes, ratesOf, underPolicy } from './measure.ts';
import { plotOf } from './plot.ts';
import { withTables } from './tables.ts';
import { type Timeline, timelineOf, weightOf } from './timeline.ts';

const DOCS = join(import.meta.dirname, '../../../../docs');
const doc = (name: string): string => readFileSync(join(DOCS, `policy-evaluation.${name}`), 'utf8');
const given = assumed();
const HOUR = 3_600_000;
const policyOf = (name: string): typeof NO_POLICY => {
  const found = contenders().find(one => one.name === name);
  if (found === undefined) throw new RangeError(name);
  return found.policy;
};

/** A fault by hand: uncorrected errors at these hours, each in the place of a VM; used by its kernel unless said otherwise. */
function fault(
  errors: readonly (readonly [hours: number, slot: number, luck?: readonly [number, number]])[],
): Timeline {
  return {
    stratum: 'sudden',
    mode: 'bank',
    located: true,
    happenings: errors.map(([hours, slot, luck = [0, 0.1]], i) => ({
      at: hours * HOUR,
      is: 'uncorrected',
      page: { pfn: 0x1000n + BigInt(i), slot },
      luck,
      repeats: 0,
    })),
  };
}

describe('an episode', () => {
  test('counts what nobody sees to: a guest panics, its owner starts it after half an hour, and was told nothing', () => {
    const { outcome, hurt } = new Episode(fault([[1, 3]]), policyOf('B0'), given).run();
    expect(outcome).toMatchObject({
      crashes: 1,
      consumed: 1,
      harmed: 1,
      late: 1,
      restarts: 0,
      migrations: 0,
      downMinutes: 31,
    });
    expect([...hurt.keys()]).toEqual(['v3']);
  });

  test('of the shipped policy: it is started elsewhere after its dump, and its owner is told at once', () => {
    const { outcome } = new Episode(fault([[1, 3]]), policyOf('P'), given).run();
    expect(outcome).toMatchObject({ crashes: 1, harmed: 1, late: 0, restarts: 0 });
    // It settles for a minute, is stopped, started, and boots.
    expect(outcome.downMinutes).toBeGreaterThan(2);
    expect(outcome.downMinutes).toBeLessThan(5);
  });

  test('two errors in one DIMM empty the host: what comes later hurts nobody', () => {
    const errors = [
      [1, 3, [0, 0.9]],
      [2, 4, [0, 0.9]],
      [90, 5],
      [91, 6],
    ] as const;
    const nothing = new Episode(fault(errors), policyOf('B0'), given).run();
    expect(nothing.outcome).toMatchObject({ crashes: 2, harmed: 4 });
    const { outcome } = new Episode(fault(errors), policyOf('P'), given, nothing.hurt).run();
    expect(outcome).toMatchObject({
      harmed: 2,
      restarts: 2,
      needlessRestarts: 2,
      migrations: 10,
      needlessMigrations: 8,
    });
    // Closed until it is repaired.
    expect(outcome.closedHostDays).toBeCloseTo(given.repairDays, 2);
  });

  test('a reset at the first error interrupts whoever had one', () => {
    const errors = [
      [1, 3, [0, 0.9]],
      [2, 3, [0, 0.9]],
    ] as const;
    const nothing = new Episode(fault(errors), policyOf('B0'), given).run();
    const { outcome } = new Episode(fault(errors), policyOf('B1'), given, nothing.hurt).run();
    expect(outcome).toMatchObject({ restarts: 2, needlessRestarts: 1, consumed: 2, closedHostDays: 0 });
  });

  test('a VMM that dies is started elsewhere by whoever looks at that alone', () => {
    const dies = fault([[1, 3, [0, 0.01]]]);
    const [b0, b2] = ['B0', 'B2'].map(name => new Episode(dies, policyOf(name), given).run().outcome.downMinutes);
    expect(b0).toBe(31);
    expect(b2).toBeLessThan(2);
  });

  test('a page that was taken away in time hurts nobody', () => {
    const page = { pfn: 0x5000n, slot: 2 } as const;
    const weak: Timeline = {
      ...fault([]),
      happenings: [
        { at: HOUR, is: 'corrected', page, count: 60 },
        { at: 5 * HOUR, is: 'uncorrected', page, luck: [0, 0.9], repeats: 0 },
      ],
    };
    expect(new Episode(weak, policyOf('B0'), given).run().outcome.harmed).toBe(1);
    expect(new Episode(weak, policyOf('B3'), given).run().outcome).toMatchObject({
      harmed: 0,
      offlinedMb: 4096 / 2 ** 20,
    });
  });
});

describe('faults', () => {
  test('are the same for the same seed, and as many of each sort as the field has', () => {
    expect(timelineOf(7, 'foretold', given)).toEqual(timelineOf(7, 'foretold', given));
    expect(timelineOf(7, 'foretold', given)).not.toEqual(timelineOf(8, 'foretold', given));
    const all = (['foretold', 'sudden'] as const).reduce((sum, stratum) => sum + weightOf(stratum, given), 0);
    expect(all).toBeCloseTo(given.ueHosts, 12);
    expect(all - weightOf('sudden', given) + weightOf('corrected', given)).toBeCloseTo(given.ceHosts, 12);
  });

  test('have as many corrected errors as was assumed, and uncorrected ones behind them', () => {
    const flat = assumed({ ceSkew: 1, more: 0, leadHours: 48 });
    const counts = Array.from({ length: 200 }, (_, i) =>
      timelineOf(i, 'corrected', flat).happenings.reduce((sum, h) => sum + (h.is === 'corrected' ? h.count : 0), 0),
    );
    // Half a year of 300 a year.
    expect(counts.reduce((a, b) => a + b) / counts.length / (300 * (180 / 365))).toBeCloseTo(1, 1);
    for (let seed = 0; seed < 50; seed++)
      expect(timelineOf(seed, 'foretold', flat).happenings.filter(h => h.is === 'uncorrected')).toHaveLength(1);
  });
});

describe('rates', () => {
  test('weigh each sort of fault by how often it is, with an interval', () => {
    const faults = drawFaults(20, 1, given, policyOf('B0'));
    const idle = idleOutcomes(faults);
    const { harmed, restarts } = ratesOf(given, idle);
    const mean = (['corrected', 'foretold', 'sudden'] as const)
      .map(s => (weightOf(s, given) * idle[s].reduce((sum, o) => sum + o.harmed, 0)) / 20)
      .reduce((a, b) => a + b);
    expect(harmed[0]).toBeCloseTo(mean * 10_000, 0);
    expect(harmed[1]).toBeGreaterThan(0);
    expect(restarts).toEqual([0, 0]);
    expect(differenceOf(given, idle, idle, o => o.harmed)).toEqual([0, 0]);
  });

  test('a policy that is not told of corrected errors does nothing where there are no others', () => {
    const faults = drawFaults(5, 3, given, policyOf('B0'));
    const { corrected } = idleOutcomes(faults);
    for (const name of ['B1', 'B2', 'B4']) expect(underPolicy(faults, policyOf(name)).corrected).toEqual(corrected);
  });
});

test('each variant changes one rule of the shipped policy', () => {
  const shipped = shippedPolicy('protect');
  for (const { policy, rule, value } of variants()) {
    const same = policy.rules.filter(r => shipped.rules.some(s => JSON.stringify(s) === JSON.stringify(r)));
    expect(same, `${rule} ${value}`).toHaveLength(shipped.rules.length - 1);
  }
});

test('an evaluation is the same for the same seed', () => {
  const options = { seed: 5, episodes: { policies: 2, thresholds: 1, assumptions: 1 } };
  const told: string[] = [];
  const once = evaluate({ ...options, told: what => told.push(what) });
  expect(evaluate(options)).toEqual(once);
  expect(once.policies.map(({ name }) => name)).toEqual(['B0', 'B1', 'B2', 'B3', 'B4', 'P']);
  expect(once.assumptions).toHaveLength(ASSUMPTIONS.length);
  expect(told).toContain('ueHosts 0.04');
}, 120_000);

describe('the document', () => {
  const kept = JSON.parse(doc('json')) as Evaluation;

  test('has the tables and the picture of the numbers that are kept: else npm run policy:evaluate -- --kept --write', () => {
    expect(withTables(doc('md'), kept)).toBe(doc('md'));
    expect(plotOf(kept)).toBe(doc('svg'));
  });

  test('is of the policy as it is shipped, and of the assumptions as they are: else npm run policy:evaluate -- --write', () => {
    expect(kept.policy).toBe(policyId(shippedPolicy('protect')));
    expect(kept.assumptions.map(({ name, of }) => [name, ...of.map(({ value }) => value)])).toEqual(
      ASSUMPTIONS.map(({ name, low, value, high }) => [name, low, value, high]),
    );
    expect(kept.thresholds.map(({ rule, value }) => `${rule} ${value}`)).toEqual(
      variants().map(({ rule, value }) => `${rule} ${value}`),
    );
  });
});
