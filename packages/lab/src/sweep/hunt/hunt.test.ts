import { describe, expect, test } from 'vitest';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import type { CellRun, Engine } from '../../engine/engine.ts';
import { parseScenario } from '../../scenario/load.ts';
import { observe } from '../observation.ts';
import { defectOf, expectationOf, featuresOf } from './coverage.ts';
import type { Corpus } from './corpus.ts';
import { type Genome, isWhole, mutated, randomGenome, scenarioText, simpler } from './genome.ts';
import { chanceOf, hunt } from './hunt.ts';

const TOLD = { name: 'hunted', title: 'A run', outcome: 'none', expect: expectationOf('hung') };

describe.each(['intel', 'amd'] as const)('genomes of %s', vendor => {
  /** Of a few hundred places in a hunt, each made of those before it. */
  const genomes: Genome[] = [];
  for (let n = 0; n < 300; n++) {
    const chance = chanceOf(7, n);
    const [a, b] = [genomes.at(-1 - chance(10)), genomes.at(chance(Math.max(1, genomes.length)))];
    genomes.push(a === undefined || b === undefined ? randomGenome(vendor, chance) : mutated(a, b, chance));
  }
  test('are scenarios, whatever chance makes of them', () => {
    for (const genome of genomes) {
      const { steps } = parseScenario(scenarioText(genome, TOLD), 'hunted.yaml');
      expect(steps.some(({ step }) => step === 'inject-mce')).toBe(true);
      // A VM that stands still answers nothing.
      const stands = steps.findLastIndex(({ step }) => step === 'pause');
      expect(steps.findLastIndex(({ step }) => step === 'resume')).toBeGreaterThan(stands);
    }
  });
  test('differ, and are the same for a seed', () => {
    expect(new Set(genomes.map(genome => JSON.stringify(genome))).size).toBeGreaterThan(250);
    expect(randomGenome(vendor, chanceOf(7, 3))).toEqual(randomGenome(vendor, chanceOf(7, 3)));
  });
  test('become simpler until nothing is left to take away', () => {
    for (const genome of genomes.slice(-20)) {
      let small = genome;
      for (let n = 0; n < 200; n++) {
        const [next] = simpler(small);
        if (next === undefined) break;
        expect(isWhole(next)).toBe(true);
        small = next;
      }
      expect([...simpler(small)]).toEqual([]);
      expect(small.genes).toHaveLength(1);
    }
  });
});

const eventsOf = (...printed: string[]): TraceEvent[] =>
  [
    { layer: 'lab', source: 'lab', name: 'lab.injected', fields: { kind: 'mce' } },
    ...printed.map(raw => ({ layer: 'guest', source: 'console', raw })),
  ].map((event, i) => ({ seq: i + 1, t: i, ...event })) as TraceEvent[];

describe('what is new', () => {
  test('is a kind of line, not where the kernel was', () => {
    const one = observe(
      eventsOf(
        '[    7.1] mce: [Hardware Error]: RIP !INEXACT! 10:<ffffffff81a0b1c2> {pv_native_safe_halt+0xb/0x10}',
        '[    7.1] mce: [Hardware Error]: TSC 5a1b2c3d4e ADDR 91e1000',
        '[    7.2] RAX: 0000000000000000 RBX: ffffffff82a0f9c0 RCX: 0000000000000001',
        '[    7.2]  ? do_idle+0x1f/0x30',
      ),
    );
    expect(featuresOf(one)).toEqual(['outcome none', 'line TSC <n> ADDR <n>']);
  });
  test('is a defect where the kernel says so, or does not answer', () => {
    const warned = '[    7.2] WARNING: CPU: 0 PID: 12 at arch/x86/kernel/cpu/mce/core.c:512 mce_read+0x1/0x2';
    const defect = defectOf(observe(eventsOf(warned)));
    expect(defect).toContain('WARNING: CPU: <n> PID: <n> at arch');
    const [, pattern = ''] = /~ "(.*)"'$/.exec(expectationOf(defect ?? '')) ?? [];
    expect(warned).toMatch(new RegExp(pattern));
    expect(defectOf(observe(eventsOf('[    7.2] Kernel panic - not syncing: Fatal machine check')))).toBeUndefined();
    expect(defectOf({ ...observe(eventsOf()), outcome: 'hung' })).toBe('hung');
  });
});

test('a hunt keeps what is new, and makes a defect small', async () => {
  // As a kernel would that warns of every uncorrected error of bank 3 with a fetch, and logs the others.
  const ran: string[] = [];
  const run: Engine['run'] = spec => {
    const injected = spec.scenario.steps.find(({ step }) => step === 'inject-mce')?.args as
      | { fields: string; bank: number }
      | undefined;
    ran.push(JSON.stringify(spec.scenario.steps));
    const warns = injected !== undefined && injected.bank === 3 && injected.fields.split(' ').includes('UC');
    const events = eventsOf(warns ? '[    7.2] WARNING: at mce/core.c' : '[    7.2] mce: a line');
    return Promise.resolve({
      events,
      engine: 'fork',
      refusals: [],
      cpuSeconds: { qemu: 0.1 },
      result: { verdict: 'pass' },
    } as unknown as CellRun);
  };
  const kept: { genome: Genome; features: string[] }[] = [];
  const corpus: Corpus = {
    load: () => Promise.resolve([...kept]),
    keep: (genome, features) => {
      kept.push({ genome, features: [...features] });
      return Promise.resolve();
    },
  };
  const engine: Engine = { kind: 'fork', refusals: [], run, close: () => Promise.resolve() };
  const options = { vendor: 'intel', seed: 3, jobs: 1, limit: 120, choices: {}, engine, corpus } as const;
  const report = await hunt(options);
  expect(report.found).toContain('line mce: a line');
  expect(report.found).toContain('line WARNING: at mce/core.c');
  expect(report.caught).toMatchObject([{ defect: 'WARNING: at mce/core.c' }]);
  const scenario = parseScenario(report.caught[0]?.scenario ?? '', 'hunted-1.yaml');
  expect(scenario.steps.filter(({ step }) => step === 'inject-mce')).toHaveLength(1);
  expect(report.caught[0]?.scenario).toContain(
    'bank: 3, vendor: intel, fields: "VAL UC MCACOD=0x0", addr: $page, misc: 0x8c',
  );
  expect(scenario.expect.map(({ text }) => text)).toEqual(['within 60s: guest.line ~ "WARNING: at mce.core.c"']);
  // What is known is not new again.
  const next = await hunt({ ...options, limit: 20 });
  expect(next.found).toEqual([]);
  expect(next.corpus).toBe(report.corpus);
  expect(report.runs + next.runs).toBe(ran.length);
});
