import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodePacket, type Frame, PacketReader } from './packet.ts';
import { cut } from './testing/cut.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

function read(chunks: Uint8Array[], maxBytes?: number): Frame[] {
  const reader = new PacketReader(maxBytes);
  return chunks.flatMap(chunk => [...reader.push(chunk)]);
}

/** A frame around raw bytes, with a right checksum. */
function frame(raw: string): string {
  const sum = latin1(raw).reduce((s, b) => (s + b) & 0xff, 0);
  return `$${raw}#${sum.toString(16).padStart(2, '0')}`;
}

function packet(text: string): Frame {
  return { kind: 'packet', payload: latin1(text) };
}

/** Every run of 4 and more as a run, as a stub may send it; the manual forbids the counts `#`, `$`, `+` and `-`. */
function runLengthEncoded(payload: Uint8Array): string {
  let out = '';
  for (let i = 0; i < payload.length; ) {
    let length = 1;
    while (length < 98 && payload[i + length] === payload[i]) length++;
    const byte = payload[i]!;
    out += [0x23, 0x24, 0x2a, 0x7d].includes(byte) ? `}${String.fromCharCode(byte ^ 0x20)}` : String.fromCharCode(byte);
    const count = String.fromCharCode(length - 1 + 29);
    if (length < 4 || '#$+-'.includes(count)) {
      i++;
      continue;
    }
    out += `*${count}`;
    i += length;
  }
  return out;
}

describe('encodePacket', () => {
  test('sums and escapes', () => {
    expect(Buffer.from(encodePacket('OK')).toString('latin1')).toBe('$OK#9a');
    expect(Buffer.from(encodePacket('')).toString('latin1')).toBe('$#00');
    // The manual's own example of an escape: 0x7d is sent as 0x7d 0x5d.
    expect(Buffer.from(encodePacket('}')).toString('latin1')).toBe('$}]#da');
    expect(Buffer.from(encodePacket('a#$*')).toString('latin1')).toBe(frame('a}\x03}\x04}\x0a'));
  });
});

describe('PacketReader', () => {
  test('reads what QEMU sends', () => {
    expect(read([latin1('+$T02thread:p01.01;#03')])).toEqual([{ kind: 'ack' }, packet('T02thread:p01.01;')]);
    expect(read([latin1('-$#00')])).toEqual([{ kind: 'nack' }, packet('')]);
    expect(read([latin1(`%${frame('Stop:T05').slice(1)}`)])).toMatchObject([{ kind: 'notification' }]);
  });

  test("expands runs: the manual's example 0* is 0000", () => {
    expect(read([latin1(frame('0* '))])).toEqual([packet('0000')]);
    expect(read([latin1(frame('}\x03*"x'))])).toEqual([packet('######x')]);
  });

  test('says what is damaged and reads on', () => {
    for (const raw of [
      '$OK#9b', // another sum
      '$OK#zz', // no sum
      frame('*!'), // nothing to repeat
      frame('a*\x1f'), // a count below 3
      frame('a*\x7f'), // a count that is not printable
      frame('ab}'), // an escape of nothing
      frame('ab*'), // a run without count
    ]) {
      const frames = read([latin1(`${raw}$OK#9a`)]);
      expect(
        frames.map(f => f.kind),
        raw,
      ).toEqual(['damaged', 'packet']);
    }
  });

  test('starts anew at a $ inside of a packet', () => {
    expect(read([latin1('$OK$OK#9a')])).toEqual([{ kind: 'garbage', bytes: 3 }, packet('OK')]);
  });

  test('a packet of exactly the bound passes; one more byte fails before its end, and nothing follows', () => {
    expect(read([latin1(frame('12345678'))], 8)).toEqual([packet('12345678')]);
    expect(read([latin1('$123456789')], 8).map(f => f.kind)).toEqual(['overflow']);
    expect(read([latin1('$1*~'), latin1(frame('OK'))], 90).map(f => f.kind)).toEqual(['overflow']);
  });

  test('gives any payload back, however the stream is cut, with runs or without, with garbage between', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(fc.tuple(fc.constantFrom(0x30, 0x23, 0x2a, 0x7d, 0), fc.integer({ min: 1, max: 250 })), { maxLength: 5 })
        .map(runs => Uint8Array.from(runs.flatMap(([byte, n]) => Array.from({ length: n }, () => byte)))),
    );
    const garbage = fc.stringMatching(/^[a-z#*}\x03]{0,5}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(payload, fc.boolean(), garbage)), fc.array(fc.nat()), (items, places) => {
        const stream = Buffer.concat(
          items.flatMap(([bytes, runs, noise]) => [
            latin1(noise),
            runs ? latin1(frame(runLengthEncoded(bytes))) : encodePacket(bytes),
          ]),
        );
        const frames = read(cut(stream, places)).filter(f => f.kind !== 'garbage');
        expect(frames).toEqual(items.map(([bytes]) => ({ kind: 'packet', payload: Uint8Array.from(bytes) })));
      }),
    );
  });

  test('a changed byte in a packet is never taken for the packet', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, flip) => {
          const stream = Uint8Array.from(encodePacket(bytes));
          // The body and the sum; a change of `$` or `#` is garbage or another packet.
          const place = 1 + (at % (stream.length - 1));
          stream[place] = stream[place]! ^ flip;
          const same = read([stream]).some(f => f.kind === 'packet' && Buffer.compare(f.payload, bytes) === 0);
          // A sum in capitals is the same sum.
          fc.pre(!(place >= stream.length - 2 && flip === 0x20));
          expect(same).toBe(false);
        },
      ),
    );
  });

  test('any bytes at all give frames, the same ones however they are cut, within the bound', () => {
    const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x24, 0x23, 0x2a, 0x7d, 0x30, 0x2b));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 300 }), fc.array(fc.nat()), (bytes, places) => {
        const stream = Uint8Array.from(bytes);
        const solid = (frames: Frame[]): Frame[] => frames.filter(f => f.kind !== 'garbage');
        const frames = read(cut(stream, places), 48);
        expect(solid(frames)).toEqual(solid(read([stream], 48)));
        expect(frames.every(f => !('payload' in f) || f.payload.length <= 48)).toBe(true);
        const overflow = frames.findIndex(f => f.kind === 'overflow');
        expect(overflow === -1 || overflow === frames.length - 1).toBe(true);
      }),
    );
  });
});
