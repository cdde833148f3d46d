/** What is lost of the input of a command is said, and shows in its exit code. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, 'main.ts');
const LOG = 'mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 9: 9c000000000000c0\n';
const CUT = 'mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 9: 9c0000000000\n';

function syndrome(...args: readonly string[]): { status: number | null; lines: number; err: string[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    input: '',
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, lines: stdout.split('\n').length - 1, err: stderr.split('\n').filter(l => l !== '') };
}

describe('a command that reads records', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'syndrome-loss-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  };

  it('reads all lines of values, however many there are', () => {
    const path = file('values', 'status=0xbd80000000000134 cpuid=0x50654\n'.repeat(4096));
    expect(syndrome('decode', '--raw', '--from', 'value', path)).toEqual({ status: 0, lines: 4096, err: [] });
    expect(syndrome('decode', '--raw', path)).toEqual({ status: 0, lines: 4096, err: [] });
  });

  it('ends with 5 where something was lost, and says what and where', () => {
    const path = file('cut-values', `0xbd80000000000134\n0xbd8\n${'a'.repeat(3000)}\n0xbe00000000800400\nand this?\n`);
    expect(syndrome('decode', '--raw', path)).toEqual({
      status: 5,
      lines: 3,
      err: [
        `${path}:3: the line is too long for what it should be; nothing of it was read (byte 25) [E_TEXT_LONG]`,
        `${path}:5: the line holds no value that is known (byte 3045) [E_TEXT_VALUE]`,
      ],
    });
    const predicted = syndrome('predict', '--vendor', 'intel', '--consumer', 'linux', path);
    expect([predicted.status, predicted.err.length]).toEqual([5, 2]);
  });

  it('says of each file that it yielded nothing, which alone is no fault', () => {
    const [some, none, more] = [file('some', LOG), file('none', 'all is well\n'), file('more', LOG)];
    const { status, lines, err } = syndrome('decode', '--raw', some, none, more);
    expect([status, lines, err]).toEqual([
      0,
      2,
      [`no error record found (${none}: read as a log; nothing known in its beginning)`],
    ]);
    expect(syndrome('decode', none, none)).toMatchObject({ status: 4, err: [err[0], err[0]] });
    // What was typed was meant.
    const typed = syndrome('decode', '--raw', some, 'bd8x');
    expect([typed.status, typed.lines, typed.err.length]).toEqual([2, 1, 1]);
  });

  it('takes a record that was cut for a loss, whether others are there or not', () => {
    const cut = file('cut', CUT);
    const alone = syndrome('decode', '--raw', cut);
    expect([alone.status, alone.lines]).toEqual([5, 0]);
    expect(alone.err.join('\n')).toContain('E_TEXT_TRUNCATED');
    expect(alone.err.join('\n')).toContain('no error record found');
    expect(syndrome('decode', '--raw', cut, file('whole', LOG))).toMatchObject({ status: 5, lines: 1 });
    const json = syndrome('decode', '--json', '--from', 'ghes', file('hex', '01000000000'));
    expect(json.status).toBe(5);
    expect(json.err.join('\n')).toContain('(byte 11) [E_INPUT_BYTES]');
  });

  it('tells so many of one kind, and how many more there are', () => {
    const path = file('many', `0xbd80000000000134\nno\n`.repeat(300));
    const { status, lines, err } = syndrome('decode', '--raw', path);
    expect([status, lines, err.length, err.at(-1)]).toEqual([
      5,
      300,
      201,
      `${path}: 100 more like these [E_TEXT_VALUE]`,
    ]);
  });
});
