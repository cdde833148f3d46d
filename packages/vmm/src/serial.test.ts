import { describe, expect, test } from 'vitest';
import { SharedMutex } from './mutex.ts';
import { SERIAL_BYTES, SerialLine } from './serial.ts';

const DATA = 0;
const IER = 1;
const LSR = 5;

function line(): { line: SerialLine; levels: boolean[] } {
  const levels: boolean[] = [];
  return { line: new SerialLine(new SharedArrayBuffer(SERIAL_BYTES), level => levels.push(level)), levels };
}

describe('SerialLine', () => {
  test('what the guest sends is pumped out, piece by piece', async () => {
    const { line: l } = line();
    let text = '';
    const done = l.pumpOutput(async bytes => {
      text += Buffer.from(bytes).toString();
      if (text.endsWith('.')) throw new Error('enough');
    });
    for (const byte of Buffer.from('boot')) l.guestWrite(DATA, byte);
    await new Promise(resolve => setImmediate(resolve));
    for (const byte of Buffer.from('ed.')) l.guestWrite(DATA, byte);
    await expect(done).rejects.toThrow('enough');
    expect(text).toBe('booted.');
  });

  test('input beyond the guest’s buffer waits for the guest to read, and drives the interrupt on changes only', async () => {
    const { line: l, levels } = line();
    l.guestWrite(IER, 1);
    const given = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i & 0xff));
    const fed = l.input(given);
    const got: number[] = [];
    while (got.length < given.length) {
      while ((l.guestRead(LSR) & 1) !== 0) got.push(l.guestRead(DATA));
      await new Promise(resolve => setImmediate(resolve));
    }
    await fed;
    expect(Buffer.from(got).equals(given)).toBe(true);
    expect(levels.every((level, index) => level === (index % 2 === 0))).toBe(true);
    expect(levels.at(-1)).toBe(false);
  });

  test('input that waits goes on when the guest throws away what it has not read', async () => {
    const { line: l } = line();
    const fed = l.input(new Uint8Array(4096 + 1).fill(7));
    await new Promise(resolve => setImmediate(resolve));
    const clearReceiver = 3;
    l.guestWrite(2, clearReceiver);
    await fed;
    expect([l.guestRead(DATA), l.guestRead(LSR) & 1]).toEqual([7, 0]);
  });

  test('what is left at the end can be taken at once', () => {
    const { line: l } = line();
    for (const byte of Buffer.from('bye')) l.guestWrite(DATA, byte);
    expect(Buffer.from(l.rest()).toString()).toBe('bye');
    expect(l.rest().length).toBe(0);
  });
});

describe('SharedMutex', () => {
  test('is free again after work that throws', () => {
    const mutex = new SharedMutex(new Int32Array(new SharedArrayBuffer(4)));
    expect(() =>
      mutex.run(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(mutex.run(() => 7)).toBe(7);
  });
});
