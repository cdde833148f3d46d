import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LibvirtProtocolError } from './errors.ts';
import { encodeMessage, type Message, MessageSplitter, STATUSES, TYPES } from './framing.ts';

function split(chunks: readonly Uint8Array[], maxBytes?: number): Message[] {
  const splitter = new MessageSplitter(maxBytes);
  return chunks.flatMap(chunk => [...splitter.push(chunk)]);
}

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map(p => p % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], end));
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const message: fc.Arbitrary<Message> = fc.record({
  header: fc.record({
    program: word,
    version: word,
    procedure: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    type: fc.constantFrom(...TYPES),
    serial: word,
    status: fc.constantFrom(...STATUSES),
  }),
  body: fc.uint8Array({ maxLength: 80 }),
});
const plain = ({ header, body }: Message): object => ({ header, body: [...body] });

describe('MessageSplitter', () => {
  test('the bytes of a call are those of the protocol', () => {
    const header = { program: 0x2000_8086, version: 1, procedure: 273, type: 'call', serial: 7, status: 'ok' } as const;
    expect(Buffer.from(encodeMessage({ header, body: Uint8Array.of(1, 2, 3, 4) })).toString('hex')).toBe(
      '00000020' + '20008086' + '00000001' + '00000111' + '00000000' + '00000007' + '00000000' + '01020304',
    );
  });

  test('the messages do not depend on how the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.nat()), (messages, places) => {
        const stream = Buffer.concat(messages.map(encodeMessage));
        expect(split(cut(stream, places)).map(plain)).toEqual(messages.map(plain));
      }),
    );
  });

  test('a message of exactly the bound passes, one more byte is refused before it came', () => {
    const header = { program: 1, version: 1, procedure: 1, type: 'call', serial: 1, status: 'ok' } as const;
    expect(split([encodeMessage({ header, body: new Uint8Array(40) })], 64)).toHaveLength(1);
    const longer = encodeMessage({ header, body: new Uint8Array(41) });
    expect(() => split([longer.subarray(0, 4)], 64)).toThrow(LibvirtProtocolError);
  });

  test.each([
    ['a length of zero', '00000000'],
    ['a length without a header', '0000001b'],
    ['a length that is negative', '80000000'],
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad').toString('hex')],
    ['an unknown type', '0000001c' + '20008086' + '00000001' + '00000001' + '00000006' + '00000000' + '00000000'],
    ['an unknown status', '0000001c' + '20008086' + '00000001' + '00000001' + '00000001' + '00000000' + '00000003'],
  ])('refuses %s', (_, bytes) => {
    expect(() => split([Buffer.from(bytes, 'hex')])).toThrow(LibvirtProtocolError);
  });
});
