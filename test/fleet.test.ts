/** `syndrome fleet` against a controller of a site, in this process: what is asked and ordered, as text and as JSON. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Peer, World } from '@syndrome/supervisor/controller/testing/peer.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

/** Everything is decided and nothing is done by itself, so that what is listed stands still. */
const RULES = [{ name: 'any', of: 'vm', when: { errors: 1 }, do: 'tell' }];

const sandbox = new Sandbox();
const end = new AbortController();
const file = join(sandbox.dir, 'site.yaml');
let served: Promise<void>;
let peers: Peer[] = [];

beforeAll(async () => {
  const write = (name: string, data: object): void =>
    writeFileSync(join(sandbox.dir, name), JSON.stringify(data), { mode: 0o600 });
  write('policy.yaml', { schema: 1, name: 'tells', version: '1', mode: 'act', rules: RULES });
  write('site.yaml', { site: 'home', folder: join(sandbox.dir, 'state'), policy: 'policy.yaml' });
  const site = readSite(file);
  served = serveController(
    site,
    end.signal,
    () => undefined,
    () => undefined,
  );
  const world = new World();
  peers = ['h1', 'h2'].map(host => new Peer(world, host, readPlaces(file).sockets.agents));
  const [h1, h2] = peers as [Peer, Peer];
  h1.vm('web');
  h1.page('web', 0x123n);
  await Promise.all([h1.settled(), h2.settled()]);
});
afterAll(async () => {
  for (const peer of peers) peer.stop();
  end.abort();
  await served;
  sandbox.remove();
});

const fleet = (...args: string[]): Promise<Ended> => runInside(sandbox.env, ['fleet', ...args, '--config', file]);

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await fleet(...args, '--json');
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, unknown>;
}

interface Decided {
  effects: { effect: string; decision: { rule: string; rung: string; why: string; inputs: object } }[];
}

describe('what is asked', () => {
  test('status', async () => {
    const { code, stdout, stderr } = await fleet('status');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^policy {5}tells@1#[0-9a-f]{12}, mode act, set by the file of the site \S+Z\n/);
    expect(stdout).toContain(
      '\nagents     2 of 2 connected\nVMs        1, acted on: 0\nincidents  1 open\nalerts     none\n',
    );
    expect(await json('status')).toMatchObject({
      schemaVersion: 1,
      status: {
        hosts: 2,
        connected: 2,
        vms: 1,
        openIncidents: 1,
        mode: 'act',
        breakerOpen: false,
        alerts: [],
        epoch: 1,
      },
    });
  });

  test('each list is a table, and in JSON stands under its own name', async () => {
    const heads: Record<string, string> = { hosts: 'HOST', vms: 'VM', pages: 'HOST', incidents: 'INCIDENT' };
    for (const [name, head] of Object.entries(heads)) {
      const { code, stdout } = await fleet(name);
      expect([code, stdout.split(/\s/)[0]]).toEqual([0, head]);
      const result = await json(name);
      expect(Object.keys(result)).toEqual(['schemaVersion', name]);
      expect(result[name]).toHaveLength(name === 'hosts' ? 2 : 1);
    }
    expect((await fleet('vms')).stdout).toMatch(/\nweb +web +h1\/0 running +yes\n/);
    expect((await fleet('pages')).stdout).toMatch(/\nh1 +0x0{13}123 +web +4 KiB +1 +\S+Z +out of use\n/);
    // 64-bit values are exact on every wire.
    expect((await json('pages'))['pages']).toMatchObject([{ host: 'h1', pfn: '0x0000000000000123', vms: ['web'] }]);
    expect([await fleet('actions'), await fleet('outbox')]).toMatchObject([
      { code: 0, stdout: 'no actions\n' },
      { code: 0, stdout: 'no outbox\n' },
    ]);
  });

  test('explain tells the story of an incident; of none it is exit code 3', async () => {
    const { code, stdout } = await fleet('explain', 'inc-1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^inc-1 {2}open {2}page {2}h1 {2}web /);
    for (const part of [
      /Z {2}seen {6}kmsg host\.sigbus-sent\n/,
      /Z {2}tell {6}VM web has met 1 /,
      /rule any, policy tells@1#/,
    ])
      expect(stdout).toMatch(part);
    const told = await json('explain', 'inc-1');
    expect(Object.keys(told).toSorted()).toEqual(['acts', 'decisions', 'incident', 'notices', 'schemaVersion']);
    expect(told['decisions']).toMatchObject([{ rule: 'any', rung: 'tell', inputs: { errors: 1 } }]);
    const host = (await fleet('explain', 'h1')).stdout;
    expect(host).toMatch(/^h1 {2}host {2}agent here since \S+Z\n {2}pages {6}1 in the ledger, 0 unapplied, 0 errors/);
    const vm = (await fleet('explain', 'web')).stdout;
    expect(vm).toMatch(/^web {2}VM web {2}opted in\n {2}copies {5}h1\/0 running\n/);
    expect(vm).toMatch(/Z {2}tell {6}VM web has met 1 /);
    expect(await fleet('explain', 'inc-99')).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('there is no incident or action inc-99 [E_CONTROLLER_ASK]'),
    });
  });
});

describe('what is ordered', () => {
  const paused = async (): Promise<unknown> => ((await json('status'))['status'] as { paused?: unknown }).paused;

  test('a dry run says what would be decided, and changes nothing', async () => {
    const { code, stdout } = await fleet('pause', '--reason', 'a test', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^nothing is changed; this would be decided:\nhold {2}.* has paused the fleet/);
    expect(await paused()).toBeUndefined();
    for (const words of [
      ['drain', 'h1'],
      ['restart', 'web'],
      ['planned-stop', 'web'],
      ['close', 'inc-1'],
      ['repaired', 'h1'],
    ]) {
      const result = await json(...words, '--dry-run');
      expect(result).toMatchObject({ schemaVersion: 1, dryRun: true });
      expect((result as unknown as Decided).effects.length, words.join(' ')).toBeGreaterThan(0);
    }
    expect(((await json('hosts'))['hosts'] as object[])[0]).not.toHaveProperty('draining');
    expect(((await json('incidents'))['incidents'] as object[])[0]).toMatchObject({ state: 'open' });
    expect((await json('policy', 'set', 'observe', '--dry-run'))['dryRun']).toBe(true);
    expect((await json('status'))['status']).toMatchObject({
      policy: expect.stringMatching(/^tells@/),
      mode: 'act',
      moving: [],
    });
    expect(((await json('vms'))['vms'] as object[])[0]).not.toHaveProperty('plannedStop');
  });

  test('pause stands until resume, with who and why', async () => {
    expect(await json('pause', '--reason', 'a test')).toMatchObject({ schemaVersion: 1, dryRun: false });
    expect(await paused()).toMatchObject({ by: expect.stringContaining('(as stated)'), reason: 'a test' });
    expect((await fleet('status')).stdout).toContain('\npaused     ');
    expect((await fleet('resume')).code).toBe(0);
    expect(await paused()).toBeUndefined();
  });

  test('a policy with faults is refused in the words of `policy check`, with its file and its exit code', async () => {
    const bad = join(sandbox.dir, 'bad.yaml');
    writeFileSync(
      bad,
      'schema: 1\nname: bad\nversion: "1"\nmode: act\nrules: [{ name: a, of: vm, when: { eror: 1 }, do: tell }]\n',
    );
    const checked = await runInside(sandbox.env, ['fleet', 'policy', 'check', bad]);
    expect(checked).toMatchObject({ code: 2, stdout: expect.stringContaining(`${bad}:5:`) as string });
    for (const args of [[], ['--dry-run']]) {
      const set = await fleet('policy', 'set', bad, ...args);
      expect(set.code).toBe(2);
      expect(set.stderr.replace(/^syndrome: /, '')).toContain(checked.stdout.split('\n')[0]);
    }
  });

  test('a policy that was set is named in the status, with who and what the file says', async () => {
    expect((await fleet('policy', 'set', 'observe')).code).toBe(0);
    const { stdout } = await fleet('status');
    expect(stdout).toMatch(/^policy {5}observe@\S+, mode observe, set by .*\(as stated\) \S+Z\n/);
    expect(stdout).toMatch(/\n {11}not the one that the file of the site names, tells@1#[0-9a-f]{12}: /);
    expect((await fleet('policy', 'set', join(sandbox.dir, 'policy.yaml'))).code).toBe(0);
    expect((await fleet('status')).stdout).not.toContain('not the one');
  });

  test('a host is drained, and its draining is ended by an order too', async () => {
    const draining = async (): Promise<unknown> =>
      // Which of the two has connected first is by chance, and with it their order.
      ((await json('hosts'))['hosts'] as { id: string; draining?: unknown }[]).find(({ id }) => id === 'h2')?.draining;
    expect(await fleet('undrain', 'h2')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('h2 is not draining'),
    });
    expect((await fleet('drain', 'h2', '--reason', 'a test')).code).toBe(0);
    expect(await draining()).toMatchObject({ evacuate: true });
    expect((await fleet('undrain', 'h2', '--dry-run')).stdout).toContain('ends the draining of h2');
    expect(await draining()).toMatchObject({ evacuate: true });
    expect((await fleet('undrain', 'h2', '--reason', 'the wrong host')).code).toBe(0);
    expect(await draining()).toBeUndefined();
  });

  test.each([
    ['a wrong epoch', ['web', 'h1', '7'], 'epoch 7, not for web on h1, epoch 0'],
    ['a host where it is not', ['web', 'h2', '0'], 'no copy of web is known on h2'],
    ['no VM', ['nobody', 'h1', '0'], 'no copy of nobody is known on h1'],
  ])('attest with %s is refused: exit code 1, and nothing is proven', async (_, words, why) => {
    const args = ['attest', ...words, '--statement', 'power cable pulled'];
    for (const dry of [[], ['--dry-run']]) {
      const { code, stdout } = await fleet(...args, ...dry);
      expect([code, stdout]).toEqual([1, expect.stringContaining(why)]);
    }
    const { effects } = (await json(...args)) as unknown as Decided;
    expect(effects.map(e => e.decision)).toMatchObject([
      { rule: 'order/attest', rung: 'hold', inputs: { refused: true } },
    ]);
    expect((await json('vms'))['vms']).toMatchObject([{ copies: [{ host: 'h1', epoch: 0, state: 'running' }] }]);
    expect(((await json('vms'))['vms'] as { copies: object[] }[])[0]?.copies[0]).not.toHaveProperty('proof');
  });

  test('an epoch that is no number, and a statement that is missing, never reach the controller', async () => {
    expect(await fleet('attest', 'web', 'h1', '-1', '--statement', 'x')).toMatchObject({ code: 2, stdout: '' });
    expect(await fleet('attest', 'web', 'h1', '0')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--statement'),
    });
  });
});

test('a playbook is printed at 3 a.m., by the name that a notice has', async () => {
  const run = (...args: string[]): Promise<Ended> => runInside(sandbox.env, ['fleet', 'playbook', ...args]);
  const [list, text, wrong] = [await run(), await run('unproven.md'), await run('unprovn')];
  expect([list.code, list.stdout.split('\n')]).toEqual([0, expect.arrayContaining(['unproven', 'vm-lost'])]);
  expect([text.code, text.stdout]).toEqual([0, expect.stringContaining('syndrome fleet attest')]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean unproven?')]);
});

test('where no controller answers it says which socket, and what to start', async () => {
  writeFileSync(join(sandbox.dir, 'other.yaml'), JSON.stringify({ folder: join(sandbox.dir, 'other') }), {
    mode: 0o600,
  });
  const { code, stderr } = await runInside(sandbox.env, [
    'fleet',
    'status',
    '--config',
    join(sandbox.dir, 'other.yaml'),
  ]);
  expect([code, stderr]).toEqual([3, expect.stringContaining('[E_FLEET_CONTROLLER]')]);
  expect(stderr).toContain(join(sandbox.dir, 'other/run/admin.sock'));
  expect(stderr).toContain('syndrome supervise --config FILE');
});
