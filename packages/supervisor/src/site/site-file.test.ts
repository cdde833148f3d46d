import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSite } from './site.ts';
import { readAgentSite, readPlaces, siteJsonSchema } from './site-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'site-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string, name = 'site.yaml', mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe('the file of a site', () => {
  it('needs a folder, observes, tells the log, and keeps all below its folder', () => {
    const site = readSite(write('folder: /srv/s\nagent: { host: h1 }'));
    expect(site.policy).toMatchObject({ name: 'observe', mode: 'observe' });
    expect(site.targets).toEqual([{ kind: 'log', name: 'log' }]);
    const [ledger] = site.ledgers;
    expect(ledger).toMatchObject({
      shard: undefined,
      sockets: { agents: '/srv/s/run/agents.sock', admin: '/srv/s/run/admin.sock' },
    });
    expect(site.agent).toMatchObject({
      host: 'h1',
      folder: '/srv/s/agent',
      controller: '/srv/s/run/agents.sock',
      start: { folder: '/srv/s/vms', logs: '/srv/s/logs' },
      offline: false,
      monitors: [],
    });
    expect(site.drill).toBeUndefined();
  });

  it('may be of several shards, each with its ledger and sockets; a host belongs to the first that has a pattern for it', () => {
    const shards = 'shards: { north: { hosts: ["n-*", edge.1] }, south: { hosts: ["*"] } }';
    const file = write(`folder: /srv/s\n${shards}\nagent: { host: n-7 }`);
    const site = readSite(file);
    expect(site.ledgers).toEqual([
      {
        shard: 'north',
        sockets: { agents: '/srv/s/run/north/agents.sock', admin: '/srv/s/run/north/admin.sock' },
        store: { at: '/srv/s/ledger/north.sqlite' },
      },
      {
        shard: 'south',
        sockets: { agents: '/srv/s/run/south/agents.sock', admin: '/srv/s/run/south/admin.sock' },
        store: { at: '/srv/s/ledger/south.sqlite' },
      },
    ]);
    expect(['n-1', 'edge.1', 'edge-1', 'x'].map(site.shardOf)).toEqual(['north', 'north', 'south', 'south']);
    expect(site.agent?.controller).toBe('/srv/s/run/north/agents.sock');
    expect(readPlaces(file, 'south')).toMatchObject({ store: { at: '/srv/s/ledger/south.sqlite' } });
    expect(() => readPlaces(file)).toThrow(/several shards/);
    expect(() => readPlaces(file, 'west')).toThrow(/no shard west/);
    const on = (store: string): unknown =>
      readPlaces(write(`folder: /srv/s\n${shards}\nstore: ${store}`), 'north').store;
    expect(on('postgresql://s@db/ledger')).toEqual({ at: 'postgresql://s@db/ledger', schema: 'shard_north' });
    expect(on('/srv/ledgers')).toEqual({ at: '/srv/ledgers/north.sqlite' });
    expect(() => readPlaces(write('folder: /srv/s'), 'north')).toThrow(/no shard north/);
    expect(() => readSite(write('folder: /srv/s\nshards: { n: { hosts: [n-*] } }\nagent: { host: x }'))).toThrow(
      /no shard of the site takes the host x/,
    );
    expect(() => readSite(write('folder: /srv/s\nshards: {}'))).toThrow(/names none/);
  });

  it('may have its ledger in another file, or in a PostgreSQL; one that is reached in the open is weaker', () => {
    expect(readPlaces(write('folder: /srv/s')).store).toEqual({ at: '/srv/s/ledger/ledger.sqlite' });
    expect(readPlaces(write('folder: /srv/s\nstore: /srv/l.sqlite')).store).toEqual({ at: '/srv/l.sqlite' });
    const url = 'postgresql://syndrome@db1,db2/ledger';
    const site = readSite(write(`folder: /srv/s\nstore: { url: "${url}", passwordFile: /etc/s/pg }`));
    expect(site).toMatchObject({ ledgers: [{ store: { at: url, passwordFile: '/etc/s/pg' } }], weak: [] });
    expect(readSite(write(`folder: /srv/s\nstore: ${url}?sslmode=disable`)).weak).toEqual([
      expect.stringContaining('not encrypted'),
    ]);
  });

  const token = (who: string, digit: string, more = ''): string =>
    `{ name: ${who}, roles: [fencer], sha256: '${digit.repeat(64)}'${more} }`;
  it('may have an API, on a socket in its folder or elsewhere', () => {
    expect(readSite(write('folder: /srv/s')).api).toBeUndefined();
    const one = token('ann', '1', ', until: 2027-01-31T00:00:00Z');
    expect(readSite(write(`folder: /srv/s\napi: { tokens: [${one}] }`)).api).toEqual({
      place: { socket: '/srv/s/run/api.sock' },
      tokens: [{ name: 'ann', roles: ['fencer'], sha256: '1'.repeat(64), until: Date.UTC(2027, 0, 31) }],
    });
    expect(readSite(write(`folder: /srv/s\napi: { port: 8470, tokens: [${one}] }`)).api?.place).toEqual({ port: 8470 });
  });

  it('may have a port for agents of other machines, and an agent may go to one', () => {
    const files = 'ca: /c/ca.pem, cert: /c/c.pem, key: /c/c.key';
    expect(readSite(write(`folder: /srv/s\nagents: { port: 8471, ${files} }`)).agentPort).toEqual({
      address: '::',
      port: 8471,
      tls: { ca: '/c/ca.pem', cert: '/c/c.pem', key: '/c/c.key' },
    });
    const far = readAgentSite(
      write(`folder: /srv/s\nagent: { host: h1, controller: { address: "c1:8471", ${files} } }`),
    );
    expect(far.agent?.controller).toMatchObject({ address: 'c1:8471', key: '/c/c.key' });
  });

  it('may name another controller, folders and a policy file beside it', () => {
    write(
      'schema: 1\nname: mine\nversion: "7"\nmode: notify\nrules:\n  - { name: all, of: vm, when: { errors: 1 }, do: tell }\n',
      'mine.yaml',
    );
    const site = readSite(
      write(
        'folder: /srv/s\npolicy: mine.yaml\nagent: { host: h1, controller: /run/c.sock, start: { folder: /run/v } }',
      ),
    );
    expect(site.policy).toMatchObject({ name: 'mine', version: '7', mode: 'notify' });
    expect(site.agent).toMatchObject({ controller: '/run/c.sock', start: { folder: '/run/v', logs: '/srv/s/logs' } });
  });

  it.each([
    ['', /folder/],
    ['folder: here', /no absolute path/],
    ['folder: /s\nfoldr: /t', /foldr/],
    ['folder: /s\nagent: { host: a, hots: b }', /hots/],
    ['folder: /s\nagent: { host: a, controller: tcp://b }', /controller/],
    ['folder: /s\npolicy: nowhere.yaml', /cannot read .*nowhere.yaml/],
    ['folder: /s\nnotify: [{ kind: log, name: a }, { kind: log, name: a }]', /two targets are named a/],
    ['folder: /s\nnotify: [{ kind: webhook, name: a, url: "https://x/", secretFiles: [/none] }]', /secret file/],
    ['folder: /s\nplaybooks: http://wiki/', /playbooks: it is neither an https URL nor an absolute path/],
    [`folder: /s\napi: { tokens: [${token('a', '1')}, ${token('a', '2')}] }`, /two tokens are named a/],
    [
      `folder: /s\napi: { tokens: [${token('a', '1')}, ${token('b', '1')}] }`,
      /the token of b is that of somebody else/,
    ],
    [`folder: /s\napi: { port: 1, socket: /s/x, tokens: [${token('a', '1')}] }`, /a socket or a port, not both/],
    ['folder: /s\napi: { tokens: [] }', /tokens/],
    ['folder: /s\napi: { tokens: [{ name: a, roles: [root], sha256: x }] }', /roles/],
    ['folder: /s\nagents: { port: 8471 }', /cert/],
    ['folder: /s\nagent: { host: a, controller: { address: c1, ca: /a, cert: /b, key: /c } }', /controller/],
    ['folder: /s\nstore: here.sqlite', /a whole path.*at store/s],
    ['folder: /s\nstore: { url: /srv/x, passwordFile: /p }', /store/],
    ['folder: /s\nstore: "postgresql://u:secret@db/x"', /has a password in it/],
    ['folder: /s\nstore: "postgresql://u@db/x?sslmode=prefer"', /sslmode=prefer/],
    ['folder: [', /no YAML/],
    ['- a', /expected object/i],
  ])('that is wrong says where: %j', (text, fault) => {
    expect(() => readSite(write(text))).toThrow(fault);
  });

  it('gives an agent its part, whatever policy and targets it names: they are the controller’s', () => {
    const agent = '\nagent: { host: h1, drill: /srv/d }';
    const file = write(`folder: /srv/s\npolicy: nowhere.yaml${agent}`);
    expect(() => readSite(file)).toThrow(/nowhere/);
    expect(readAgentSite(file)).toEqual({
      agent: readSite(write(`folder: /srv/s${agent}`)).agent,
      drill: '/srv/d',
    });
    expect(readAgentSite(write('folder: /srv/s')).agent).toBeUndefined();
  });

  it('is not taken where others may write to it', () => {
    const file = write('folder: /srv/s', 'open.yaml', 0o622);
    expect(() => readSite(file)).toThrow(/others may write/);
    expect(() => readPlaces(file)).toThrow(/others may write/);
  });

  it('has a JSON Schema that names what it may hold', () => {
    const { properties } = siteJsonSchema() as { properties: Record<string, unknown> };
    expect(Object.keys(properties)).toEqual([
      'site',
      'folder',
      'store',
      'shards',
      'policy',
      'playbooks',
      'notify',
      'fence',
      'agents',
      'api',
      'agent',
    ]);
  });
});
