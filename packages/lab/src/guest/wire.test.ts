import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { percentDecode, WIRE_MAX } from '@syndrome/decode/text/syndrome/agent-events.ts';
import { encodeRequest, parseLine, percentEncode, typeFields } from './wire.ts';

describe('percent encoding', () => {
  test('round trip of any text, on printable ASCII only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const encoded = percentEncode(text);
        expect(encoded).toMatch(/^[\x21-\x7e]*$/);
        expect(Buffer.from(percentDecode(encoded)).toString('utf8')).toBe(Buffer.from(text).toString('utf8'));
      }),
    );
  });

  test('bytes go as they are', () => {
    const bytes = Buffer.from([0x00, 0x41, 0x80, 0xff]);
    expect(encodeRequest(1, 'write', [['value', bytes]])).toBe('1 write value=%00A%80%ff\n');
  });

  test('a broken escape stays as it is', () => {
    expect(Buffer.from(percentDecode('a%zz%4%')).toString()).toBe('a%zz%4%');
  });
});

describe('requests', () => {
  test('values are written in the form the agent parses', () => {
    const line = encodeRequest(7, 'touch', [
      ['proc', 'victim'],
      ['virt', 0xffff_8000_0000_1000n],
      ['page', 2],
      ['write', true],
      ['cpu', undefined],
      ['value', 'a b%\n'],
    ]);
    expect(line).toBe('7 touch proc=victim virt=0xffff800000001000 page=2 write=1 value=a%20b%25%0a\n');
  });

  test('refuses what the wire cannot carry', () => {
    expect(() => encodeRequest(1, 'write', [['value', 'x'.repeat(WIRE_MAX)]])).toThrow(RangeError);
    expect(() => encodeRequest(1, 'map', [['pages', 1.5]])).toThrow(RangeError);
    expect(() => encodeRequest(1, 'map', [['virt', -1n]])).toThrow(RangeError);
    expect(() => encodeRequest(1, 'map', [['virt', 1n << 64n]])).toThrow(RangeError);
  });
});

describe('lines of the agent', () => {
  test('replies, errors, data and events', () => {
    expect(parseLine('R 3 ok virt=0x00007f0000001000 t=12')).toEqual({
      kind: 'ok',
      id: 3,
      fields: new Map([
        ['virt', '0x00007f0000001000'],
        ['t', '12'],
      ]),
    });
    expect(parseLine('R 4 err ENOENT open:%20/x t=5')).toEqual({
      kind: 'error',
      id: 4,
      errno: 'ENOENT',
      text: 'open: /x',
    });
    expect(parseLine('D 5 ')).toEqual({ kind: 'data', id: 5, bytes: Buffer.alloc(0), continued: false });
    expect(parseLine('C 5 a%00')).toEqual({ kind: 'data', id: 5, bytes: Buffer.from('a\0'), continued: true });
    expect(parseLine('E exit proc=v t=1')).toEqual({
      kind: 'event',
      name: 'exit',
      fields: new Map([
        ['proc', 'v'],
        ['t', '1'],
      ]),
    });
  });

  test.each([
    '',
    'R',
    'R 1',
    'R x ok',
    'R 1 okay',
    'R 1 ok nokey',
    'R 1 ok a=1 a=2',
    'R 1 ok =1',
    'R 1 err enoent x',
    'R 1 err ENOENT two words',
    'R 9999999999999999 ok',
    'E UP a=1',
    'E ready a',
    'E ready\ta=1',
    'D 1 \x1b[2J',
    `D 1 ${'x'.repeat(WIRE_MAX)}`,
  ])('%j is not a line', line => {
    expect(parseLine(line)).toBeUndefined();
  });

  test('no input throws', () => {
    const alphabet = fc.constantFrom(...'RDCE 0123456789okerr=%tab\x00\x1b\xff'.split(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: alphabet, maxLength: 60 })), line => {
        const parsed = parseLine(line);
        const typed = typeFields(parsed !== undefined && 'fields' in parsed ? parsed.fields : new Map(), ['virt']);
        expect(typed.wrong !== undefined || 'virt' in typed.fields).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('a u64 keeps all its bits; a missing or malformed field is named', () => {
    const raw = (fields: Record<string, string>): Map<string, string> => new Map(Object.entries(fields));
    expect(typeFields(raw({ t: '1', addr: '0xfffffffffffff123', pid: '-1', intact: '0', x: 'y' }), [])).toEqual({
      fields: { t: 1n, addr: 0xfffffffffffff123n, pid: -1, intact: false, x: 'y' },
      wrong: undefined,
    });
    expect(typeFields(raw({ t: '1' }), ['virt']).wrong).toBe('virt');
    expect(typeFields(raw({}), []).wrong).toBe('t');
    for (const [key, value] of [
      ['addr', '0x10000000000000000'],
      ['pid', '1e3'],
      ['bytes', '9999999999999999'],
      ['present', '2'],
      ['t', 'now'],
    ] as const)
      expect(typeFields(raw({ t: '1', [key]: value }), []).wrong).toBe(key);
    expect(typeFields(raw({ t: '1', __proto__x: '1', constructor: 'c' }), []).fields.constructor).toBe('c');
  });
});
