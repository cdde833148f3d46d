import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UART_STATE_BYTES, Uart16550 } from './uart.ts';

const uart = (): Uart16550 => new Uart16550(new ArrayBuffer(UART_STATE_BYTES));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Register numbers. */
const R = { DATA: 0, IER: 1, IIR: 2, FCR: 2, LCR: 3, MCR: 4, LSR: 5, MSR: 6, SCR: 7 };

describe('the guest’s side', () => {
  test('what is sent can be taken in order', () => {
    const u = uart();
    for (const byte of bytes('hello')) u.write(R.DATA, byte);
    expect(Buffer.from(u.drain(3)).toString()).toBe('hel');
    expect(Buffer.from(u.drain(99)).toString()).toBe('lo');
    expect(u.drain(99)).toEqual(new Uint8Array());
  });

  test('what comes in is announced, read once, and gone', () => {
    const u = uart();
    expect(u.read(R.LSR)).toBe(0x60);
    u.receive(bytes('ab'));
    expect(u.read(R.LSR)).toBe(0x61);
    expect([u.read(R.DATA), u.read(R.DATA)]).toEqual([0x61, 0x62]);
    expect(u.read(R.LSR)).toBe(0x60);
  });

  test('the divisor lies behind DLAB and does not transmit', () => {
    const u = uart();
    u.write(R.LCR, 0x83);
    u.write(R.DATA, 0x0d);
    u.write(R.IER, 0x01);
    expect([u.read(R.DATA), u.read(R.IER)]).toEqual([0x0d, 0x01]);
    u.write(R.LCR, 0x03);
    expect(u.drain(9)).toEqual(new Uint8Array());
    expect(u.read(R.IER)).toBe(0);
    expect(u.interrupt()).toBe(false);
  });

  test('received data interrupts while there is any', () => {
    const u = uart();
    u.receive(bytes('x'));
    expect(u.interrupt()).toBe(false);
    u.write(R.IER, 0x01);
    expect(u.interrupt()).toBe(true);
    expect(u.read(R.IIR)).toBe(0x04);
    expect(u.interrupt()).toBe(true);
    u.read(R.DATA);
    expect(u.interrupt()).toBe(false);
    expect(u.read(R.IIR)).toBe(0x01);
  });

  test('the transmitter interrupts when enabled, until IIR was read, and again after a byte', () => {
    const u = uart();
    u.write(R.IER, 0x02);
    expect(u.interrupt()).toBe(true);
    expect(u.read(R.IIR)).toBe(0x02);
    expect(u.interrupt()).toBe(false);
    u.write(R.DATA, 0x41);
    expect(u.interrupt()).toBe(true);
  });

  test('the FIFO shows in IIR and can be cleared', () => {
    const u = uart();
    u.receive(bytes('old'));
    u.write(R.FCR, 0x01);
    expect(u.read(R.IIR)).toBe(0xc1);
    u.write(R.FCR, 0x03);
    expect(u.read(R.LSR) & 1).toBe(0);
  });

  test('loopback returns bytes and modem outputs', () => {
    const u = uart();
    u.write(R.MCR, 0x1f);
    u.write(R.DATA, 0x55);
    expect(u.drain(9)).toEqual(new Uint8Array());
    expect(u.read(R.DATA)).toBe(0x55);
    expect(u.read(R.MSR)).toBe(0xf0);
    u.write(R.MCR, 0x1a);
    expect(u.read(R.MSR)).toBe(0x90);
    u.write(R.MCR, 0x00);
    expect(u.read(R.MSR)).toBe(0xb0);
  });

  test('a host that does not take output stops the transmitter, and taking some starts it', () => {
    const u = uart();
    let sent = 0;
    while ((u.read(R.LSR) & 0x20) !== 0) for (let i = 0; i < 16; i++, sent++) u.write(R.DATA, sent & 0xff);
    u.write(R.IER, 0x02);
    u.read(R.IIR);
    expect(u.interrupt()).toBe(false);
    expect(u.drain(1000).length).toBe(1000);
    expect(u.interrupt()).toBe(true);
    expect(u.drain(sent).length).toBe(sent - 1000);
  });
});

describe('properties', () => {
  test('input arrives whole and in order, however it is cut and read', () => {
    const step = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.nat({ max: 4000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const u = uart();
        const given: number[] = [];
        const got: number[] = [];
        const read = (count: number): void => {
          for (let i = 0; i < count && (u.read(R.LSR) & 1) !== 0; i++) got.push(u.read(R.DATA));
        };
        for (const s of steps) {
          if (typeof s === 'number') read(s);
          else given.push(...s.subarray(0, u.receive(s)));
        }
        read(Infinity);
        expect(got).toEqual(given);
      }),
    );
  });

  test('no sequence of accesses throws, and every value is one byte', () => {
    const access = fc.tuple(fc.nat({ max: 9 }), fc.option(fc.nat({ max: 0xffff })));
    fc.assert(
      fc.property(fc.array(access, { maxLength: 200 }), accesses => {
        const u = uart();
        for (const [register, value] of accesses) {
          if (value !== null) u.write(register, value);
          const read = value === null ? u.read(register) : 0;
          expect(read & ~0xff).toBe(0);
          expect(typeof u.interrupt()).toBe('boolean');
        }
      }),
    );
  });
});
