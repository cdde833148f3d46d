import { appendFileSync, closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { writeSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import fc from 'fast-check';
import { makeFifos, SerialLine } from './serial-line.ts';

let dir = '';
const lines: SerialLine[] = [];
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'sl-'))));
afterEach(() => {
  for (const line of lines.splice(0)) line.destroy();
  rmSync(dir, { recursive: true, force: true });
});

const at = (name: string): string => join(dir, name);

function opened(...args: ConstructorParameters<typeof SerialLine>): { line: SerialLine; said: () => Buffer } {
  const line = new SerialLine(...args);
  lines.push(line);
  const pieces: Buffer[] = [];
  line.on('data', (piece: Buffer) => pieces.push(piece));
  return { line, said: () => Buffer.concat(pieces) };
}

/** Waits until as many bytes were heard; the test's deadline ends it. */
async function heard(line: SerialLine, said: () => Buffer, bytes: number): Promise<void> {
  while (said().length < bytes) await once(line, 'data');
}

test('what is written is told as it comes, all of it, also to a reader that pauses', async () => {
  let n = 0;
  const piece = fc.record({ bytes: fc.oneof(fc.nat(300), fc.nat(200_000)), pause: fc.boolean(), wait: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async pieces => {
      const output = at(`${n++}.out`);
      const { line, said } = opened({ output });
      let written = Buffer.alloc(0);
      for (const [i, { bytes, pause, wait }] of pieces.entries()) {
        if (pause) line.pause();
        else line.resume();
        const more = Buffer.alloc(bytes, 97 + i);
        appendFileSync(output, more);
        written = Buffer.concat([written, more]);
        if (wait && !pause) await heard(line, said, written.length);
      }
      line.resume();
      line.finish();
      await once(line, 'close');
      expect(said().equals(written)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('a line that nobody reads ends, too', async () => {
  const line = new SerialLine({ output: at('o') });
  appendFileSync(at('o'), 'x');
  line.finish();
  await once(line, 'close');
  expect(line.closed).toBe(true);
});

test('where the system tells of no changes the file is looked at all the same', async () => {
  const follow = (): never => {
    throw new Error('ENOSPC');
  };
  const { line, said } = opened({ output: at('o') }, { follow });
  for (const text of ['one\n', 'two\n']) {
    appendFileSync(at('o'), text);
    await heard(line, said, said().length + text.length);
  }
  expect(said().toString()).toBe('one\ntwo\n');
});

test('a file that grows beyond its bound is emptied once it is read, and goes on', async () => {
  const { line, said } = opened({ output: at('o') }, { keep: 100_000 });
  // As QEMU: it writes where it is, not at the end.
  const fd = openSync(at('o'), 'w');
  const written: Buffer[] = [];
  for (let i = 0; i < 10; i++) {
    written.push(Buffer.alloc(30_000, 97 + i));
    writeSync(fd, written.at(-1)!);
    await heard(line, said, 30_000 * (i + 1));
    // What is emptied when all is read may be written at the same time: wait for that look.
    await new Promise(setImmediate);
  }
  closeSync(fd);
  expect(said().equals(Buffer.concat(written))).toBe(true);
  const left = readFileSync(at('o')).filter(byte => byte !== 0).length;
  expect([left > 0, left <= 130_000]).toEqual([true, true]);
});

test('what is said goes into the FIFO, also more than that holds', async () => {
  await makeFifos([at('i')]);
  const { line } = opened({ output: at('o'), input: at('i') });
  const reader = openSync(at('i'), constants.O_RDONLY | constants.O_NONBLOCK);
  const text = 'hello\n'.repeat(50_000);
  const written = new Promise<void>((resolve, reject) => {
    line.write(text, error => (error ? reject(error) : resolve()));
  });
  let got = '';
  const chunk = Buffer.alloc(65_536);
  while (got.length < text.length) {
    try {
      got += chunk.toString('latin1', 0, readSync(reader, chunk));
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' });
      await new Promise(setImmediate);
    }
  }
  closeSync(reader);
  await written;
  expect(got === text).toBe(true);
});
