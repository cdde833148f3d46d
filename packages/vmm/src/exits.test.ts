import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerMmioRead, decodeExit, EXIT, exitOfFailure } from './exits.ts';

const RUN_BYTES = 4096;

/** A run area with this exit reason and these 64-bit words in the union. */
function run(reason: number, words: readonly bigint[]): DataView {
  const view = new DataView(new ArrayBuffer(RUN_BYTES));
  view.setUint32(8, reason, true);
  words.forEach((word, index) => view.setBigUint64(32 + index * 8, word, true));
  return view;
}

describe('decodeExit', () => {
  test('a synchronous external abort as seen on Linux 7.2: no flag says that the guest physical address is one', () => {
    expect(decodeExit(run(EXIT.ARM_SEA, [0n, 0x92000017n, 0x40201000n, 0x1234n]))).toEqual({
      kind: 'arm-sea',
      el: 2,
      flags: 0n,
      esr: 0x92000017n,
      gva: 0x40201000n,
      gpa: 0x1234n,
    });
  });

  test('a synchronous external abort with its guest physical address', () => {
    expect(decodeExit(run(EXIT.ARM_SEA, [1n, 0x92000010n, 0x81234badn, 0x41234000n]))).toMatchObject({
      gpa: 0x41234000n,
    });
  });

  test('an MMIO write keeps only the bytes that were written', () => {
    const view = run(EXIT.MMIO, [0x0900_0000n, 0xffff_ffff_ffff_ff41n]);
    view.setUint32(48, 1, true);
    view.setUint8(52, 1);
    expect(decodeExit(view)).toEqual({ kind: 'mmio', address: 0x0900_0000n, write: true, length: 1, value: 0x41n });
  });

  test('an MMIO read is answered in the data of the exit', () => {
    const view = run(EXIT.MMIO, [0x0900_0005n, 0n]);
    view.setUint32(48, 1, true);
    expect(decodeExit(view)).toMatchObject({ write: false });
    answerMmioRead(view, 0x60n);
    expect(view.getBigUint64(40, true)).toBe(0x60n);
  });

  test('system events have names, unknown ones are not guessed', () => {
    const event = (type: bigint): unknown => decodeExit(run(EXIT.SYSTEM_EVENT, [type | (1n << 32n), 7n]));
    expect(event(1n)).toEqual({ kind: 'system-event', type: 1, event: 'shutdown', data: [7n] });
    expect(event(2n)).toMatchObject({ event: 'reset' });
    expect(event(3n)).toMatchObject({ event: 'crash' });
    expect(event(99n)).toMatchObject({ event: 'unknown', type: 99 });
  });

  test('the other reasons', () => {
    expect(decodeExit(run(EXIT.ARM_NISV, [0x50n, 0x4440_3000n]))).toEqual({
      kind: 'nisv',
      iss: 0x50n,
      gpa: 0x4440_3000n,
    });
    expect(decodeExit(run(EXIT.FAIL_ENTRY, [0xdn]))).toEqual({ kind: 'fail-entry', reason: 0xdn });
    expect(decodeExit(run(EXIT.INTR, []))).toEqual({ kind: 'interrupted' });
    expect(decodeExit(run(EXIT.MEMORY_FAULT, [8n, 0x1000n, 0x2000n]))).toEqual({
      kind: 'memory-fault',
      flags: 8n,
      gpa: 0x1000n,
      size: 0x2000n,
    });
    expect(decodeExit(run(EXIT.INTERNAL_ERROR, [(1n << 32n) | 3n, 5n]))).toEqual({
      kind: 'internal-error',
      suberror: 3,
      data: [5n],
    });
  });

  test('no content of the run area makes it throw or read beyond its union', () => {
    const content = fc.record({
      reason: fc.nat({ max: 60 }),
      bytes: fc.uint8Array({ minLength: 224, maxLength: 224 }),
    });
    fc.assert(
      fc.property(content, ({ reason, bytes }) => {
        const view = new DataView(new ArrayBuffer(256));
        new Uint8Array(view.buffer).set(bytes, 32);
        view.setUint32(8, reason, true);
        expect(typeof decodeExit(view).kind).toBe('string');
      }),
    );
  });
});

describe('exitOfFailure', () => {
  const [EINTR, EFAULT, ENOSYS, EHWPOISON] = [4, 14, 38, 133];
  test.each([EFAULT, EHWPOISON])('errno %i comes with KVM_EXIT_MEMORY_FAULT', errno => {
    const exit = exitOfFailure(errno, run(EXIT.MEMORY_FAULT, [8n, 0x1000n, 0x2000n]));
    expect(exit).toEqual({ kind: 'memory-fault', flags: 8n, gpa: 0x1000n, size: 0x2000n });
  });

  test.each([EFAULT, EHWPOISON])('with errno %i another reason is left over from before', errno => {
    expect(exitOfFailure(errno, run(EXIT.MMIO, [0x0900_0000n, 0n]))).toBeUndefined();
  });

  test.each([EINTR, ENOSYS])('with errno %i the run area says nothing', errno => {
    expect(exitOfFailure(errno, run(EXIT.MEMORY_FAULT, [8n, 0x1000n, 0x2000n]))).toBeUndefined();
  });
});
