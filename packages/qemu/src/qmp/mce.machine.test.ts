import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Mce } from '@syndrome/decode/inject/injection.ts';
import { injectMce } from './mce.ts';
import { type BootSectorOptions, bootSector } from './testing/boot-sector.ts';
import { startMachine, type TestMachine } from './testing/machine.ts';
import { gpa2hpa, gva2gpa } from './translate.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function machine(...args: string[]): Promise<TestMachine> {
  const started = await startMachine('x86_64', ['-m', '64', ...args]);
  cleanups.push(() => started.stop());
  return started;
}

/** A machine whose guest has set CR4.MCE and halted. */
async function guest(options: BootSectorOptions, ...args: string[]): Promise<TestMachine> {
  const dir = await mkdtemp(join(tmpdir(), 'boot-'));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  const disk = join(dir, 'disk');
  await writeFile(disk, bootSector(options));
  const started = await machine('-device', 'pvpanic', '-drive', `file=${disk},format=raw,if=ide`, ...args);
  const ready = started.qmp.waitEvent('GUEST_CRASHLOADED', 60_000);
  await started.qmp.execute('cont');
  await ready;
  return started;
}

/** Injects and gives the code of the failure. */
async function refusal(of: TestMachine, mce: Mce): Promise<unknown> {
  return injectMce(of.qmp, mce).then(
    result => expect.fail(`injected: ${result.commandLine}`),
    (error: { code?: unknown }) => error.code,
  );
}

const srao: Mce = { cpu: 0, bank: 9, status: 0xbd000000000000c0n, mcgStatus: 5n, addr: 0x1000n, misc: 0x8cn };
const corrected: Mce = { ...srao, status: 0x9c000000000000c0n, mcgStatus: 0n };
const srar: Mce = { ...srao, status: 0xbd80000000000134n, mcgStatus: 7n };

describe('mce on a machine without a guest', () => {
  test('a corrected error goes into the bank', async () => {
    const { qmp } = await machine('-cpu', 'Skylake-Server');
    const { events, ...result } = await injectMce(qmp, corrected);
    expect(result).toEqual({
      commandLine: 'mce 0 9 0x9c000000000000c0 0x0 0x1000 0x8c',
      output: '',
      action: 'inject',
      messages: [],
    });
    expect(events).toMatchObject([{ recipient: 'guest', action: 'inject', actionRequired: false, recursive: false }]);
  });

  test('an uncorrected error resets every CPU it is broadcast to', async () => {
    const { qmp } = await machine('-cpu', 'Skylake-Server', '-smp', '3');
    const reset = qmp.waitEvent('RESET', 10_000);
    const result = await injectMce(qmp, { ...srao, broadcast: true });
    expect(result.messages).toEqual([0, 1, 2].map(cpu => ({ cpu, reason: 'mce-not-enabled' })));
    expect(result.events.map(e => e.action)).toEqual(['reset', 'reset', 'reset']);
    expect(result.action).toBe('reset');
    expect((await reset).data).toEqual({ guest: true, reason: 'guest-reset' });
  });

  test('what the monitor refuses is told apart', async () => {
    const intel = await machine('-cpu', 'Skylake-Server', '-smp', '2');
    expect(await refusal(intel, { ...srao, bank: 10 })).toBe('E_HMP_MCE_BANK');
    expect(await refusal(intel, { ...srao, status: srao.status & ~(1n << 63n) })).toBe('E_HMP_MCE_STATUS');
    expect(await refusal(intel, { ...srao, cpu: 2 })).toBe('E_HMP_BAD_CPU');
    expect(await refusal(await machine('-cpu', 'EPYC'), { ...srao, broadcast: true })).toBe('E_HMP_MCE_BROADCAST');
    expect(await refusal(await machine('-cpu', '486'), srao)).toBe('E_HMP_MCE_NOT_SUPPORTED');
  });

  test('the monitor accepts a CPU that does not exist without a word', async () => {
    const { qmp } = await machine();
    expect(await qmp.hmpObserved('mce 7 9 0x9c000000000000c0 0 0 0')).toEqual({ value: '', events: [] });
  });

  test('overlapping injections keep their own events', async () => {
    const { qmp } = await machine('-cpu', 'Skylake-Server', '-smp', '4');
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, i) => injectMce(qmp, { ...corrected, cpu: i % 4, bank: i % 10 })),
    );
    expect(results.map(r => r.events.length)).toEqual(results.map(() => 1));
  });

  test('an arm machine has no mce', async () => {
    const arm = await startMachine('aarch64', ['-M', 'virt', '-cpu', 'max', '-m', '64']);
    cleanups.push(() => arm.stop());
    expect(['E_HMP_NOT_AVAILABLE', 'E_HMP_UNKNOWN_COMMAND']).toContain(await refusal(arm, srao));
  });
});

describe('mce on a guest that has set CR4.MCE', () => {
  test('is raised once, then resets the machine while MCIP is set', async () => {
    const { qmp } = await guest({}, '-cpu', 'Skylake-Server');
    const first = await injectMce(qmp, srao);
    expect(first).toMatchObject({ action: 'inject', output: '', events: [{ recursive: false }] });
    const second = await injectMce(qmp, srar);
    expect(second).toMatchObject({
      action: 'reset',
      events: [{ recursive: true, actionRequired: true }],
      messages: [{ cpu: 0, reason: 'mcip-set' }],
    });
  });

  test('is refused where the guest has cleared MCG_CTL', async () => {
    expect(await refusal(await guest({ clearMsrs: [0x17b] }), srao)).toBe('E_HMP_MCE_DISABLED');
  });

  test('is refused where the guest has cleared MC9_CTL, but not for another bank', async () => {
    const started = await guest({ clearMsrs: [0x424] });
    expect(await refusal(started, srao)).toBe('E_HMP_MCE_BANK_DISABLED');
    expect((await injectMce(started.qmp, { ...srao, bank: 8 })).action).toBe('inject');
  });
});

describe('address translation', () => {
  const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      value => expect.fail(`translated to ${String(value)}`),
      (error: { code?: unknown }) => error.code,
    );

  test('of guest physical addresses', async () => {
    const { qmp } = await machine();
    expect(await gva2gpa(qmp, 0n)).toBe(0n);
    expect(await codeOf(gpa2hpa(qmp, 0x1_0000_0000n))).toBe('E_HMP_NO_MEMORY');
    expect(await codeOf(gpa2hpa(qmp, 0xfee0_0000n))).toBe('E_HMP_NOT_RAM');
  });

  test('to host physical addresses, or the reason why not', async () => {
    const { qmp } = await machine();
    const outcome = await gpa2hpa(qmp, 0x1234n).then(
      ({ address, region }) => ({ offset: address & 0xfffn, region }),
      (error: { code?: unknown }) => ({ code: error.code }),
    );
    expect([
      { offset: 0x234n, region: 'pc.ram' },
      { code: 'E_HMP_PFN_HIDDEN' },
      { code: 'E_HMP_PAGEMAP' },
    ]).toContainEqual(outcome);
  });

  test('of guest virtual addresses, per CPU', async () => {
    const { qmp } = await guest({ paging: true }, '-smp', '2');
    expect(await gva2gpa(qmp, 0x1234n, { cpuIndex: 0 })).toBe(0x1234n);
    expect(await codeOf(gva2gpa(qmp, 0x40_0000n, { cpuIndex: 0 }))).toBe('E_HMP_UNMAPPED');
    // The second CPU waits for its start-up message with paging off.
    expect(await gva2gpa(qmp, 0x40_0000n, { cpuIndex: 1 })).toBe(0x40_0000n);
  });
});
