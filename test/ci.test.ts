/** docs/ci.md: its YAML is YAML, and of the form that each CI asks for; every command in it is one of the program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { bundledScenarios } from '@syndrome/lab/scenario/load.ts';
import { calledIn, faultOf } from './commands-in.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../docs/ci.md'), 'utf8');
const blocks = [...TEXT.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  if?: string;
  with?: Record<string, string>;
}
interface Job {
  'runs-on': string;
  container: string;
  env: Record<string, string | number>;
  steps: Step[];
}
interface Workflow {
  on?: unknown;
  jobs?: Record<string, Job>;
}
interface GitlabJob {
  image: string;
  variables: Record<string, string>;
  cache: { paths: string[] };
  before_script: string[];
  script: string[];
  after_script: string[];
  artifacts: { when: string; paths: string[]; reports: { junit: string } };
}
const documents = blocks.map(block => parse(block, { strict: true, uniqueKeys: true }) as Workflow);
const workflows = documents.filter(document => document.jobs !== undefined);
const [gitlab] = documents.filter(document => document.jobs === undefined) as unknown as Record<string, GitlabJob>[];
const jobs = workflows.flatMap(({ jobs: all = {} }) => Object.values(all));
const [gitlabJob] = Object.values(gitlab ?? {});

/** All lines that a shell gets. */
const lines = [
  ...jobs.flatMap(({ steps }) => steps.flatMap(({ run }) => run?.split('\n') ?? [])),
  ...(gitlabJob ? [gitlabJob.before_script, gitlabJob.script, gitlabJob.after_script].flat() : []),
  // In the text besides.
  ...[...TEXT.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`]+)`/g)]
    .map(([, code = '']) => code)
    .filter(code => /^syndrome \S+ /.test(code)),
];
const calls = lines.flatMap(calledIn);

describe('recipes', () => {
  test('are two for GitHub and one for GitLab', () => {
    expect([workflows.length, gitlab === undefined]).toEqual([2, false]);
  });
  test('of GitHub have steps that use an action of a version, or run something', () => {
    for (const { steps, container, 'runs-on': on } of jobs) {
      expect([container, on]).toEqual(['node:24-trixie', 'ubuntu-latest']);
      for (const { uses, run } of steps) {
        expect([uses, run].filter(Boolean)).toHaveLength(1);
        if (uses !== undefined) expect(uses).toMatch(/^actions\/(?:checkout|cache|upload-artifact)@v\d+$/);
      }
    }
  });
  test('report and upload what there is, also behind a step that failed', () => {
    for (const { steps } of jobs) {
      const ran = steps.findIndex(({ run }) => /syndrome (?:run|matrix)/.test(run ?? ''));
      const later = steps.slice(ran + 1);
      expect(later.map(step => step.if)).toEqual(['${{ !cancelled() }}', '${{ !cancelled() }}']);
      const [report, upload] = later;
      expect(report?.run).toContain('--markdown >> "$GITHUB_STEP_SUMMARY"');
      expect(report?.run).toContain(`--out ${upload?.with?.['path']} `);
    }
    expect(gitlabJob?.after_script[0]).toContain('report results --out site');
    expect(gitlabJob?.artifacts).toMatchObject({
      when: 'always',
      paths: ['site/'],
      reports: { junit: 'results/junit.xml' },
    });
  });
  test('keep the cache that the program is told to use', () => {
    for (const { steps, env } of jobs)
      expect(steps.find(({ uses }) => uses?.startsWith('actions/cache'))?.with?.['path']).toBe(env['SYNDROME_CACHE']);
    expect(gitlabJob?.variables['SYNDROME_CACHE']).toBe(`$CI_PROJECT_DIR/${gitlabJob?.cache.paths[0]}`);
  });
});

describe('commands', () => {
  test('are there', () => {
    expect(calls.length).toBeGreaterThanOrEqual(8);
  });
  test.each(calls.map(call => [call.join(' '), call] as const))('syndrome %s', (_, call) => {
    expect(faultOf(call)).toBeUndefined();
  });
  test('name scenarios that there are', () => {
    const names = new Set(bundledScenarios().map(({ name }) => name));
    const named = calls.flatMap(([command, ...rest]) =>
      command === 'run' || command === 'matrix'
        ? rest.slice(
            0,
            rest.findIndex(word => word.startsWith('-')),
          )
        : [],
    );
    expect(named.length).toBeGreaterThanOrEqual(6);
    expect(named.filter(name => !names.has(name))).toEqual([]);
  });
});

describe('a fault in a command is found', () => {
  test.each([
    ['syndrome report results --summary', 'report has no option --summary'],
    ['x/bin/syndrome reports results', 'there is no command reports'],
    ['syndrome report', 'report wants 1 arguments'],
    ['syndrome show a b', 'show takes no b'],
    ['A=1 syndrome run x --exit-code maybe', /Allowed choices are default, bisect/],
    ['syndrome supply fetched', 'there is no command fetched'],
  ])('%s', (line, fault) => {
    const [call = []] = calledIn(line);
    expect(faultOf(call)).toMatch(fault);
  });
  test.each([
    [
      'syndrome report "a b" --title \'x | y\' >> out; syndrome show x | less # syndrome no',
      [
        ['report', 'a b', '--title', 'x | y'],
        ['show', 'x'],
      ],
    ],
    ['git bisect run syndrome run x --exit-code bisect', [['run', 'x', '--exit-code', 'bisect']]],
    ['git clone syndrome', []],
  ])('words of %s', (line, words) => {
    expect(calledIn(line)).toEqual(words);
  });
});
