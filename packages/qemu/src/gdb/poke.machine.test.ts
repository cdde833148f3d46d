import { afterEach, describe, expect, test } from 'vitest';
import type { GdbClient } from './client.ts';
import { breakStage2Walk, haltInGuest, readPhysicalU64, UNASSIGNED_ON_VIRT, walkMachineStage2 } from './poke.ts';
import { startMachine } from './testing/machine.ts';
import {
  DATA,
  DATA_IPA,
  enterGuestAgain,
  LEVEL2,
  LEVEL3_DATA,
  placeNestedGuest,
  stoppedGuest,
  VTCR,
  VTTBR,
} from './testing/nested-guest.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const ARM = ['-M', 'virt,virtualization=on,gic-version=3', '-cpu', 'max', '-smp', '2'];

async function bare(): Promise<GdbClient> {
  const machine = await startMachine('aarch64', ARM);
  cleanups.push(() => machine.stop());
  return machine.gdb;
}

/** A machine whose first vCPU runs the nested guest's loop. */
async function nested(): Promise<GdbClient> {
  const gdb = await bare();
  await placeNestedGuest(gdb);
  return gdb;
}

const first = { thread: '01' };

/** Lets the machine run until the guest has stopped or has gone `rounds` rounds further. Leaves it halted. */
async function runOn(gdb: GdbClient, rounds: bigint): Promise<{ esr: bigint; far: bigint } | 'goes on'> {
  await gdb.halt();
  const start = await gdb.readRegister('x0', first);
  for (let looks = 0; looks < 2000; looks++) {
    await gdb.resume();
    await gdb.halt();
    const stopped = await stoppedGuest(gdb);
    if (stopped !== undefined) return stopped;
    if ((await gdb.readRegister('x0', first)) - start >= rounds) return 'goes on';
  }
  return expect.fail('the guest does not run');
}

/**
 * Data abort from a lower EL (EC 0x24, IL), ISV with SAS 3, SRT 2 (`ldr x2`) and SF, DFSC 0x17: synchronous external
 * abort on the walk, level 3 (Arm ARM, ESR_ELx). KVM reports it without the ISV fields, as 0x92000017.
 */
const SEA_ON_WALK_LEVEL3 = 0x93c2_8017n;

describe('a nested guest on a real QEMU', () => {
  test('is found at EL1, and its tables are walked', async () => {
    const gdb = await nested();
    const guest = await haltInGuest(gdb);
    expect(guest).toEqual({ thread: '01', el: 1, vttbr: VTTBR, vtcr: VTCR });
    expect(gdb.state).toBe('halted');
    const walk = await walkMachineStage2(gdb, guest, DATA_IPA + 0x3018n);
    expect(walk.output).toEqual({ pa: DATA + 0x3018n, size: 0x1000n });
    expect(walk.steps.map(s => [s.level, s.kind, s.tableAddress])).toEqual([
      [1, 'table', 0x4100_0000n],
      [2, 'table', LEVEL2],
      [3, 'page', LEVEL3_DATA],
    ]);
  });

  test('takes an abort on the walk for a page it has not touched, and not for one it has; restore repairs it', async () => {
    const gdb = await nested();
    // It loads the same page many times: TCG has that translation.
    expect(await runOn(gdb, 1000n)).toBe('goes on');
    const broken = await breakStage2Walk(gdb, { ipa: DATA_IPA });
    expect(gdb.state).toBe('running');
    expect(broken).toMatchObject({
      descriptorAddress: LEVEL2 + 8n,
      was: LEVEL3_DATA | 3n,
      now: UNASSIGNED_ON_VIRT | 3n,
    });
    expect(await runOn(gdb, 1000n)).toBe('goes on');
    await gdb.writeRegister('x1', DATA_IPA + 0x5000n, first);
    expect(await runOn(gdb, 1000n)).toEqual({ esr: SEA_ON_WALK_LEVEL3, far: DATA_IPA + 0x5000n });
    await broken.restore();
    expect(gdb.state).toBe('halted');
    expect(await readPhysicalU64(gdb, broken.descriptorAddress)).toBe(broken.was);
    await enterGuestAgain(gdb);
    await gdb.writeRegister('x15', DATA_IPA + 0x5000n, first);
    expect(await runOn(gdb, 1000n)).toBe('goes on');
    await broken.restore();
  });

  test('that makes hypercalls goes on while stage 2 stays on, and aborts when it was turned off and on', async () => {
    const gdb = await nested();
    await gdb.writeRegister('x3', 1n, first);
    expect(await runOn(gdb, 1000n)).toBe('goes on');
    await breakStage2Walk(gdb, { ipa: DATA_IPA, level: 2 });
    expect(await runOn(gdb, 1000n)).toBe('goes on');
    await gdb.writeRegister('x6', 1n, first);
    expect(await runOn(gdb, 1000n)).toEqual({ esr: SEA_ON_WALK_LEVEL3, far: DATA_IPA });
  });

  test('refuses what cannot be broken and leaves the machine as it was', async () => {
    const gdb = await nested();
    expect(await runOn(gdb, 10n)).toBe('goes on');
    await gdb.resume();
    const level3 = breakStage2Walk(gdb, { ipa: DATA_IPA, level: 3 });
    await expect(level3).rejects.toMatchObject({
      code: 'E_STAGE2_NO_TABLE',
      message: expect.stringMatching(/level 1 table, level 2 table, level 3 page/) as string,
    });
    expect(gdb.state).toBe('running');
    await expect(breakStage2Walk(gdb, { ipa: DATA_IPA, to: 0x0980_0800n })).rejects.toMatchObject({
      code: 'E_STAGE2_ADDRESS',
    });
    await expect(
      breakStage2Walk(gdb, { ipa: DATA_IPA, accept: () => false, attempts: 2, sliceMs: 1 }),
    ).rejects.toMatchObject({ code: 'E_STAGE2_NO_GUEST' });
    expect(gdb.state).toBe('running');
    expect(await runOn(gdb, 10n)).toBe('goes on');
  });

  test('whose descriptor somebody else has changed is left alone', async () => {
    const gdb = await nested();
    const registers = { vttbr: VTTBR, vtcr: VTCR };
    const broken = await breakStage2Walk(gdb, { ipa: DATA_IPA, registers, leaveHalted: true });
    expect(gdb.state).toBe('halted');
    await gdb.writeMemory(broken.descriptorAddress, new Uint8Array(8), { physical: true });
    await expect(broken.restore()).rejects.toMatchObject({ code: 'E_STAGE2_CHANGED' });
    expect(await readPhysicalU64(gdb, broken.descriptorAddress)).toBe(0n);
  });

  test('that is not there is not found', async () => {
    const gdb = await bare();
    await expect(haltInGuest(gdb, { attempts: 3, sliceMs: 1 })).rejects.toMatchObject({ code: 'E_STAGE2_NO_GUEST' });
    expect(gdb.state).toBe('halted');
  });

  test('cannot be on a machine without EL2', async () => {
    const machine = await startMachine('aarch64', ['-M', 'virt', '-cpu', 'max']);
    cleanups.push(() => machine.stop());
    await expect(haltInGuest(machine.gdb)).rejects.toMatchObject({
      code: 'E_GDB_UNSUPPORTED',
      hint: expect.stringMatching(/virtualization=on/) as string,
    });
  });
});
