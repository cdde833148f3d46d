import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bootId, processFacts } from './proc.ts';
import { Vms } from './vms.ts';

test('a copy outlives the agent, and a disk that takes nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vms-'));
  const path = join(folder, 'none', 'copies.json');
  const { startTicks = '' } = processFacts(process.pid) ?? {};
  const copy = { pid: process.pid, startTicks, boot: bootId(), socket: '/run/web.qmp' };
  const vms = new Vms(path);
  vms.foundCopy('web', copy);
  expect(vms.find('web')?.copy).toEqual(copy);
  mkdirSync(join(folder, 'none'));
  vms.flush();
  expect(new Vms(path).find('web')?.copy).toEqual(copy);
  vms.hasLeft('web');
  // Found again after its monitor was away: it has left all the same.
  const later = new Vms(path);
  later.foundCopy('web', copy);
  expect(later.find('web')?.copy?.left).toBe(true);
  expect(later.ofPid(process.pid)?.vm).toBe('web');
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, 20));
  expect(new Vms(path).find('web')).toBeUndefined();
  rmSync(folder, { recursive: true });
});

test('what an earlier agent found is known before any source has found it, but not after a reboot', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vms-'));
  const path = join(folder, 'copies.json');
  const { startTicks = '' } = processFacts(process.pid) ?? {};
  const copy = { pid: process.pid, startTicks, boot: bootId(), socket: '/run/web.qmp' };
  const ram = [{ gpa: '0x40000000', hva: '0xffff00000000', bytes: '0x1000' }];
  new Vms(path).foundCopy('web', { ...copy, ram });
  expect(new Vms(path).ofPid(process.pid)).toMatchObject({
    vm: 'web',
    ram: [{ gpa: 0x4000_0000n, hva: 0xffff_0000_0000n, bytes: 0x1000n }],
  });
  expect(new Vms(path).all().map(known => known.vm)).toEqual(['web']);
  for (const bad of [7, [7], [{ ...ram[0], hva: 'x' }], [null], []]) {
    writeFileSync(path, JSON.stringify({ web: { ...copy, ram: bad } }));
    expect(new Vms(path).ofPid(process.pid)?.ram).toBeUndefined();
  }
  writeFileSync(path, JSON.stringify({ web: { ...copy, boot: 'another' } }));
  expect(new Vms(path).ofPid(process.pid)).toBeUndefined();
  rmSync(folder, { recursive: true });
});
