import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConsoleReader } from './console.ts';
import type { ConsoleLine, ConsoleReaderOptions } from './console.ts';

function reader(options: Partial<ConsoleReaderOptions> = {}): {
  console: ConsoleReader;
  lines: ConsoleLine[];
  diagnostics: string[];
} {
  const lines: ConsoleLine[] = [];
  const diagnostics: string[] = [];
  const console = new ConsoleReader({
    onLine: line => lines.push(line),
    onDiagnostic: d => diagnostics.push(d.code),
    clock: () => 0,
    ...options,
  });
  return { console, lines, diagnostics };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('guest console', () => {
  test('lines do not depend on how the bytes arrive', () => {
    const piece = fc.oneof(
      fc.constantFrom('\n', '\r\n', '\r\r\n', '\r', 'ä', '€', '😀', '\x1b[2J', 'panic'),
      fc.string({ maxLength: 30 }),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.integer({ min: 1, max: 7 })), (pieces, sizes) => {
        const all = bytes(pieces.join(''));
        const whole = reader({ maxLineBytes: 40 });
        whole.console.push(all);
        whole.console.end();
        const chunked = reader({ maxLineBytes: 40 });
        let at = 0;
        for (const size of sizes) {
          chunked.console.push(all.subarray(at, at + size));
          at += size;
        }
        chunked.console.push(all.subarray(at));
        chunked.console.end();
        expect(chunked.lines).toEqual(whole.lines);
        expect(chunked.console.totalBytes).toBe(all.length);
      }),
    );
  });

  test('CR LF ends a line, offsets are byte positions', () => {
    const { console, lines } = reader();
    console.push(bytes('é\r\nb\n\nc\rd\n'));
    expect(lines.map(l => [l.offset, l.text])).toEqual([
      [0, 'é'],
      [4, 'b'],
      [6, ''],
      [7, 'c\rd'],
    ]);
    expect(console.totalLines).toBe(4);
  });

  test('a long line is cut at a character, marked, and its length known', () => {
    const { console, lines } = reader({ maxLineBytes: 16 });
    console.push(bytes(`${'x'.repeat(15)}€${'y'.repeat(1000)}`));
    console.push(bytes('z\nnext\n'));
    expect(lines[0]).toMatchObject({ text: `${'x'.repeat(15)}…`, cutBytes: 1003, offset: 0 });
    expect(lines[1]).toMatchObject({ text: 'next', cutBytes: 0, offset: 1020 });
  });

  test('flush shows a prompt; an unfinished character waits', () => {
    const { console, lines } = reader();
    const euro = bytes('€');
    console.push(bytes('login: '));
    expect(console.pending).toBe('login: ');
    expect(console.flush()).toBe(true);
    expect(console.flush()).toBe(false);
    console.push(euro.subarray(0, 2));
    expect(console.flush()).toBe(false);
    console.push(euro.subarray(2));
    console.push(bytes('\n'));
    expect(lines).toEqual([
      { text: 'login: ', offset: 0, cutBytes: 0, partial: true, continued: false },
      { text: '€', offset: 7, cutBytes: 0, partial: false, continued: true },
    ]);
  });

  test('bytes that are not UTF-8 become replacement characters', () => {
    const { console, lines } = reader();
    console.push(new Uint8Array([0x61, 0xff, 0xc3, 0x0a]));
    expect(lines[0]?.text).toBe('a\ufffd\ufffd');
  });

  test('beyond the total lines are counted and one diagnostic says so', () => {
    const { console, lines, diagnostics } = reader({ maxBytes: 100 });
    for (let i = 0; i < 50; i++) console.push(bytes('0123456789\n'));
    expect(lines.length).toBe(9);
    expect(console.totalBytes).toBe(550);
    expect(console.droppedLines).toBe(41);
    expect(diagnostics).toEqual(['console-total']);
  });

  test('a flood of lines is thinned, and passes again when time goes by', () => {
    let now = 0;
    const { console, lines, diagnostics } = reader({ bytesPerSecond: 1000, maxLineBytes: 100, clock: () => now });
    for (let i = 0; i < 1000; i++) console.push(bytes('\n'));
    const before = lines.length;
    expect(before).toBeLessThan(200);
    expect(diagnostics).toEqual(['console-rate']);
    now = 10_000;
    console.push(bytes('still here\n'));
    expect(lines.at(-1)?.text).toBe('still here');
    expect(lines.length).toBe(before + 1);
    expect(lines.length + console.droppedLines).toBe(console.totalLines);
  });
});
