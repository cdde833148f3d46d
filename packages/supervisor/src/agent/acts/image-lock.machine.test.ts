/** QEMU's image lock, held by a real QEMU and asked for with the real qemu-io. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActResult } from '../../core/act.ts';
import { bootId } from '../proc.ts';
import { noLibvirt, until } from '../testing/libvirt-hosts.ts';
import { askLock, fileSystemOf } from './image-lock.ts';

let folder: string;
let qemu: ChildProcess | undefined;
const disk = (): string => join(folder, 'disk.img');
const never = new AbortController().signal;

const ask = (disks: readonly string[] = [disk()]): Promise<ActResult> => {
  const deadline = Date.now() + 30_000;
  const act: Act = { id: 'l', kind: 'ask-lock', host: 'b', of: 'a', vm: 'v', epoch: 2, incident: 'i', deadline, disks };
  return askLock(act, never);
};

describe("the lock of a VM's disk", () => {
  beforeEach(context => {
    skipWithout(context, 'libvirt', noLibvirt());
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
    writeFileSync(disk(), Buffer.alloc(1 << 20));
  });
  afterEach(() => {
    qemu?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  test('is held while its QEMU runs and while it is paused, and free when it is gone', async () => {
    const socket = join(folder, 'q.sock');
    const drive = `file=${disk()},format=raw,if=none,id=d`;
    const rest = ['-display', 'none', '-device', 'virtio-blk-pci,drive=d', '-qmp', `unix:${socket},server=on,wait=off`];
    qemu = spawn('qemu-system-x86_64', ['-nodefaults', '-drive', drive, ...rest], { stdio: 'ignore' });
    await until(() => existsSync(socket));
    const qmp = await QmpClient.connect({ path: socket }, { deadlineMs: 20_000 });
    const running = await ask();
    expect(running).toMatchObject({ state: 'failed', seen: { lock: 'held' }, reason: expect.stringContaining('lock') });
    expect(running.proof).toBeUndefined();
    await qmp.execute('stop');
    expect(await ask()).toMatchObject({ state: 'failed', seen: { lock: 'held' } });
    await qmp.close();
    const gone = once(qemu, 'exit');
    qemu.kill('SIGKILL');
    await gone;
    expect(await ask()).toMatchObject({
      state: 'confirmed',
      proof: {
        kind: 'image-lock',
        host: 'a',
        epoch: 2,
        evidence: { lock: 'free', fs: fileSystemOf(disk()), boot: bootId() },
      },
    });
  });

  test('of what is no local file is not known', async () => {
    for (const disks of [['nbd:store/x'], ['/nowhere/x.img'], [disk(), '/dev/null']]) {
      const result = await ask(disks);
      expect(result.state).toBe('unknown');
      expect(result.proof).toBeUndefined();
    }
  });
});
