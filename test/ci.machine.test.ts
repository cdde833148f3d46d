/** The recipes of docs/ci.md run as they stand there, on real machines: what a runner does itself is done here. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cacheRoot } from '@syndrome/lab/supply/layout.ts';
import { Sandbox } from './program.ts';

const ROOT = join(import.meta.dirname, '..');
const documents = [...readFileSync(join(ROOT, 'docs/ci.md'), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
  ([, block = '']) => parse(block) as Record<string, unknown>,
);

let sandbox: Sandbox;
let work = '';
let env: NodeJS.ProcessEnv = {};
beforeEach(() => {
  sandbox = new Sandbox();
  work = join(sandbox.dir, 'work');
  mkdirSync(work);
  symlinkSync(ROOT, join(work, 'syndrome'));
  env = { ...sandbox.env };
});
afterEach(() => sandbox.remove());

/** A line of a recipe in its folder, with the cache of the tests in the place of the one that the CI keeps. */
function run(script: string): void {
  const { status, stderr } = spawnSync('bash', ['-e', '-c', script], {
    cwd: work,
    env: { ...env, SYNDROME_CACHE: cacheRoot(undefined) },
    encoding: 'utf8',
    timeout: 300_000,
  });
  expect(status, `${script}\n${stderr}`).toBe(0);
}
const file = (name: string): string => readFileSync(join(work, name), 'utf8');

test('on GitHub: runs, a summary, a site', { timeout: 600_000 }, async () => {
  const [workflow] = documents as { jobs: { scenarios: { env: Record<string, string>; steps: { run?: string }[] } } }[];
  const { scenarios } = workflow?.jobs ?? {};
  const [summary, paths] = ['summary.md', 'paths'].map(name => join(work, name));
  Object.assign(env, scenarios?.env, {
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_PATH: paths,
    GITHUB_REPOSITORY: 'someone/linux',
    GITHUB_REF_NAME: 'topic/$(touch owned)',
  });
  for (const { run: script } of scenarios?.steps ?? []) {
    if (script === undefined) continue;
    run(script);
    if (existsSync(join(work, 'paths'))) env['PATH'] = `${file('paths').trim()}${delimiter}${process.env['PATH']}`;
  }
  expect(file('summary.md')).toMatch(/^## someone\/linux topic\/\$\\\(touch owned\\\): 3 pass$/m);
  expect(existsSync(join(work, 'owned'))).toBe(false);
  expect(file('site/index.html').match(/✓ PASS/g)).toHaveLength(3);
  expect(file('results/junit.xml')).toContain('tests="3"');
  await sandbox.clean();
});

test('on GitLab: runs, the tests of a JUnit file, a site', { timeout: 600_000 }, async () => {
  const job = documents.at(-1)?.['memory-errors'] as Record<'before_script' | 'script' | 'after_script', string[]> & {
    variables: Record<string, string>;
  };
  const variables = Object.entries(job.variables).map(([name, value]) => [
    name,
    value.replace('$CI_PROJECT_DIR', work),
  ]);
  Object.assign(env, Object.fromEntries(variables), { CI_PROJECT_PATH: 'g/linux', CI_COMMIT_REF_NAME: 'main' });
  const lines = [...job.before_script, ...job.script, ...job.after_script];
  // The sources are here already.
  for (const line of lines) if (!line.startsWith('git clone ')) run(line);
  expect(file('site/index.html')).toContain('<title>g/linux main</title>');
  expect(file('results/junit.xml')).toContain('failures="0"');
  await sandbox.clean();
});

test('a run that fails fails its step, and stands in the report beside one that passed', {
  timeout: 600_000,
}, async () => {
  mkdirSync(join(work, 'results'));
  const scenario = readFileSync(join(ROOT, 'scenarios/intel-ce-logged.yaml'), 'utf8');
  // The same machine and steps, and something that never comes.
  writeFileSync(join(work, 'case.yaml'), scenario.replace(/^expect:\n/m, 'expect:\n  - within 1s: guest.panic\n'));
  env['SYNDROME_STATE'] = 'results';
  run('syndrome/bin/syndrome run case.yaml intel-ce-logged --junit results/junit.xml || echo "ended $?" > code');
  run('syndrome/bin/syndrome report results --out site --markdown > summary.md');
  expect(file('code')).toBe('ended 1\n');
  expect(file('summary.md')).toMatch(/: 1 fail · 1 pass$/m);
  expect(file('summary.md')).toContain('  - within 1s: guest.panic\n  - no guest.panic was seen at all');
  expect(file('site/index.html')).toContain('compare with one that passed');
  await sandbox.clean();
});
