/** A QEMU that is a service of a real systemd: when its end proves a stop, and when systemd may bring it back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActKind, ActResult } from '../core/act.ts';
import { QemuActs } from './acts/qemu.ts';
import { listenerOf, unitOfProcess } from './proc.ts';
import { QmpSource } from './sources/qmp.ts';
import { until } from './testing/libvirt-hosts.ts';
import { noSystemd, RealSystemd } from './testing/real-systemd.ts';
import { Units } from './units.ts';
import { Vms } from './vms.ts';

const QEMU = '/usr/bin/qemu-system-x86_64';
const UNIT = 'vm-web.service';

let folder: string;
let systemd: RealSystemd | undefined;
let vms: Vms;
let units: Units;
let reading: { end: AbortController; done: Promise<void> } | undefined;
/** What the source said of autostart, in its order. */
const said: boolean[] = [];

const socket = (): string => join(folder, 'web.qmp');
const act = (kind: ActKind, n = 1): Promise<ActResult> => {
  const order: Act = {
    id: `${kind}-${n}`,
    kind,
    host: 'a',
    vm: 'web',
    epoch: 0,
    incident: 'inc-1',
    deadline: Date.now() + 30_000,
  };
  return new QemuActs({ vms, units, programs: [], folder, logs: folder }).act(order, new AbortController().signal);
};

/** Starts the service, and a source that has found its VM. */
async function running(service: readonly string[], enabled: boolean): Promise<void> {
  const monitor = `unix:${socket()},server=on,wait=off`;
  const argv = [QEMU, '-name', 'web', '-machine', 'none', '-nodefaults', '-display', 'none', '-qmp', monitor];
  systemd?.unit(UNIT, argv, service);
  await systemd?.ask('daemon-reload');
  if (enabled) await systemd?.ask('enable', UNIT);
  await systemd?.ask('start', UNIT);
  await until(() => listenerOf(socket()) !== undefined);
  const end = new AbortController();
  const source = new QmpSource(socket(), { vms, units, epochOf: () => 0, askMs: 100, firstMs: 10 });
  const done = source.run(
    row => void (row.kind === 'vm' && said.push(row.autostart)),
    end.signal,
    () => undefined,
  );
  reading = { end, done };
  await until(() => vms.find('web')?.copy?.unit !== undefined);
}

describe('a VM that is a service of a real systemd', () => {
  beforeEach(async context => {
    skipWithout(context, 'systemd', noSystemd());
    folder = mkdtempSync(join(tmpdir(), 'sd-'));
    systemd = await RealSystemd.start(folder);
    vms = new Vms(join(folder, 'copies.json'));
    units = new Units({ systemctl: systemd.systemctl });
    said.length = 0;
  });
  afterEach(async () => {
    reading?.end.abort();
    await reading?.done;
    await systemd?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  test('disabled, Restart=no: its end is a proof', async () => {
    await running(['Restart=no'], false);
    expect(unitOfProcess(listenerOf(socket())?.pid ?? 0)).toEqual({ name: UNIT });
    expect(said.at(-1)).toBe(false);
    expect(await act('autostart-off')).toMatchObject({ state: 'confirmed' });
    expect(await act('stop')).toMatchObject({ state: 'confirmed', proof: { kind: 'process-gone' } });
  });

  test('enabled, Restart=no: it starts with the host, and its end is none', async () => {
    await running(['Restart=no'], true);
    expect(said.at(-1)).toBe(true);
    expect(await act('autostart-off')).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('UnitFileState=enabled'),
    });
    const stopped = await act('stop');
    expect(stopped.proof).toBeUndefined();
    expect(stopped.reason).toContain('UnitFileState=enabled');
    // It is asked again before each proof, whatever was said before.
    await systemd?.ask('disable', UNIT);
    expect(await act('prove')).toMatchObject({ state: 'confirmed', proof: { evidence: { autostart: 'off' } } });
    await systemd?.ask('enable', UNIT);
    expect((await act('prove', 2)).proof).toBeUndefined();
  });

  test('disabled, Restart=on-failure: systemd brings it back after a kill, and its end is none', async () => {
    await running(['Restart=on-failure', 'RestartSec=100ms'], false);
    const first = vms.find('web')?.copy;
    expect(said.at(-1)).toBe(true);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await until(() => (listenerOf(socket())?.pid ?? first?.pid) !== first?.pid);
    const proven = await act('prove');
    expect(proven.proof).toBeUndefined();
  });

  test('a manager that is gone says nothing, and nothing is proven', async () => {
    await running(['Restart=no'], false);
    await systemd?.end();
    await until(() => listenerOf(socket()) === undefined);
    const proven = await act('prove');
    expect(proven.proof).toBeUndefined();
    expect(proven.reason).toContain('systemctl');
  });
});
