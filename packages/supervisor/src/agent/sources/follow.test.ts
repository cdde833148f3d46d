import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { followLines, type FollowOptions } from './follow.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'follow-'));
  path = join(folder, 'log');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Follows, and does the next thing each time that everything was read. */
async function follow(
  steps: (() => unknown)[],
  options: Partial<FollowOptions> = {},
): Promise<{ lines: string[]; position: string }> {
  const lines: string[] = [];
  const end = new AbortController();
  let position = '';
  let n = 0;
  const idle = (at: string): void => {
    position = at;
    const step = steps[n++];
    if (step === undefined) end.abort();
    else step();
  };
  await followLines(path, l => lines.push(l), {
    signal: end.signal,
    up: () => undefined,
    idle,
    pollMs: 20,
    ...options,
  });
  return { lines, position };
}

describe('followLines', () => {
  test('begins at the end, and hands on what is added, in whole lines', async () => {
    writeFileSync(path, 'old\n');
    const { lines } = await follow([() => appendFileSync(path, 'one\ntw'), () => appendFileSync(path, 'o\n')]);
    expect(lines).toEqual(['one', 'two']);
  });

  test('goes on where it was, also in the middle of a line', async () => {
    writeFileSync(path, 'old\n');
    const { position } = await follow([() => appendFileSync(path, 'one\ntw')]);
    appendFileSync(path, 'o\nthree\n');
    expect((await follow([], { from: position })).lines).toEqual(['two', 'three']);
    expect((await follow([], { from: '1:0' })).lines).toEqual([]);
  });

  test('a file that is replaced or cut is read from its begin', async () => {
    writeFileSync(path, 'old\n');
    const { lines } = await follow([
      () => {
        renameSync(path, `${path}.1`);
        writeFileSync(path, 'of the new file\n');
      },
      () => truncateSync(path, 0),
      () => appendFileSync(path, 'after the cut\n'),
    ]);
    expect(lines).toEqual(['of the new file', 'after the cut']);
  });

  test('what was written just before a file was replaced is read first', async () => {
    writeFileSync(path, 'old\n');
    const { lines } = await follow([
      () => {
        appendFileSync(path, 'the last\nof the old, cut off');
        renameSync(path, `${path}.1`);
        writeFileSync(path, 'of the new file\n');
      },
    ]);
    expect(lines).toEqual(['the last', 'of the old, cut off', 'of the new file']);
  });

  test('a line without end costs no memory: it is cut', async () => {
    writeFileSync(path, '');
    const { lines } = await follow([() => appendFileSync(path, `${'x'.repeat(1_000_000)}\nnext\n`)]);
    expect(lines.map(l => l.length)).toEqual([65_536, 4]);
  });

  test('of a writer that floods so much is read in a second, and of the rest the end', async () => {
    writeFileSync(path, '');
    const left: number[] = [];
    const flood = `${'x'.repeat(1023)}\n`.repeat(4096);
    const { lines, position } = await follow([() => appendFileSync(path, `${flood}last\n`)], {
      bytesPerSecond: 128 * 1024,
      leftOut: bytes => left.push(bytes),
    });
    expect(left).toEqual([flood.length + 5 - 2 * 128 * 1024]);
    expect(lines.length).toBeLessThan(260);
    expect(lines.at(-1)).toBe('last');
    expect(position.split(':')[1]).toBe(String(flood.length + 5));
  });

  test('a file that goes away is an error', async () => {
    writeFileSync(path, '');
    await expect(follow([() => rmSync(path)])).rejects.toThrow('ENOENT');
    await expect(follow([])).rejects.toThrow('ENOENT');
  });

  test('a FIFO outlives its writers', async () => {
    execFileSync('mkfifo', [path]);
    const write = async (text: string): Promise<void> => {
      await once(spawn('sh', ['-c', 'printf "$1" > "$0"', path, text]), 'exit');
    };
    const lines: string[] = [];
    const end = new AbortController();
    const take = (line: string): void => {
      lines.push(line);
      if (line === 'end') end.abort();
      else void write('two\\nend\\n');
    };
    const up = (): void => void write('one\\n');
    await followLines(path, take, { signal: end.signal, up, idle: () => undefined });
    expect(lines.slice(0, 2)).toEqual(['one', 'two']);
    expect(lines.at(-1)).toBe('end');
  });
});
