/**
 * The real fence_ipmilan against a real IPMI BMC (OpenIPMI's simulator). The host that it powers is a QEMU: the BMC's chassis kills its
 * process, and reads its power from /proc.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActResult } from '../core/act.ts';
import { runController } from './controller.ts';
import type { Desk } from './desk.ts';
import { checkFence, type FenceAgent, powerOff } from './fence.ts';
import { ask } from './testing/ask.ts';
import { Peer, World } from './testing/peer.ts';
import { MOVES } from './testing/policy.ts';
import { newStore } from './testing/store.ts';

const PROGRAMS = ['fence_ipmilan', 'ipmitool', 'ipmi_sim', 'qemu-system-x86_64'];
const APT_LINE = 'apt-get install -y --no-install-recommends fence-agents ipmitool openipmi qemu-system-x86';

function pathOf(program: string): string | undefined {
  const folders = ['/usr/sbin', '/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders
    .map(folder => join(folder, program))
    .find(path => {
      try {
        accessSync(path);
        return true;
      } catch {
        return false;
      }
    });
}
const missing = PROGRAMS.filter(program => pathOf(program) === undefined);
const noFence = missing.length === 0 ? undefined : `no ${missing.join(', ')}: ${APT_LINE}`;

const CHASSIS = `#!/bin/sh
d=\${0%/*}; op=$1; shift
on() { case $(sed 's/.*) //' "/proc/$(cat "$d/pid")/stat" 2>/dev/null) in [RSDTt]*) return 0 ;; esac; return 1; }
case $op in
get) for i; do case $i in power) if on; then echo power:1; else echo power:0; fi ;; *) echo "$i:0" ;; esac; done ;;
set) [ "$1 $2" = 'power 0' ] && ! [ -e "$d/liar" ] && kill -9 "$(cat "$d/pid")"; exit 0 ;;
esac
`;

let folder: string;
let bmc: ChildProcess | undefined;
let machine: ChildProcess | undefined;
let agent: FenceAgent;
const never = new AbortController().signal;

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>(resolve => socket.close(() => resolve()));
  return port;
}

/** A machine of its own, whose power the BMC has. */
function powerOn(): void {
  machine?.kill('SIGKILL');
  machine = spawn('qemu-system-x86_64', ['-machine', 'none', '-nodefaults', '-display', 'none'], { stdio: 'ignore' });
  writeFileSync(join(folder, 'pid'), String(machine.pid));
}

const fence = (seconds = 60): Promise<ActResult> => {
  const deadline = Date.now() + seconds * 1000;
  const act: Act = { id: 'f', kind: 'fence', host: 'a', vm: 'v', epoch: 0, incident: 'inc-1', deadline };
  return powerOff(agent, act, never);
};

beforeAll(async () => {
  if (noFence !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'bmc-'));
  mkdirSync(join(folder, 'state'));
  const port = await freePort();
  const auths = ['callback none', 'user none', 'operator none', 'admin none'].map(
    kind => `    allowed_auths_${kind} md2 md5 straight\n`,
  );
  writeFileSync(
    join(folder, 'lan.conf'),
    `name "host-a"\nset_working_mc 0x20\n  startlan 1\n    addr 127.0.0.1 ${port}\n    priv_limit admin\n${auths.join('')}` +
      `    guid a123456789abcdefa123456789abcdef\n  endlan\n  chassis_control "${folder}/chassis"\n` +
      '  user 2 true "syndrome" "secret" admin 10 none md2 md5 straight\n',
  );
  writeFileSync(
    join(folder, 'sim.emu'),
    'mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 1000 0x0a\nmc_enable 0x20\n',
  );
  writeFileSync(join(folder, 'chassis'), CHASSIS);
  chmodSync(join(folder, 'chassis'), 0o755);
  writeFileSync(join(folder, 'secret'), 'secret\n', { mode: 0o600 });
  const files = ['-c', join(folder, 'lan.conf'), '-f', join(folder, 'sim.emu'), '-s', join(folder, 'state')];
  bmc = spawn('ipmi_sim', [...files, '-n'], { stdio: ['pipe', 'ignore', 'ignore'], cwd: folder });
  const [program = ''] = [pathOf('fence_ipmilan')];
  agent = {
    argv: [program],
    // With the default cipher each call waits 14 s for a negotiation that this simulator does not answer.
    options: {
      ip: '127.0.0.1',
      ipport: String(port),
      lanplus: '1',
      cipher: '3',
      username: 'syndrome',
      power_timeout: '5',
    },
    secretFiles: { password: join(folder, 'secret') },
  };
});
afterAll(() => {
  bmc?.kill('SIGCONT');
  bmc?.kill('SIGKILL');
  machine?.kill('SIGKILL');
  if (noFence === undefined) rmSync(folder, { recursive: true, force: true });
});

describe('fence_ipmilan and a BMC', () => {
  beforeEach(context => skipWithout(context, 'fence', noFence));

  test('the host is switched off, and its power is read back', async () => {
    checkFence('a', agent);
    powerOn();
    const result = await fence();
    expect(result).toMatchObject({
      state: 'confirmed',
      proof: { kind: 'power-off', evidence: { power: 'off', before: 'on', agent: 'fence_ipmilan' } },
    });
    console.log(JSON.stringify(result.proof?.evidence));
    expect(machine?.signalCode).toBe('SIGKILL');
  });

  test('fence-already-off: one that is off already is proven by the same reading', async () => {
    expect((await fence()).proof?.evidence).toMatchObject({ power: 'off', before: 'off' });
  });

  test('a BMC that accepts and does nothing: no proof, and the reading says on', async () => {
    powerOn();
    writeFileSync(join(folder, 'liar'), '');
    let result = await fence(15);
    // On a busy machine not even one call of the agent ends in that time: then nothing was read, which is no lie of the BMC.
    if (result.state === 'unknown') result = await fence(90);
    rmSync(join(folder, 'liar'));
    expect(result).toMatchObject({ state: 'failed', reason: expect.stringContaining('Status: ON') });
    expect(result.proof).toBeUndefined();
  });

  test('bmc-dead-with-host: a BMC that has lost its power with the host: unknown, never proven', async () => {
    machine?.kill('SIGKILL');
    bmc?.kill('SIGSTOP');
    const result = await fence(10);
    bmc?.kill('SIGCONT');
    expect(result.state).toBe('unknown');
    expect(result.proof).toBeUndefined();
  });

  test('a wrong password: unknown, and it is not said', async () => {
    writeFileSync(join(folder, 'secret'), 'not-the-one\n', { mode: 0o600 });
    const result = await fence(10);
    writeFileSync(join(folder, 'secret'), 'secret\n', { mode: 0o600 });
    expect(result.state).toBe('unknown');
    expect(JSON.stringify(result)).not.toContain('not-the-one');
  });
});

/** The whole of it: a controller, a host of which nobody hears, its real BMC, and nothing but what that says. */
describe('a controller whose silent host has a BMC', () => {
  let dir: string;
  let store: Awaited<ReturnType<typeof newStore>>;
  let world: World;
  let desk: Desk | undefined;
  let peers: Peer[];
  const stop = { now: new AbortController() };
  let ended: Promise<void>;

  beforeEach(async context => {
    skipWithout(context, 'fence', noFence);
    dir = mkdtempSync(join(tmpdir(), 'fenced-'));
    store = await newStore(dir);
    [world, peers, desk] = [new World(), [], undefined];
    ended = Promise.resolve();
    stop.now = new AbortController();
    powerOn();
  });

  /** @param fenceMs how long a fence may take: with a BMC that does nothing all of it is waited for */
  async function begin(fenceMs: number): Promise<void> {
    const begun = Promise.withResolvers<void>();
    ended = runController(
      {
        store,
        agentSocket: join(dir, 'run/agents.sock'),
        adminSocket: join(dir, 'run/admin.sock'),
        targets: [],
        targetsOf: () => [],
        deliver: async () => ({ ok: true }),
        ttlMs: 10_000,
        log: () => undefined,
        fences: { a: agent },
        policy: {
          by: 'configuration',
          policy: {
            ...MOVES,
            rules: [{ name: 'gone', of: 'host', when: { silent: 300 }, do: 'evacuate' }],
            proofs: { ...MOVES.proofs, fence: true },
            deadlines: { ...MOVES.deadlines, fence: fenceMs },
          },
        },
        desk: given => {
          desk = given;
          if (given !== undefined) begun.resolve();
        },
      },
      stop.now.signal,
    );
    await begun.promise;
    peers = ['a', 'b'].map(host => new Peer(world, host, join(dir, 'run/agents.sock')));
    peers[0]?.vm('v');
    await Promise.all(peers.map(peer => peer.settled()));
  }
  afterEach(async () => {
    if (noFence !== undefined) return;
    bmc?.kill('SIGCONT');
    rmSync(join(folder, 'liar'), { force: true });
    for (const peer of peers) peer.stop();
    stop.now.abort();
    await ended;
    await store.close();
    rmSync(dir, { recursive: true });
  });

  /** Resolves when something is so; it is looked at after each commit. */
  async function until(so: () => boolean): Promise<void> {
    while (!so()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const leave = desk?.onCommit(resolve);
      if (leave === undefined) throw new Error('no controller works');
      await promise;
      leave();
    }
  }
  const isUnproven = (): boolean => desk?.state().alerts.get('unproven v')?.standing === true;
  const home = (): string | undefined => desk?.state().vms.get('v')?.home;

  test('switches it off, and starts the VM on what is read back', async () => {
    await begin(100_000);
    peers[0]?.stop();
    await until(() => home() === 'b');
    expect(machine?.signalCode).toBe('SIGKILL');
    expect(
      desk
        ?.state()
        .vms.get('v')
        ?.copies.find(copy => copy.host === 'a')?.proof?.kind,
    ).toBe('power-off');
  }, 200_000);

  test.each([
    ['that lies', (): void => writeFileSync(join(folder, 'liar'), '')],
    ['that has lost its power', (): void => void bmc?.kill('SIGSTOP')],
  ])(
    '%s: starts nothing, says so in a bounded time, and a person ends it',
    async (_, breakIt) => {
      await begin(10_000);
      breakIt();
      peers[0]?.stop();
      await until(isUnproven);
      expect(machine?.signalCode).toBeNull();
      expect(world.copies.get('v')?.has('b')).toBeFalsy();
      const fences = [...(desk?.state().acts.values() ?? [])].filter(({ kind }) => kind === 'fence');
      expect(fences).toHaveLength(1);
      expect(['failed', 'unknown']).toContain(fences[0]?.state);
      // Somebody has gone there, and pulled the plug.
      machine?.kill('SIGKILL');
      const order = { order: 'attest', vm: 'v', host: 'a', epoch: 0, statement: 'I have pulled its plug.' } as const;
      const answer = await ask(join(dir, 'run/admin.sock'), { ask: 'order', by: 'ann', order });
      expect(answer.error).toBeUndefined();
      await until(() => home() === 'b');
      expect(isUnproven()).toBe(false);
    },
    120_000,
  );
});
