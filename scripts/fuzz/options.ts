/** The command line of `npm run fuzz`. */
import { parseArgs } from 'node:util';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { didYouMean } from '@syndrome/decode/common/nearest.ts';
import { escapeText } from '@syndrome/decode/common/screen.ts';
import { TARGETS } from './targets.ts';
import type { Target } from './target.ts';

export interface Options {
  targets: readonly Target[];
  runs: number;
  seed: number;
  /** One case, to be repeated. */
  single: number | undefined;
  jobs: number;
  json: boolean;
}

type CommandLine = Options | { print: string } | { wrong: string };

const MAX_JOBS = 256;

function targetList(): string {
  const width = Math.max(...TARGETS.map(t => t.name.length));
  return TARGETS.map(t => `  ${t.name.padEnd(width)}  ${t.holds}`).join('\n');
}

const usage = (): string => `npm run fuzz -- [options]

Random bytes, spoiled golden inputs and spliced records through every decoder, parser and protocol. Nothing may throw
what its room does not name, answer with more than the input is worth, keep memory, or take for ever; what else has to
hold stands beside each target. A case depends on seed, target and number alone, however many jobs share the work:
each failure comes with the command that repeats it.

  --runs N     cases in all (100000), shared by weight
  --seed S     another seed, other cases (1)
  --only NAME  one target (qmp:protocol), or all of a room (qmp)
  --case N     this case of one target, with the cases of its block before it
  --jobs N     in N processes (1)
  --json       the results as one JSON object
  --list       the targets, and no more
  --help       this text

Targets:
${targetList()}

Examples:
  npm run fuzz
  npm run fuzz -- --runs 10_000_000 --jobs 2
  npm run fuzz -- --only supply --runs 50000 --seed 7
  npm run fuzz -- --seed 7 --only qmp:protocol --case 1234

Exit code: 0 when all is well, 1 when anything failed, 2 for a wrong command line, 130 when it was interrupted (what was
done until then is told).
`;

/** Reads the arguments. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const parsed = parse(args);
  if ('wrong' in parsed) return { wrong: `${escapeText(parsed.wrong)}\nSee npm run fuzz -- --help.` };
  return parsed;
}

function parse(args: readonly string[]): CommandLine {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        runs: { type: 'string', default: '100000' },
        seed: { type: 'string', default: '1' },
        only: { type: 'string' },
        case: { type: 'string' },
        jobs: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    return { wrong: messageOf(error) };
  }
  if (values.help) return { print: usage() };
  if (values.list) return { print: `${targetList()}\n` };
  const numbers: [name: 'runs' | 'seed' | 'case' | 'jobs', least: number, most: number][] = [
    ['runs', 1, Number.MAX_SAFE_INTEGER],
    ['seed', 0, Number.MAX_SAFE_INTEGER],
    ['case', 0, Number.MAX_SAFE_INTEGER],
    ['jobs', 1, MAX_JOBS],
  ];
  const whole = new Map<string, number>();
  for (const [name, least, most] of numbers) {
    const text = values[name];
    if (text === undefined) continue;
    const n = /^[0-9][0-9_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
    if (!(n >= least && n <= most)) return { wrong: `--${name} ${text}: give a whole number from ${least} to ${most}` };
    whole.set(name, n);
  }
  const { only } = values;
  const targets = TARGETS.filter(t => only === undefined || t.name === only || t.name.startsWith(`${only}:`));
  if (targets.length === 0) {
    const names = TARGETS.map(t => t.name);
    return { wrong: `--only ${only ?? ''}: there is no such target. ${didYouMean(only ?? '', names)}` };
  }
  const single = whole.get('case');
  if (single !== undefined && targets.length !== 1) return { wrong: '--case needs --only with the name of one target' };
  return {
    targets,
    runs: whole.get('runs') ?? 1,
    seed: whole.get('seed') ?? 1,
    single,
    jobs: whole.get('jobs') ?? 1,
    json: values.json,
  };
}
