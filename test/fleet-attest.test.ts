/** `syndrome fleet attest` and `confirm`: that a copy has stopped two people say, each with a token of their own. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Peer, World } from '@syndrome/supervisor/controller/testing/peer.ts';
import { newToken } from '@syndrome/supervisor/rest/tokens.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const sandbox = new Sandbox();
const end = new AbortController();
const file = join(sandbox.dir, 'site.yaml');
const tokenOf = (name: string): string => join(sandbox.dir, `${name}.token`);
let served: Promise<void>;

const fleet = (...args: string[]): Promise<Ended> => runInside(sandbox.env, ['fleet', ...args, '--config', file]);

beforeAll(async () => {
  const tokens = Object.entries({ ann: ['fencer'], ben: ['fencer'], vera: ['viewer'] }).map(([name, roles]) => {
    const { token, sha256 } = newToken();
    writeFileSync(tokenOf(name), `${token}\n`, { mode: 0o600 });
    return { name, roles, sha256 };
  });
  const shards = { north: { hosts: ['h*'] } };
  const site = { folder: join(sandbox.dir, 'state'), shards, notify: [], policy: 'observe', api: { tokens } };
  writeFileSync(file, JSON.stringify(site), { mode: 0o600 });
  served = serveController(
    readSite(file),
    end.signal,
    () => {},
    () => {},
  );
  const peer = new Peer(new World(), 'h1', readPlaces(file, 'north').sockets.agents);
  peer.vm('web');
  await peer.settled();
  // Its host falls silent.
  peer.stop();
  while (!/"connected": ?false/.test((await fleet('hosts', '--json')).stdout)) await sleep(20);
});
afterAll(async () => {
  end.abort();
  await served;
  sandbox.remove();
});

const attest = (...more: string[]): Promise<Ended> =>
  fleet('attest', 'web', 'h1', '0', '--statement', 'pulled', ...more);

test('one person alone is not taken, and is told how two are', async () => {
  const { code, stderr } = await attest();
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/this site has fencers: what one of them states another one confirms/);
  expect(stderr).toMatch(/--token FILE/);
});

test('what one states another one confirms; then it is a proof, with both names', async () => {
  const stated = await attest('--token', tokenOf('ann'));
  expect([stated.code, stated.stderr]).toEqual([0, '']);
  const [, id = ''] =
    /^stated as (att-[\w-]+); nothing is done until another fencer confirms it/.exec(stated.stdout) ?? [];
  expect(stated.stdout).toContain(`\n  syndrome fleet confirm ${id} --config ${file} --statement TEXT --token FILE`);
  const confirm = (who: string, ...more: string[]): Promise<Ended> =>
    fleet('confirm', id, '--statement', 'dark', '--token', tokenOf(who), ...more);
  expect((await confirm('ann')).stderr).toMatch(/ann has stated it: another person has to confirm it/);
  expect((await confirm('vera')).stderr).toMatch(/fencer/);
  const { code, stdout } = await confirm('ben', '--json');
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    {
      schemaVersion: 1,
      attestation: expect.objectContaining({ id, state: 'confirmed', by: 'ann', confirmedBy: 'ben' }),
    },
  ]);
  expect((await fleet('explain', 'web')).stdout).toMatch(/ann and ben/);
});

test('a token that others could read is none, nor is an unknown one', async () => {
  writeFileSync(tokenOf('x'), 'syn_unknown', { mode: 0o600 });
  expect((await attest('--token', tokenOf('x'))).stderr).toMatch(/E_API_TOKEN|token/);
  chmodSync(tokenOf('ann'), 0o644);
  const { code, stderr } = await attest('--token', tokenOf('ann'));
  expect([code === 0, stderr]).toEqual([false, expect.stringMatching(/--token .*ann\.token.*chmod/s)]);
  expect(stderr).not.toContain('syn_');
});
