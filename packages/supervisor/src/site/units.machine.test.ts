/** The units of docs/systemd under a real systemd: it knows all that stands in them, and the two services are a supervisor that answers. */
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noSystemd, RealSystemd } from '../agent/testing/real-systemd.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../../../..');
const UNITS = ['syndrome-controller.service', 'syndrome-agent.service'];
const PROGRAM = join(ROOT, 'bin/syndrome');

let folder: string;
let systemd: RealSystemd | undefined;

beforeEach(context => {
  skipWithout(context, 'systemd', noSystemd());
  // Where a StateDirectory= is. Not below /tmp: the units have one of their own (PrivateTmp).
  folder = mkdtempSync('/var/lib/syndrome-test-');
});
afterEach(async () => {
  await systemd?.end();
  systemd = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** The /tmp and /var/tmp of services, which only systemd takes away. */
const privateFolders = (): string[] => globSync('{/tmp,/var/tmp}/systemd-private-*-syndrome-*');

/** Writes a unit with the program and the places of this test; all else is as it is shipped. */
function write(name: string, to: string): string {
  let text = readFileSync(join(ROOT, 'docs/systemd', name), 'utf8');
  const places = {
    'ExecStart=/usr/bin/syndrome ': `ExecStart=${PROGRAM} `,
    '/etc/syndrome/site.yaml\nRestart': `${join(folder, 'site.yaml')}\nRestart`,
    'StateDirectory=syndrome\n': `StateDirectory=${basename(folder)}\n`,
    'ReadWritePaths=/var/lib/syndrome': `ReadWritePaths=${folder}`,
    // What a machine does at its start is no part of this.
    '[Unit]\n': '[Unit]\nDefaultDependencies=no\n',
  };
  for (const [shipped, here] of Object.entries(places)) {
    expect(text).toContain(shipped);
    text = text.replace(shipped, here);
  }
  // A clone may lie where the controller does not look; the program of a package does not.
  if (/^\/(?:root|home|run\/user)\//.test(ROOT)) text = text.replace('ProtectHome=yes', 'ProtectHome=read-only');
  if (/^\/(?:var\/)?tmp\//.test(ROOT)) text = text.replace('PrivateTmp=yes', 'PrivateTmp=no');
  writeFileSync(join(to, name), text);
  return join(to, name);
}

test('systemd knows every word of them', async () => {
  const files = UNITS.map(name => write(name, folder));
  // What it does not know is a line, and no error.
  expect(await run('systemd-analyze', ['verify', '--man=no', ...files])).toEqual({ stdout: '', stderr: '' });
});

test('as services they take the place of supervise: fleet status answers', { timeout: 240_000 }, async () => {
  const before = privateFolders();
  const site = join(folder, 'site.yaml');
  mkdirSync(join(folder, 'vms'), { mode: 0o700 });
  const agent = { host: 'h1', folders: [join(folder, 'vms')], kmsg: false, trace: false };
  writeFileSync(site, JSON.stringify({ site: 'home', folder, agent }), { mode: 0o600 });
  // A clone sets itself up at its first start, where a unit may not write.
  await run(PROGRAM, ['--version']);
  systemd = await RealSystemd.start(folder);
  for (const name of UNITS) write(name, join(folder, 'units'));
  await systemd.ask('daemon-reload');
  await systemd.ask('start', ...UNITS);
  const status = async (): Promise<string> =>
    (await run(PROGRAM, ['fleet', 'status', '--config', site]).catch(() => ({ stdout: '' }))).stdout;
  for (const end = Date.now() + 120_000; !(await status()).includes('1 of 1 connected'); )
    if (Date.now() > end) throw new Error(await systemd.ask('status', '--no-pager', ...UNITS).catch(String));
  expect(await status()).toMatch(/^policy +observe/);
  for (const name of UNITS)
    expect(await systemd.ask('show', '--property=ActiveState,NRestarts', name)).toBe('NRestarts=0\nActiveState=active');
  await systemd.end();
  expect(privateFolders()).toEqual(before);
});
