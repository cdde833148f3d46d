import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { GHES_MAX_BYTES } from '@syndrome/decode/inject/ghes-command.ts';
import { injectGhes } from './ghes.ts';
import { startMachine, type TestMachine } from './testing/machine.ts';

let dir: string;
/** Any file makes QEMU build the ACPI machinery; nothing runs it, because the machine stays paused. */
let firmware: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ghes-'));
  firmware = join(dir, 'firmware');
  await writeFile(firmware, new Uint8Array(4096));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function arm(machineType: string): Promise<TestMachine> {
  const started = await startMachine('aarch64', ['-M', machineType, '-cpu', 'max', '-m', '64', '-bios', firmware]);
  cleanups.push(() => started.stop());
  return started;
}

async function refusal(of: TestMachine, block: Uint8Array): Promise<unknown> {
  return injectGhes(of.qmp, block).then(
    () => expect.fail('injected'),
    (error: { code?: unknown }) => error.code,
  );
}

const block = new Uint8Array(200).fill(1);

describe('inject-ghes-v2-error', () => {
  test('is refused where it is not compiled in', async () => {
    const x86 = await startMachine('x86_64', ['-m', '64']);
    cleanups.push(() => x86.stop());
    expect(await refusal(x86, block)).toBe('E_GHES_NOT_COMPILED');
  });

  test('is refused where QEMU would accept and drop it', async () => {
    expect(await refusal(await arm('virt'), block)).toBe('E_GHES_RAS_OFF');
    expect(await refusal(await arm('virt,ras=on,acpi=off'), block)).toBe('E_GHES_NO_GED');
  });

  test('is refused for a block that does not fit', async () => {
    const machine = await arm('virt,ras=on');
    expect(await refusal(machine, new Uint8Array(0))).toBe('E_GHES_SIZE');
    expect(await refusal(machine, new Uint8Array(GHES_MAX_BYTES + 1))).toBe('E_GHES_SIZE');
  });

  test('the trap that is left: before the firmware has run, QEMU accepts and drops it', async () => {
    const machine = await arm('virt,ras=on');
    const { events } = await machine.qmp.executeObserved('inject-ghes-v2-error', { cper: 'AAAA' });
    expect(events).toEqual([]);
    await injectGhes(machine.qmp, new Uint8Array(GHES_MAX_BYTES));
    expect(await machine.qmp.execute('query-status')).toMatchObject({ status: 'prelaunch' });
  });
});
