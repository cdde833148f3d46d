import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { channelEnd } from './channels.ts';
import { RunDir } from './run-dir.ts';

const { TMPDIR } = process.env;
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rd-'));
});
afterEach(() => {
  if (TMPDIR === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = TMPDIR;
  rmSync(dir, { recursive: true, force: true });
});

test('a run folder is for its user alone, whatever the umask, and has an absolute path', () => {
  process.env['TMPDIR'] = relative(process.cwd(), dir);
  for (const mask of [0, 0o077, 0o777]) {
    const before = process.umask(mask);
    const run = new RunDir();
    process.umask(before);
    expect([dirname(run.path), statSync(run.path).mode & 0o777]).toEqual([dir, 0o700]);
    run.remove();
  }
});

test('where it cannot be made, or others could replace it, the error has a code of its own and a hint', () => {
  writeFileSync(join(dir, 'file'), '');
  for (const base of [join(dir, 'none'), join(dir, 'file'), '/proc']) {
    process.env['TMPDIR'] = base;
    expect(() => new RunDir()).toThrow(
      expect.objectContaining({ code: 'E_LAB_RUN_DIR', hint: expect.stringContaining('Set TMPDIR') }),
    );
  }
  process.env['TMPDIR'] = dir;
  chmodSync(dir, 0o777);
  expect(() => new RunDir()).toThrow(expect.objectContaining({ code: 'E_LAB_RUN_DIR' }));
});

test('where no FIFO can be made, the error says what is needed', async () => {
  const run = new RunDir();
  const end = channelEnd('agent', run.path);
  if ('socket' in end) throw new Error('the agent has a socket');
  const { PATH } = process.env;
  process.env['PATH'] = dir;
  const failed = await run.serialLine(end).catch((error: unknown) => error);
  process.env['PATH'] = PATH;
  run.remove();
  expect(failed).toMatchObject({ code: 'E_LAB_RUN_DIR', hint: expect.stringContaining('mkfifo') });
});
