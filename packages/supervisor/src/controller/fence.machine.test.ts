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
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActResult } from '../core/act.ts';
import { checkFence, type FenceAgent, powerOff } from './fence.ts';

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
    const result = await fence(15);
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
    expect(result.state).toBe('unknown');
    expect(JSON.stringify(result)).not.toContain('not-the-one');
  });
});
