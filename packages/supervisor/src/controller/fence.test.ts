import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act } from '../core/act.ts';
import { NO_POLICY } from '../core/policy.ts';
import { proofFault } from '../core/proof.ts';
import { checkFence, powerOff } from './fence.ts';
import { pidFence } from './testing/pid-fence.ts';

let folder: string;
let host: ChildProcess;
const never = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fence-'));
  host = spawn('sleep', ['600'], { stdio: 'ignore' });
});
afterEach(() => {
  host.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const order = (ms = 20_000): Act => ({
  id: 'f1',
  kind: 'fence',
  host: 'a',
  vm: 'v',
  epoch: 3,
  incident: 'inc-1',
  deadline: Date.now() + ms,
});
const fast = { againMs: 10 };
const fence = (): ReturnType<typeof pidFence> => pidFence(folder, host.pid ?? 0);

describe('a fence', () => {
  test('switches off, and its proof is the power that is read back, twice', async () => {
    const { agent, calls } = fence();
    checkFence('a', agent);
    const result = await powerOff(agent, order(), never, fast);
    expect(result).toMatchObject({ state: 'confirmed', proof: { kind: 'power-off', host: 'a', vm: 'v', epoch: 3 } });
    expect(result.proof?.evidence).toMatchObject({
      power: 'off',
      before: 'on',
      off: 'exit code 0',
      agent: 'fence_pid',
    });
    // A process that is killed may be there for one more reading.
    const [before, off, ...after] = calls();
    expect([before, off, new Set(after)]).toEqual(['status', 'off', new Set(['status'])]);
    expect(after.length).toBeGreaterThanOrEqual(2);
    expect(result.proof?.evidence['readings']).toBe(String(after.length));
    if (result.proof === undefined) throw new Error('no proof');
    expect(proofFault(NO_POLICY, 'v', { host: 'a', epoch: 3 }, result.proof)).toBeUndefined();
  });

  test('of a host that is off already proves it, although off fails', async () => {
    const { agent } = fence();
    host.kill('SIGKILL');
    const result = await powerOff(agent, order(), never, fast);
    expect(result.proof?.evidence).toMatchObject({ before: 'off', off: 'exit code 1', power: 'off' });
  });

  test('that returns 0 and does nothing is no proof', async () => {
    const { agent } = fence();
    writeFileSync(join(folder, 'liar'), '');
    const result = await powerOff(agent, order(2500), never, fast);
    expect(result).toMatchObject({ state: 'failed', reason: expect.stringContaining('Status: ON') });
    expect(result.proof).toBeUndefined();
  });

  test.each(['mute', 'bare'])('whose power cannot be read proves nothing, though the host died: %s', async how => {
    const { agent } = fence();
    writeFileSync(join(folder, how), '');
    const result = await powerOff(agent, order(2500), never, fast);
    expect(result.state).toBe('unknown');
    expect(result.proof).toBeUndefined();
  });

  test('never says its secret', async () => {
    const { agent, calls } = fence();
    writeFileSync(join(folder, 'bmc.secret'), 'changed=meanwhile\n');
    const result = await powerOff(agent, order(2000), never, fast);
    expect(calls()).toContain('status');
    expect(JSON.stringify(result)).not.toContain('meanwhile');
    expect(result).toMatchObject({ state: 'unknown', reason: expect.stringContaining('Unable to connect/login: …') });
  });

  test('that hangs is ended with its deadline', async () => {
    const { agent } = fence();
    const program = join(folder, 'fence_slow');
    writeFileSync(program, '#!/bin/sh\nsleep 600\n');
    chmodSync(program, 0o755);
    const result = await powerOff({ ...agent, argv: [program] }, order(1500), never, fast);
    expect(result).toMatchObject({ state: 'unknown', reason: expect.stringContaining('nothing was read') });
  });

  test.each<[string, Parameters<typeof checkFence>[1], RegExp]>([
    ['no whole path', { argv: ['fence_ipmilan'], options: {}, secretFiles: {} }, /absolute path/],
    ['a password as an option', { argv: ['/bin/true'], options: { password: 'x' }, secretFiles: {} }, /is a secret/],
    ['a password as an argument', { argv: ['/bin/true', '--password=x'], options: {}, secretFiles: {} }, /is a secret/],
    ['an action of its own', { argv: ['/bin/true'], options: { action: 'reboot' }, secretFiles: {} }, /action/],
    ['no secret file', { argv: ['/bin/true'], options: {}, secretFiles: { password: '/nowhere' } }, /cannot be read/],
  ])('is refused with %s', (_, agent, why) => {
    expect(() => checkFence('a', agent)).toThrow(why);
  });
});
