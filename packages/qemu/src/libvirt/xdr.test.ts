import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDomain, readError, writeDomain } from './calls.ts';
import { LibvirtProtocolError } from './errors.ts';
import { EVENTS, readEvent } from './events.ts';
import { XdrReader, XdrWriter } from './xdr.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('XDR', () => {
  test('writes as RFC 4506 has it: big endian, filled up to four bytes', () => {
    const w = new XdrWriter()
      .int(-2)
      .uint(0x2000_8086)
      .bool(true)
      .string('t1')
      .uhyper(1n << 63n)
      .opaque(Uint8Array.of(9));
    expect(hex(w.bytes())).toBe(
      ['fffffffe', '20008086', '00000001', '00000002', '74310000', '8000000000000000', '09000000'].join(''),
    );
  });

  test('reads back what was written, and nothing is left', () => {
    const values = fc.record({
      int: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
      uint: fc.integer({ min: 0, max: 0xffff_ffff }),
      uhyper: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      bool: fc.boolean(),
      text: fc.string({ unit: 'grapheme' }),
      bytes: fc.uint8Array({ maxLength: 40 }),
      some: fc.option(fc.string(), { nil: undefined }),
      list: fc.array(fc.integer({ min: 0, max: 9 })),
    });
    fc.assert(
      fc.property(values, v => {
        const w = new XdrWriter().int(v.int).uint(v.uint).uhyper(v.uhyper).bool(v.bool).string(v.text).opaque(v.bytes);
        w.optional(v.some, t => w.string(t)).array(v.list, n => w.int(n));
        const r = new XdrReader(w.bytes());
        expect({
          int: r.int(),
          uint: r.uint(),
          uhyper: r.uhyper(),
          bool: r.bool(),
          text: r.string(10_000),
          bytes: Uint8Array.from(r.opaque(v.bytes.length)),
          some: r.optional(() => r.string(10_000)),
          list: r.array(100, () => r.int()),
        }).toEqual(v);
        r.end();
      }),
    );
  });

  test('reads back a domain, with the UUID and the id exact', () => {
    const domain = fc.record({
      name: fc.string({ unit: 'grapheme' }),
      uuid: fc.uuid(),
      id: fc.integer({ min: -1, max: 0x7fff_ffff }),
    });
    fc.assert(
      fc.property(domain, d => {
        const w = new XdrWriter();
        writeDomain(w, d);
        expect(readDomain(new XdrReader(w.bytes()))).toEqual(d);
      }),
    );
    expect(() => writeDomain(new XdrWriter(), { name: 'x', uuid: 'no', id: 1 })).toThrow(RangeError);
  });

  test.each([
    ['a string above its bound', '00000009', (r: XdrReader) => r.string(8)],
    ['a list above its bound', 'ffffffff', (r: XdrReader) => r.array(10, () => r.int())],
    ['a string that is not all there', '0000000861626364', (r: XdrReader) => r.string(8)],
    ['a list that is not all there', '0000000300000001', (r: XdrReader) => r.array(10, () => r.int())],
    ['filling that is not zero', '0000000161000001', (r: XdrReader) => r.string(8)],
    ['a truth value of two', '00000002', (r: XdrReader) => r.bool()],
    ['a rest', '0000000100', (r: XdrReader) => [r.int(), r.end()]],
  ])('refuses %s', (_, bytes, read) => {
    expect(() => read(new XdrReader(Buffer.from(bytes, 'hex')))).toThrow(LibvirtProtocolError);
  });

  test('numbers that do not fit are not written', () => {
    for (const write of [
      () => new XdrWriter().int(0x8000_0000),
      () => new XdrWriter().uint(-1),
      () => new XdrWriter().int(0.5),
      () => new XdrWriter().uhyper(1n << 64n),
    ])
      expect(write).toThrow(RangeError);
  });

  test('hostile bytes give a value or a protocol error, whatever is read', () => {
    const readers = [
      (r: XdrReader) => readDomain(r),
      (r: XdrReader) => readError(r),
      ...EVENTS.map(
        ({ procedure }) =>
          (r: XdrReader) =>
            readEvent(procedure, r),
      ),
    ];
    const words = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 0xffff_ffff })));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), words.map(wordsToBytes)), fc.nat(readers.length - 1), (bytes, which) => {
        try {
          readers[which]!(new XdrReader(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(LibvirtProtocolError);
        }
      }),
    );
  });
});

function wordsToBytes(words: number[]): Uint8Array {
  const w = new XdrWriter();
  for (const word of words) w.uint(word);
  return w.bytes();
}
