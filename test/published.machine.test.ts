/** The installed program runs a scenario on a machine that has never seen it: no cache, no state, no clone. */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noMirror, skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { Published } from './published.ts';

const published = new Published();
beforeAll(() => published.build());
afterAll(() => published.remove());

// QEMU, a kernel and a compiler are fetched and unpacked, the agent is compiled, the machine boots.
test('intel-srao-process, with an empty cache', { timeout: 1_200_000 }, async context => {
  skipWithout(context, 'mirror', await noMirror());
  const { folder } = published.installed('syndrome');
  // The copy that was packed is gone: what is needed is in the tarball.
  for (const name of ['syndrome', 'decode']) rmSync(join(published.work, name), { recursive: true });
  const own = (name: string): string => join(published.work, name);
  const env: NodeJS.ProcessEnv = {
    ...published.env,
    XDG_CACHE_HOME: own('xdg-cache'),
    XDG_STATE_HOME: own('xdg-state'),
    TMPDIR: published.work,
    NO_COLOR: '1',
  };
  for (const name of ['SYNDROME_CACHE', 'SYNDROME_STATE', 'SYNDROME_OFFLINE']) delete env[name];
  const run = spawnSync(
    join(folder, 'node_modules/.bin/syndrome'),
    ['run', 'intel-srao-process', '--json', '--timeout', '600'],
    { cwd: folder, env, encoding: 'utf8', timeout: 1_100_000 },
  );
  expect(run.status, run.stderr).toBe(0);
  expect(JSON.parse(run.stdout)).toMatchObject({ scenario: 'intel-srao-process', verdict: 'pass', restored: false });
  // All of it is where the environment says.
  expect(readdirSync(own('xdg-cache'))).toEqual(['syndrome']);
  expect(readdirSync(own('xdg-state'))).toEqual(['syndrome']);
});
