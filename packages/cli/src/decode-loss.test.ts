/** What is lost of the input of a command is said, and shows in its exit code. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  it('ends with 5 where values and a log are mixed, or the last value is cut', () => {
    const values = 'status=0xbd80000000000134 cpuid=0x50654\n'.repeat(30);
    expect(syndrome('decode', '--raw', file('values-log', `${values}${LOG}`))).toMatchObject({ status: 5, lines: 30 });
    const behind = syndrome('decode', '--raw', file('log-values', `${LOG}${values}`));
    expect([behind.status, behind.lines, behind.err.filter(l => l.endsWith('[E_TEXT_VALUE]')).length]).toEqual([
      5, 1, 30,
    ]);
    const cut = syndrome('decode', '--raw', file('values-cut', `${values}status=0xbd8000000000`));
    expect([cut.status, cut.lines, cut.err.join('\n')]).toEqual([
      5,
      30,
      expect.stringMatching(/:31: .*\[E_TEXT_TRUNCATED\]$/),
    ]);
  });

  it('says of each file that it yielded nothing, which alone is no fault', () => {
    const [some, none, more] = [file('some', LOG), file('none', 'all is well\n'), file('more', LOG)];
    // With --json what is odd about a record stands in it.
    const { status, lines, err } = syndrome('decode', '--json', some, none, more);
    expect([status, lines, err]).toEqual([
      0,
      2,
      [`no error record found (${none}: read as a log; nothing known in its beginning)`],
    ]);
    expect(syndrome('decode', none, none)).toMatchObject({ status: 4, err: [err[0], err[0]] });
    // What was typed was meant.
    const typed = syndrome('decode', '--json', some, 'bd8x');
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

  it('tells what a record lost, whatever the output', () => {
    const whole = syndrome('encode', 'memory', 'physicalAddress=0x50000000', 'errorType=3', '--out', join(dir, 'cper'));
    expect(whole.status).toBe(0);
    const cut = file('cut.cper', '');
    writeFileSync(cut, readFileSync(join(dir, 'cper')).subarray(0, 150));
    for (const args of [['decode', '--raw'], ['decode', '--brief'], ['decode', '--json'], ['decode'], ['predict']]) {
      const { status, err } = syndrome(...args, cut);
      expect([args, status, err.filter(l => /^\S+cut\.cper: .*\[E_CPER_/.test(l)).length > 0]).toEqual([args, 5, true]);
    }
  });

  it('tells what is odd about a record where the output has no place for it', () => {
    const odd = ['status=0xbd80000000000134', 'adr=0x1000'];
    const told = ['argument:1: the name adr is not known; its value was left out [W_TEXT_VALUE]'];
    expect(syndrome('decode', '--raw', ...odd)).toMatchObject({ status: 0, err: told });
    expect(syndrome('decode', '--brief', ...odd)).toMatchObject({ status: 0, err: told });
    expect(syndrome('predict', ...odd).err).toEqual(told);
    // These say it themselves.
    expect(syndrome('decode', ...odd).err).toEqual([]);
    expect(syndrome('decode', '--json', ...odd).err).toEqual([]);
  });

  it('says of events that they are read and nothing is predicted from them', () => {
    const path = file('events', 'Memory failure: 0x91ef: recovery action for dirty LRU page: Recovered\n');
    const why = `(${path} was read, and holds nothing but events: 1 of them)`;
    const alone = syndrome('predict', path);
    expect([alone.status, alone.err[0]]).toEqual([
      4,
      expect.stringContaining(`no record to predict from ${why}; names:`),
    ]);
    expect(syndrome('predict', path, file('log', LOG)).err).toContain(`no error record found ${why}`);
    expect(syndrome('decode', path)).toMatchObject({ status: 0, err: [] });
  });

  it('reads a folder, unless its name is a word of values', () => {
    mkdirSync(join(dir, 'folder'), { recursive: true });
    mkdirSync(join(dir, 'mce'), { recursive: true });
    const folder = spawnSync(process.execPath, [MAIN, 'decode', 'folder'], { cwd: dir, encoding: 'utf8' });
    expect([folder.status, folder.stderr]).toEqual([4, expect.stringContaining('folder holds no file whose name')]);
    const both = spawnSync(process.execPath, [MAIN, 'decode', 'folder', 'nonsense'], { cwd: dir, encoding: 'utf8' });
    expect([both.status, both.stderr]).toEqual([2, expect.stringContaining('folder is a folder, and not all else is')]);
    const words = ['mce', '0', '9', '0xbd000000000000c0', '0x5', '0x91ee000', '0x8c'];
    expect(spawnSync(process.execPath, [MAIN, 'decode', '--raw', ...words], { cwd: dir }).status).toBe(0);
  });

  it('says what was not read behind a file that cannot be', () => {
    // Opens, and cannot be read from its beginning.
    const { status, err } = syndrome('decode', '--raw', file('before', LOG), '/proc/self/mem', file('behind', LOG));
    expect([status, err.join('\n')]).toEqual([2, expect.stringContaining(`not read either: ${join(dir, 'behind')}.`)]);
  });
});
