import { afterEach, describe, expect, test } from 'vitest';
import { GdbClient } from './client.ts';
import type { TranscriptEntry } from './transcript.ts';
import { GdbClosedError, GdbDeadlineError, GdbRemoteError, GdbWriteError } from './errors.ts';
import { startMachine, type TestMachine } from './testing/machine.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function machine(...args: Parameters<typeof startMachine>): Promise<TestMachine> {
  const started = await startMachine(...args);
  cleanups.push(() => started.stop());
  return started;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    value => expect.fail(`resolved to ${String(value)}`),
    (error: unknown) => error,
  );
}

const ARM = ['-M', 'virt,virtualization=on,gic-version=3', '-cpu', 'max', '-smp', '2'];
/** Where RAM begins on the virt machine. */
const RAM = 0x4000_0000n;

/** Little-endian A64 instructions. */
function code(...words: number[]): Uint8Array {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, i * 4);
  return bytes;
}

/** `add x0, x0, #1; b .-4`: a counter that shows whether the vCPU runs. */
const COUNTER = code(0x9100_0400, 0x17ff_ffff);

describe('a real aarch64 QEMU', () => {
  test('tells its registers, system registers of EL2 among them, and its vCPUs', async () => {
    const { gdb } = await machine('aarch64', ARM);
    expect(gdb.state).toBe('halted');
    expect(gdb.description.architecture).toBe('aarch64');
    const numbers = new Map(gdb.description.registers.map(r => [r.name, [r.regnum, r.bitsize]]));
    expect(numbers.get('x0')).toEqual([0, 64]);
    expect(numbers.get('pc')).toEqual([32, 64]);
    expect(numbers.get('cpsr')).toEqual([33, 32]);
    for (const name of ['VTTBR_EL2', 'VTCR_EL2', 'HCR_EL2', 'TTBR0_EL1', 'TTBR1_EL1', 'ELR_EL1', 'ESR_EL2']) {
      expect(numbers.get(name)?.[1], name).toBe(64);
    }
    expect(await gdb.threads()).toEqual(['01', '02']);
    // CurrentEL as the machine starts with virtualization=on: EL2h (PSTATE.M = 9).
    expect((await gdb.readRegister('cpsr')) & 0xfn).toBe(9n);
    await gdb.writeRegister('x0', 1n, { thread: '01' });
    await gdb.writeRegister('x0', 2n, { thread: '02' });
    expect(await gdb.readRegister('x0', { thread: '01' })).toBe(1n);
    expect(await gdb.readRegister('x0', { thread: '02' })).toBe(2n);
    expect(await failure(gdb.readRegister('vttbr_el2'))).toMatchObject({
      code: 'E_GDB_UNSUPPORTED',
      hint: 'It has VTTBR_EL2.',
    });
    expect(await failure(gdb.readRegister('x0', { thread: '77' }))).toBeInstanceOf(GdbRemoteError);
  });

  test('every register it describes can be read, or is refused in the protocol', async () => {
    const { gdb } = await machine('aarch64', ARM);
    let read = 0;
    for (const { name, bitsize } of gdb.description.registers) {
      const value = await gdb.readRegister(name).catch((error: unknown) => {
        if (!(error instanceof GdbRemoteError)) throw error;
      });
      if (value === undefined) continue;
      read++;
      expect(value >> BigInt(bitsize), name).toBe(0n);
    }
    expect(read).toBeGreaterThan(300);
    expect(gdb.state).toBe('halted');
  });

  test('keeps general registers and says so when a system register is not written', async () => {
    const { gdb } = await machine('aarch64', ARM);
    await gdb.writeRegister('x7', 0xfedc_ba98_7654_3210n);
    expect(await gdb.readRegisters(['x6', 'x7'])).toEqual({ x6: 0n, x7: 0xfedc_ba98_7654_3210n });
    expect(await failure(gdb.writeRegister('VTTBR_EL2', 0x4000_1000n))).toBeInstanceOf(GdbWriteError);
    expect(await failure(gdb.writeRegister('x7', 1n << 64n))).toMatchObject({ code: 'E_GDB_VALUE' });
    expect(await gdb.readRegister('x7')).toBe(0xfedc_ba98_7654_3210n);
  });

  test('keeps memory over many packets, and refuses what is not there', async () => {
    const { gdb } = await machine('aarch64', ARM);
    const bytes = Uint8Array.from({ length: 300_001 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
    await gdb.writeMemory(RAM + 0x10_0003n, bytes, { physical: true });
    expect(Buffer.compare(await gdb.readMemory(RAM + 0x10_0003n, bytes.length), bytes)).toBe(0);
    expect(await failure(gdb.readMemory(0x0980_0000n, 8, { physical: true }))).toBeInstanceOf(GdbRemoteError);
    expect(await gdb.readMemory(RAM, 0)).toEqual(new Uint8Array(0));
    expect(await failure(gdb.readMemory((1n << 64n) - 4n, 8))).toMatchObject({ code: 'E_GDB_RANGE' });
  });

  test('runs, halts, and runs on', async () => {
    const { gdb } = await machine('aarch64', ARM);
    await gdb.physicalMemory(true);
    await gdb.writeMemory(RAM, COUNTER);
    await gdb.writeRegister('pc', RAM, { thread: '01' });
    let last = -1n;
    for (let i = 0; i < 5; i++) {
      await gdb.resume();
      expect(gdb.state).toBe('running');
      expect(await failure(gdb.readRegister('x0'))).toMatchObject({ code: 'E_GDB_STATE' });
      expect(await gdb.halt()).toMatchObject({ kind: 'signal', signal: 2 });
      // The machine was let run; how far it came is the host's business, so wait for what must come.
      let now = await gdb.readRegister('x0', { thread: '01' });
      for (let tries = 0; now <= last && tries < 100; tries++) {
        await gdb.resume();
        await gdb.halt();
        now = await gdb.readRegister('x0', { thread: '01' });
      }
      expect(now).toBeGreaterThan(last);
      last = now;
      const pc = await gdb.readRegister('pc', { thread: '01' });
      expect([RAM, RAM + 4n]).toContain(pc);
      expect(await gdb.readRegister('x0', { thread: '02' })).toBe(0n);
    }
    expect(await gdb.halt()).toMatchObject({ kind: 'signal' });
  });

  test('is halted by connecting, runs after close, and stays halted when told so', async () => {
    const { gdb, path } = await machine('aarch64', ARM);
    await gdb.writeMemory(RAM, COUNTER, { physical: true });
    await gdb.writeRegister('pc', RAM, { thread: '01' });
    await gdb.close();
    expect(await gdb.closed).toBeUndefined();
    expect(await failure(gdb.readRegister('pc'))).toBeInstanceOf(GdbClosedError);
    let counts: bigint[] = [];
    for (let tries = 0; tries < 100 && (counts.length < 2 || counts[0]! >= counts[1]!); tries++) {
      const again = await GdbClient.connect({ path });
      expect(again.state).toBe('halted');
      counts = [
        counts.at(-1) ?? (await again.readRegister('x0', { thread: '01' })),
        await again.readRegister('x0', { thread: '01' }),
      ];
      await again.detach();
    }
    expect(counts[1]).toBeGreaterThan(counts[0]!);
    const third = await GdbClient.connect({ path });
    const stood = await third.readRegister('x0', { thread: '01' });
    await third.close({ leaveHalted: true });
    const fourth = await GdbClient.connect({ path });
    expect(await fourth.readRegister('x0', { thread: '01' })).toBe(stood);
    await fourth.close();
  });
});

describe('a real x86_64 QEMU', () => {
  test('tells registers, runs from the reset vector, keeps memory', async () => {
    const { gdb } = await machine('x86_64', ['-smp', '2']);
    expect(gdb.description.architecture).toBe('i386:x86-64');
    expect(await gdb.readRegisters(['rip', 'cs'])).toEqual({ rip: 0xfff0n, cs: 0xf000n });
    await gdb.writeRegister('rbx', 0x8000_0001n);
    expect(await gdb.readRegister('rbx')).toBe(0x8000_0001n);
    // Outside of 64-bit mode QEMU keeps the low half only.
    expect(await failure(gdb.writeRegister('rbx', 0x8000_0000_0000_0001n))).toMatchObject({ kept: 1n });
    await gdb.writeRegister('xmm3', (1n << 127n) | 1n);
    expect(await gdb.readRegister('xmm3')).toBe((1n << 127n) | 1n);
    await gdb.writeMemory(0x10_0000n, Uint8Array.of(1, 2, 3), { physical: true });
    expect(await gdb.readMemory(0x10_0000n, 4, { physical: true })).toEqual(Uint8Array.of(1, 2, 3, 0));
    await gdb.resume();
    expect(await gdb.halt()).toMatchObject({ kind: 'signal', signal: 2 });
    expect(await gdb.threads()).toHaveLength(2);
  });
});

describe('a QEMU that goes away', () => {
  test('ends the call under way and those that wait', async () => {
    const { gdb, process } = await machine('aarch64', ARM);
    process.kill('SIGSTOP');
    const calls = [gdb.readRegister('pc'), gdb.readMemory(RAM, 8), gdb.threads()].map(failure);
    process.kill('SIGKILL');
    for (const call of calls) expect(await call).toBeInstanceOf(GdbClosedError);
    expect(await gdb.closed).toBeInstanceOf(GdbClosedError);
    await gdb.close();
  });

  test('while it runs ends the wait for its stop', async () => {
    const { gdb, process } = await machine('aarch64', ARM);
    await gdb.resume();
    const waiting = failure(gdb.waitStop(60_000));
    process.kill('SIGKILL');
    expect(['E_GDB_CLOSED', 'E_GDB_STATE']).toContain(((await waiting) as GdbClosedError).code);
  });

  test('that hangs is noticed, and its late answers do no harm', async () => {
    const entries: TranscriptEntry[] = [];
    const { gdb, process } = await machine('aarch64', ARM, { onTranscript: entry => entries.push(entry) });
    await gdb.writeRegister('x1', 0x1111n);
    await gdb.writeRegister('x2', 0x2222n);
    process.kill('SIGSTOP');
    expect(await failure(gdb.readRegister('x1', { deadlineMs: 50 }))).toBeInstanceOf(GdbDeadlineError);
    expect(await failure(gdb.readRegister('x1', { deadlineMs: 50 }))).toBeInstanceOf(GdbDeadlineError);
    process.kill('SIGCONT');
    expect(await gdb.readRegister('x2')).toBe(0x2222n);
    expect(await gdb.readRegister('x1')).toBe(0x1111n);
    expect(entries.map(e => e.note)).toContain('dropped: a late answer');
  });
});
