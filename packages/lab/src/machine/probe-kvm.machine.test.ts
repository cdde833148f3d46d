import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Supply } from '../supply/supply.ts';
import { assemble } from '../parts.ts';
import { findScenario } from '../scenario/load.ts';
import { kvmAccessible } from './accel.ts';
import { probeKvm } from './probe-kvm.ts';

const folder = mkdtempSync(join(tmpdir(), 'probe-'));
let cacheDir = '';
beforeEach(() => {
  cacheDir = mkdtempSync(join(folder, 'c'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { machine, files } = await assemble(
  findScenario('intel-uc-fatal').machine,
  { accel: 'tcg' },
  { supply: await Supply.open() },
);
const kept = (): string[] => readdirSync(cacheDir, { recursive: true, encoding: 'utf8' });

describe.skipIf(!kvmAccessible())('with a /dev/kvm that opens', () => {
  test('the answer is certain, and holds for another kernel without a boot', async () => {
    const probe = await probeKvm(machine, files, { cacheDir });
    expect(probe.reason).toMatch(/a stock guest booted|KVM|kvm/);
    expect(kept()).toHaveLength(2);
    const other = { ...files, kernel: '/no/such/kernel' };
    expect(await probeKvm(machine, other, { cacheDir })).toEqual(probe);
  });

  test('a deadline is no answer to keep', async () => {
    expect((await probeKvm(machine, files, { cacheDir, deadlineMs: 1 })).works).toBe(false);
    expect(kept()).toEqual([]);
  });

  test('a kernel that does not boot says nothing about KVM', async () => {
    const probe = await probeKvm(machine, { ...files, kernel: '/no/such/kernel' }, { cacheDir });
    expect(probe.works).toBe(false);
    expect(kept()).toEqual([]);
  });
});

describe.skipIf(kvmAccessible())('with a /dev/kvm that may not be opened', () => {
  test('the refusal is certain, and holds for another kernel', async () => {
    const probe = await probeKvm(machine, files, { cacheDir });
    expect(probe).toMatchObject({ works: false, reason: expect.stringMatching(/kvm/i) as string });
    expect(kept()).toHaveLength(2);
    expect(await probeKvm(machine, { ...files, kernel: '/no/such/kernel' }, { cacheDir })).toEqual(probe);
  });
});

test.for([1, 3000])('a deadline of %i ms is no answer to keep', async deadlineMs => {
  // KVM that neither refuses nor gets on, on any machine: the emulator in its place, with a guest that is not let go.
  const words = 'case $word in kvm) word=tcg ;; host) word=max ;; esac';
  const slow = ['-c', `for word; do shift; ${words}; set -- "$@" "$word"; done; exec "$@" -S`];
  const qemu = ['/bin/sh', ...slow, 'sh', ...files.qemu];
  const probe = await probeKvm(machine, { ...files, qemu }, { cacheDir, deadlineMs });
  expect(probe.works).toBe(false);
  expect(probe.reason).not.toMatch(/kvm/i);
  expect(kept()).toEqual([]);
});

test('an interruption ends it, and nothing is kept', async () => {
  const probing = probeKvm(machine, files, { cacheDir, signal: AbortSignal.abort() });
  await expect(probing).rejects.toMatchObject({ code: 'E_LAB_INTERRUPTED' });
  expect(kept()).toEqual([]);
});
