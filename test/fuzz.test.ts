/** The fuzzer notices what it is there for, its command line is one, and each of its targets works. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ranges } from '../scripts/fuzz/jobs.ts';
import { readCommandLine } from '../scripts/fuzz/options.ts';
import { LIMITS, type Result, runTarget } from '../scripts/fuzz/run.ts';
import { BLOCK, type Step } from '../scripts/fuzz/target.ts';
import { TARGETS } from '../scripts/fuzz/targets.ts';

const SCRIPT = join(import.meta.dirname, '..', 'scripts', 'fuzz.ts');

const planted = (step: Step, cases = 20, limits = LIMITS): Promise<Result> =>
  runTarget({ name: 'planted', holds: '', weight: 1, open: () => step }, 1, [0, cases], { limits });

describe('a planted fault is noticed:', () => {
  test('an exception, with the case that repeats it and the cases after it', async () => {
    const { cases, failures } = await planted((_chance, n) => {
      if (n === 7) throw new TypeError('x is not iterable');
      return [];
    });
    expect(cases).toBe(20);
    expect(failures.map(f => f.case)).toEqual([7]);
    expect(failures[0]?.wrong[0]).toMatch(/TypeError: x is not iterable/);
  });

  test('a promise that is rejected', async () => {
    const { failures } = await planted((_chance, n) => (n === 3 ? Promise.reject(new RangeError('deep')) : []));
    expect(failures.map(f => [f.case, f.wrong[0]?.split('\n')[0]])).toEqual([[3, 'RangeError: deep']]);
  });

  test('a promise that never ends', async () => {
    const never = new Promise<string[]>(() => {});
    const limits = { ...LIMITS, caseMs: 20 };
    const { failures } = await planted((_chance, n) => (n === 2 ? never : []), 4, limits);
    expect(failures.map(f => f.case)).toEqual([2]);
    expect(failures[0]?.wrong[0]).toBe('has not ended after 20 ms');
  });

  test('what a target itself finds wrong; after some of that it is stopped', async () => {
    const { cases, failures } = await planted(() => ['wrong class']);
    expect([cases, failures.length]).toEqual([5, 5]);
  });

  test('memory that is kept', async () => {
    const kept: Uint8Array[] = [];
    const leak: Step = () => {
      kept.push(new Uint8Array(64));
      return [];
    };
    const { failures } = await planted(leak, 4 * BLOCK, { ...LIMITS, growth: 64 << 10 });
    expect(failures[0]?.wrong[0]).toMatch(/MiB more heap than after a quarter/);
    const free = await planted(() => [], 4 * BLOCK, { ...LIMITS, growth: 4 << 20 });
    expect(free.failures).toEqual([]);
    expect(kept.length).toBe(4 * BLOCK);
  });

  test('a slow case', async () => {
    const slow: Step = (_chance, n) => {
      const until = performance.now() + 30;
      while (n === 4 && performance.now() < until);
      return [];
    };
    const { failures } = await planted(slow, 6, { ...LIMITS, caseMs: 25 });
    expect(failures.map(f => f.case)).toContain(4);
    expect(failures.find(f => f.case === 4)?.wrong[0]).toMatch(/^took \d+ ms$/);
  });

  test('something that all objects inherit, once and no longer', async () => {
    const { failures } = await planted((_chance, n) => {
      if (n === 5) (Object.prototype as Record<string, unknown>)['polluted'] = 1;
      return [];
    });
    expect(failures).toEqual([{ case: 5, wrong: ['all objects have inherited something'] }]);
    expect('polluted' in {}).toBe(false);
  });
});

describe('cases', () => {
  test('depend on seed, target and number alone: in parts they are the same', async () => {
    const draws = async (parts: [number, number][]): Promise<number[]> => {
      const all: number[] = [];
      for (const range of parts) {
        const step: Step = (chance, n) => {
          if (n >= range[0]) all.push(chance.u32());
          return [];
        };
        await runTarget({ name: 'a', holds: '', weight: 1, open: () => step }, 9, range);
      }
      return all;
    };
    const whole = await draws([[0, 2500]]);
    expect(await draws(ranges(2500, 2))).toEqual(whole);
    expect(
      await draws([
        [0, 1],
        [1, 1234],
        [1234, 2500],
      ]),
    ).toEqual(whole);
    expect(new Set(whole).size).toBeGreaterThan(2400);
  });

  test('are cut at blocks', () => {
    expect(ranges(5500, 2)).toEqual([
      [0, 3000],
      [3000, 5500],
    ]);
    expect(ranges(10, 4)).toEqual([[0, 10]]);
    expect(ranges(0, 4)).toEqual([]);
  });
});

// Each of its processes has to load all that is fuzzed.
describe('command line', { timeout: 120_000 }, () => {
  test('--help and --list name every target with what it holds', () => {
    for (const option of ['--help', '-h', '--list']) {
      const asked = readCommandLine([option]);
      const text = 'print' in asked ? asked.print : '';
      const lines = text.split('\n').map(line => line.trim().replace(/ +/, ' '));
      for (const { name, holds } of TARGETS) expect(lines).toContain(`${name} ${holds}`);
    }
    expect(readCommandLine(['--help'])).toMatchObject({ print: expect.stringMatching(/^Examples:$/m) });
  });

  test.each([
    [['--hlep'], "Unknown option '--hlep'"],
    [['--\u001b]0;x\u202e'], "Unknown option '--\\x1b]0;x\\u{202e}'"],
    [['--runs', '\u001b[2J'], '--runs \\x1b[2J: give a whole number from 1'],
    [['--only', 'a\n\u009b'], '--only a\\x0a\\x9b: there is no such target'],
    [['more'], "Unexpected argument 'more'"],
    [['--runs', 'many'], '--runs many: give a whole number from 1'],
    [['--runs', '1e3'], '--runs 1e3: give a whole number'],
    [['--jobs', '0'], '--jobs 0: give a whole number from 1'],
    [['--only', 'armm'], 'Did you mean "arm"?'],
    [['--case', '5'], '--case needs --only'],
    [['--only', 'decode', '--case', '5'], '--case needs --only'],
  ])('%j is refused', (args, message) => {
    const asked = readCommandLine(args);
    expect('wrong' in asked ? asked.wrong : '').toContain(message);
  });

  test('takes numbers with underscores, and all of a room', () => {
    const asked = readCommandLine(['--runs', '10_000', '--only', 'decode', '--jobs', '2']);
    expect(asked).toMatchObject({ runs: 10_000, seed: 1, jobs: 2, single: undefined });
    expect('targets' in asked ? asked.targets.length : 0).toBeGreaterThan(5);
  });

  const run = async (args: string[], onOutput?: (kill: () => void) => void): Promise<[unknown, string, string]> => {
    const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stdout.once('data', () => onOutput?.(() => child.kill('SIGINT')));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return [code, out, err];
  };

  test('a wrong one is exit code 2, without a stack', async () => {
    const [code, out, err] = await run(['--nope']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe("Unknown option '--nope'\nSee npm run fuzz -- --help.\n");
  });

  test('several jobs run the same cases', async () => {
    const cases = async (jobs: string): Promise<unknown> => {
      const [code, out] = await run(['--only', 'arm', '--runs', '4000', '--json', '--jobs', jobs]);
      const { results } = JSON.parse(out) as { results: Result[] };
      return [code, results.map(r => `${r.name} ${r.cases} ${r.failures.length}`).toSorted()];
    };
    expect(await cases('2')).toEqual(await cases('1'));
  });

  test.each(['1', '2'])('an interruption of %s job(s) ends with what was done', async jobs => {
    // The first line comes when the work begins.
    const [code, out] = await run(['--only', 'arm', '--runs', '900_000_000', '--jobs', jobs], kill => kill());
    expect(out).toMatch(/^\d+ cases in \d+ s, seed 1: 0 failed, interrupted$/m);
    expect(code).toBe(130);
  });
});

describe('each target holds', { timeout: 180_000 }, () => {
  const weights = TARGETS.reduce((sum, t) => sum + t.weight, 0);
  test.each(TARGETS.map(t => [t.name, t] as const))('%s', async (_name, target) => {
    // Those that measure times need far longer for a case: here only that they work.
    const cases = target.measures !== true ? Math.ceil((4000 * target.weight) / weights) : 2;
    const { failures } = await runTarget(target, 1, [0, cases]);
    expect(failures).toEqual([]);
  });

  test('and has a name of its own', () => {
    expect(new Set(TARGETS.map(t => t.name)).size).toBe(TARGETS.length);
  });
});
