import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Act, ActResult } from '../core/act.ts';
import type { LeaseReport } from '../core/said.ts';
import { askLease } from './acts/lease.ts';
import { Agent } from './agent.ts';
import { agentConfigSchema } from './config.ts';
import {
  leaseReports,
  openWatchdog,
  parseHosts,
  parseStatus,
  parseWdmd,
  parseWords,
  type SanlockPlace,
  type SanlockStatus,
  whyUnarmed,
} from './sanlock.ts';
import { HostSource } from './sources/host.ts';
import { TestController } from './testing/controller.ts';
import { hostStatus, STATUS, WDMD, words } from './testing/sanlock-output.ts';

let folder: string;
const never = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sanlock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const status = (text = STATUS): SanlockStatus => parseStatus(text) ?? expect.fail('no status');

describe('what sanlock prints', () => {
  test('of a daemon and its lockspaces', () => {
    expect(status()).toEqual({
      usesWatchdog: true,
      name: 'host-a',
      now: 16923,
      lockspaces: new Map([
        [
          'LS1',
          {
            hostId: 1,
            generation: 1,
            ioTimeout: 2,
            renewed: 16923,
            isRenewed: true,
            isFailing: false,
            isUsed: true,
          },
        ],
      ]),
    });
  });

  test.each(['ADD', 'REM'])('a lockspace that is on its way (%s) is none', way => {
    expect(status(STATUS.replace('/leases/ls:0', `/leases/ls:0 ${way}`)).lockspaces.size).toBe(0);
  });

  test('a lockspace that does not say all is none, and no daemon is no status', () => {
    for (const name of ['host_generation', 'io_timeout', 'renewal_last_success'])
      expect(status(STATUS.replace(new RegExp(`^    ${name}=.*$`, 'm'), '')).lockspaces.size, name).toBe(0);
    expect(status(STATUS.replace('io_timeout=2', 'io_timeout=0')).lockspaces.size).toBe(0);
    for (const text of ['', 'error -111', '1796036442 no daemon']) expect(parseStatus(text)).toBeUndefined();
  });

  test('of the host ids of a lockspace', () => {
    expect(parseHosts(hostStatus(16822, 16705, 16700)).get(1)).toEqual({
      owner: 'host-a',
      generation: 1,
      timestamp: 16700,
      ioTimeout: 2,
      checked: 16822,
      live: 16705,
    });
    // Cut off in the middle it is none.
    expect(parseHosts(hostStatus(16822, 16705, 16700).split('    owner_generation')[0] ?? '').size).toBe(0);
  });

  test('in its own word, of one lockspace alone', () => {
    expect(parseWords(words('DEAD'), 'LS1').get(1)).toEqual({ generation: 1, word: 'DEAD' });
    expect(parseWords(words('DEAD'), 'LS').size).toBe(0);
    expect(parseWords(`s other:1:/x:0 \n${words('LIVE')}`, 'other').size).toBe(0);
    expect(parseWords(words('ERROR'), 'LS1').get(1)).toBeUndefined();
    expect(parseWords('s LS1:2:/x:0 \nhosts not ready', 'LS1').size).toBe(0);
  });

  test('of its watchdog', () => {
    expect(parseWdmd(WDMD)).toEqual({
      pid: 25122,
      keepalive: 16923,
      fireSeconds: 60,
      connections: new Map([['sanlock_LS1:1', 16939]]),
    });
    // Newer ones say how long it takes.
    expect(parseWdmd(WDMD.replace('kill_script_sec 0', 'kill_script_sec 0 fire_timeout 30'))?.fireSeconds).toBe(30);
    expect(parseWdmd('cannot connect')).toBeUndefined();
  });

  test('whatever it is, it is read without harm', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(STATUS.length), (junk, at) => {
        const text = STATUS.slice(0, at) + junk + STATUS.slice(at);
        for (const read of [parseStatus, parseHosts, parseWdmd, (t: string) => parseWords(t, 'LS1')])
          expect(() => read(text)).not.toThrow();
      }),
    );
  });
});

describe('the watchdog of a host', () => {
  const DEVICE = 'iTCO_wdt';
  const why = (text = STATUS, wdmd = WDMD, device: string | undefined = DEVICE): string | undefined =>
    whyUnarmed('LS1', status(text), parseWdmd(wdmd), device);

  test('is armed where all of it is so', () => {
    expect(why()).toBeUndefined();
    // Not renewed any more, it is about to be reset.
    const failing = STATUS.replace('renewal_last_result=1', 'renewal_last_result=-202').replace(
      'space_dead=0',
      'space_dead=1',
    );
    expect(why(failing, WDMD.replace('expire 16939', 'expire 16000'))).toBeUndefined();
  });

  test.each<[string, string, string?, string?]>([
    ['without a watchdog', STATUS.replace('use_watchdog=1', 'use_watchdog=0')],
    ['not joined', STATUS.replace('s LS1:1', 's LS2:1')],
    ['not marked as used', STATUS.replace('external_used=1', 'external_used=0')],
    ['wdmd does not answer', STATUS, ''],
    ['no connection', STATUS, WDMD.replace('sanlock_LS1:1', 'sanlock_LS1:2')],
    ['no connection', STATUS, WDMD.replace('expire 16939', 'expire 0')],
    ['no connection', STATUS, WDMD.replace('ref 1', 'ref 0')],
    ['no connection', STATUS, WDMD.replace('pid 25124 fd 8 dead 0', 'pid 25124 fd 8 dead 1')],
    ['no watchdog alive', STATUS, WDMD.replace('last_keepalive 16923', 'last_keepalive 0')],
    ["the kernel's own timer", STATUS, WDMD, 'Software Watchdog'],
  ])('is not: %s', (said, text, wdmd, device) => {
    expect(why(text, wdmd, device)).toContain(said);
  });

  test('is not where nobody sees which device it is', () => {
    expect(whyUnarmed('LS1', status(), parseWdmd(WDMD), undefined)).toContain('which watchdog');
  });

  test('is the device that wdmd has open, by the name that its driver gives', () => {
    const [proc, sys] = [join(folder, 'proc'), join(folder, 'sys')];
    mkdirSync(join(proc, '7/fd'), { recursive: true });
    for (const nth of [0, 1]) {
      mkdirSync(join(sys, `class/watchdog/watchdog${nth}`), { recursive: true });
      writeFileSync(join(sys, `class/watchdog/watchdog${nth}/identity`), `device ${nth}\n`);
    }
    symlinkSync('/dev/null', join(proc, '7/fd/0'));
    expect(openWatchdog(7, proc, sys)).toBeUndefined();
    symlinkSync('/dev/watchdog1', join(proc, '7/fd/5'));
    expect(openWatchdog(7, proc, sys)).toBe('device 1');
    rmSync(join(proc, '7/fd/5'));
    symlinkSync('/dev/watchdog', join(proc, '7/fd/5'));
    expect(openWatchdog(7, proc, sys)).toBe('device 0');
    expect(openWatchdog(8, proc, sys)).toBeUndefined();
  });
});

/** Programs that print what sanlock and wdmd would. */
function place(said: { status?: string; hosts?: string; words?: string; wdmd?: string }): SanlockPlace {
  for (const [name, text] of Object.entries(said)) writeFileSync(join(folder, name), text);
  const program = (name: string, text: string): readonly [string] => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return [path];
  };
  const of = (name: keyof typeof said): string => (said[name] === undefined ? 'exit 1' : `cat ${join(folder, name)}`);
  const sanlock = `case "$2" in status) ${of('status')};; host_status) ${of('hosts')};; gets) ${of('words')};; esac`;
  return { sanlock: program('sanlock-x', sanlock), wdmd: program('wdmd-x', of('wdmd')), proc: folder, sys: folder };
}

describe('what a host tells of its leases', () => {
  test('is one entry for each lockspace that it has joined, with why it would not be reset', async () => {
    const none = await leaseReports(['LS1', 'LS2'], place({ status: STATUS, wdmd: WDMD }), never);
    expect(none).toEqual([
      {
        lockspace: 'LS1',
        hostId: 1,
        generation: 1,
        owner: 'host-a',
        ioTimeout: 2,
        unarmed: expect.stringContaining('which watchdog'),
      },
    ]);
    mkdirSync(join(folder, '25122/fd'), { recursive: true });
    symlinkSync('/dev/watchdog0', join(folder, '25122/fd/7'));
    mkdirSync(join(folder, 'class/watchdog/watchdog0'), { recursive: true });
    writeFileSync(join(folder, 'class/watchdog/watchdog0/identity'), 'iTCO_wdt\n');
    expect(await leaseReports(['LS1'], place({ status: STATUS, wdmd: WDMD }), never)).toEqual([
      {
        lockspace: 'LS1',
        hostId: 1,
        generation: 1,
        owner: 'host-a',
        ioTimeout: 2,
        watchdog: { fireSeconds: 60, device: 'iTCO_wdt' },
      },
    ]);
    // A host that can be paused with its watchdog.
    writeFileSync(join(folder, 'cpuinfo'), 'processor\t: 0\nflags\t\t: fpu de hypervisor lahf_lm\n');
    expect((await leaseReports(['LS1'], place({ status: STATUS, wdmd: WDMD }), never))?.[0]).toMatchObject({
      unarmed: expect.stringContaining('virtual machine'),
    });
    expect(await leaseReports(['LS1'], place({}), never)).toBeUndefined();
  });

  test('is asked for by configuration alone', () => {
    expect(agentConfigSchema.parse({ host: 'a' }).sanlock).toBeUndefined();
    expect(agentConfigSchema.parse({ host: 'a', sanlock: { lockspaces: ['LS1'] } }).sanlock).toEqual({
      lockspaces: ['LS1'],
    });
    for (const wrong of [{}, { lockspaces: [] }, { lockspaces: ['-D'.repeat(40)] }, { lockspaces: ['a b'] }])
      expect(agentConfigSchema.safeParse({ host: 'a', sanlock: wrong }).success).toBe(false);
  });
});

test('an agent tells its leases with its host, on each change, and asks for that of another where it is ordered to', async () => {
  const controller = await TestController.listen(join(folder, 'c.sock'));
  const b = STATUS.replace('s LS1:1', 's LS1:2');
  const { sanlock = [] } = place({ status: b, hosts: hostStatus(16920, 16843, 16700), words: words('DEAD') });
  mkdirSync(join(folder, 'bin'));
  for (const name of ['sanlock', 'wdmd'])
    symlinkSync(name === 'sanlock' ? (sanlock[0] ?? '') : '/bin/false', join(folder, 'bin', name));
  vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env['PATH']}`);
  const config = {
    host: 'b',
    folder: join(folder, 'agent'),
    controller: join(folder, 'c.sock'),
    sanlock: { lockspaces: ['LS1'] },
  };
  const own = { folder: join(folder, 'vms'), logs: join(folder, 'logs') };
  const end = new AbortController();
  const agent = await Agent.open(agentConfigSchema.parse({ ...config, kmsg: false, trace: false, start: own }), {
    tickMs: 10,
  });
  const running = agent.run(end.signal);
  try {
    expect(await controller.until(said => said.kind === 'host')).toMatchObject({
      leases: [
        { lockspace: 'LS1', hostId: 2, generation: 1, owner: 'host-a', ioTimeout: 2, unarmed: 'wdmd does not answer' },
      ],
    });
    controller.order({
      id: 'l',
      kind: 'ask-lease',
      host: 'b',
      of: 'a',
      vm: 'v',
      epoch: 2,
      incident: 'i',
      deadline: Date.now() + 60_000,
      lease: { lockspace: 'LS1', hostId: 1, fireSeconds: 60 },
    });
    expect(await controller.until(said => said.kind === 'result')).toMatchObject({
      action: 'l',
      state: 'confirmed',
      proof: { kind: 'sanlock', host: 'a', evidence: { lease: 'dead', unseenSeconds: '77' } },
    });
  } finally {
    vi.unstubAllEnvs();
    end.abort();
    await running;
    await controller.close();
  }
});

test('a source of the host tells its leases again when they have changed, and not while they are the same', async () => {
  const one: LeaseReport = { lockspace: 'L', hostId: 1, generation: 1, ioTimeout: 10 };
  // Of a daemon that does not answer what was told last stands.
  const looks: (LeaseReport[] | undefined)[] = [[], [], [one], undefined, [one], []];
  let nth = 0;
  const end = new AbortController();
  const leases = (): Promise<LeaseReport[] | undefined> => {
    if (nth === looks.length) end.abort();
    return Promise.resolve(looks[nth++]);
  };
  const told: unknown[] = [];
  const none = { sys: folder, proc: folder };
  const source = new HostSource({ ...none, pollMs: 1, leases, leasesMs: 0 });
  await source.run(
    said => void (said.kind === 'host' && told.push(said.leases?.length)),
    end.signal,
    () => undefined,
  );
  expect(told).toEqual([0, 1, 0]);
});

describe('a lease that is asked for', () => {
  const own = STATUS.replace('s LS1:1', 's LS1:2').replace('use_watchdog=1', 'use_watchdog=0');
  const act: Act = {
    id: 'l',
    kind: 'ask-lease',
    host: 'b',
    of: 'a',
    vm: 'v',
    epoch: 2,
    incident: 'i',
    deadline: 0,
    lease: { lockspace: 'LS1', hostId: 1, fireSeconds: 60 },
  };
  const ask = (said: Parameters<typeof place>[0], more: Partial<Act> = {}): Promise<ActResult> =>
    askLease({ ...act, ...more }, place(said), never);
  const dead = { status: own, hosts: hostStatus(16920, 16843, 16700), words: words('DEAD') };

  test('is dead where the daemon says so, and has seen it unrenewed for long enough', async () => {
    expect(await ask(dead)).toMatchObject({
      state: 'confirmed',
      proof: {
        kind: 'sanlock',
        vm: 'v',
        host: 'a',
        epoch: 2,
        evidence: {
          lease: 'dead',
          lockspace: 'LS1',
          hostId: '1',
          generation: '1',
          ownerName: 'host-a',
          ioTimeout: '2',
          unseenSeconds: '77',
          says: 'DEAD',
        },
      },
    });
  });

  test.each<[string, Partial<typeof dead>, string, ActResult['state']?]>([
    ['is live', { words: words('LIVE') }, 'says LIVE', 'failed'],
    ['has failed', { words: words('FAIL') }, 'says FAIL', 'failed'],
    ['was not seen yet', { words: words('UNKNOWN') }, 'says UNKNOWN', 'failed'],
    ['is free', { words: words(''), hosts: hostStatus(16920, 16843, 0) }, 'given back'],
    ['is free by its word', { words: words('FREE') }, 'given back'],
    ['nobody has told of', { words: words('') }, 'nothing is known'],
    ['was not looked at', { hosts: '' }, 'nothing is known'],
    ['was taken anew', { words: words('DEAD').replace('h 1 gen 1', 'h 1 gen 2') }, 'taken anew'],
    ['is dead too soon', { hosts: hostStatus(16920, 16844, 16700) }, 'sooner'],
    ['has no io_timeout', { hosts: dead.hosts.replace('io_timeout=2', 'io_timeout=0') }, 'sooner'],
    ['was looked at long ago', { hosts: hostStatus(16906, 16800, 16700) }, 'not looked at it lately'],
    ['is of a lockspace that is not joined', { status: STATUS.replace('s LS1:', 's LS2:') }, 'has not joined'],
    ["is this host's own", { status: STATUS }, "this host's own"],
    [
      'stands on storage that is lost',
      { status: own.replace('renewal_last_result=1', 'renewal_last_result=0') },
      'own lease',
    ],
    ['stands on storage that was lost', { status: own.replace('space_dead=0', 'space_dead=1') }, 'own lease'],
    [
      'stands on storage that hangs',
      { status: own.replace('renewal_last_success=16923', 'renewal_last_success=16906') },
      'own lease',
    ],
    ['nobody can be asked for', { status: 'x' }, 'does not answer'],
  ])('that %s proves nothing', async (_, said, reason, state = 'unknown') => {
    const result = await ask({ ...dead, ...said });
    expect(result).toMatchObject({ state, reason: expect.stringContaining(reason) });
    expect(result.proof).toBeUndefined();
  });

  test('has to be named', async () => {
    const { lease: _, ...none } = act;
    expect(await askLease(none, place(dead), never)).toMatchObject({ state: 'refused' });
  });

  test('nothing that is cut is read: a number would be another one', async () => {
    const long = `${hostStatus(16920, 16843, 16700)}\n${'9'.repeat(2 ** 20)}`;
    expect(await ask({ ...dead, hosts: long })).toMatchObject({ reason: expect.stringContaining('nothing is known') });
  });
});
