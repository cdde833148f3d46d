import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Frame, LineSplitter } from './line-splitter.ts';

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const at = [...new Set(places.map(p => p % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], end));
}

function split(chunks: Uint8Array[], maxLineBytes = 10_000): Frame[] {
  const splitter = new LineSplitter(maxLineBytes);
  return chunks.flatMap(chunk => [...splitter.push(chunk)]);
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('LineSplitter', () => {
  test('takes CR LF and LF, skips empty lines, keeps an unfinished one', () => {
    const splitter = new LineSplitter(10_000);
    expect(
      [...splitter.push(bytesOf('a\r\nb\n\r\n\nc d\r\ne'))].map(f => (f.kind === 'line' ? f.text : f.kind)),
    ).toEqual(['a', 'b', 'c d']);
    expect(splitter.pendingBytes).toBe(1);
    expect(splitter.pendingStart).toBe('e');
  });

  test('the lines do not depend on how the stream is cut', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter(s => !/[\r\n]/.test(s));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), fc.boolean(), (lines, places, crlf) => {
        const stream = bytesOf(lines.map(l => l + (crlf ? '\r\n' : '\n')).join(''));
        expect(split(cut(stream, places))).toEqual(lines.map(text => ({ kind: 'line', text })));
      }),
    );
  });

  test('a line of exactly the bound passes, one more byte fails, and nothing follows', () => {
    expect(split([bytesOf('12345678\n')], 8)).toEqual([{ kind: 'line', text: '12345678' }]);
    const frames = split([bytesOf('ok\n123456789\nok\n'), bytesOf('ok\n')], 8);
    expect(frames.map(f => f.kind)).toEqual(['line', 'bad']);
  });

  test('an endless line fails as soon as the bound is passed, without its end', () => {
    const splitter = new LineSplitter(1000);
    const chunk = new Uint8Array(100).fill(0x61);
    let pushed = 0;
    let frames: Frame[] = [];
    while (frames.length === 0) {
      frames = [...splitter.push(chunk)];
      pushed += chunk.length;
    }
    expect(pushed).toBe(1100);
    expect(frames[0]).toEqual({ kind: 'bad', reason: 'a message of more than 1000 bytes', start: 'a'.repeat(512) });
    expect(splitter.pendingBytes).toBe(0);
  });

  test('refuses what is not UTF-8', () => {
    expect(split([Uint8Array.of(0x7b, 0xff, 0xfe, 0x0a)])).toEqual([
      { kind: 'bad', reason: 'a message that is not UTF-8', start: '{\ufffd\ufffd' },
    ]);
  });

  test('any bytes at all give lines, or one failure at the end', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), chunks => {
        const frames = split(chunks, 48);
        const firstBad = frames.findIndex(f => f.kind === 'bad');
        expect(firstBad === -1 || firstBad === frames.length - 1).toBe(true);
        expect(frames.some(f => f.kind === 'line' && f.text.includes('\n'))).toBe(false);
      }),
    );
  });
});
