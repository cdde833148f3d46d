import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { USAGE } from './options.ts';

const run = (...argv: string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url)), ...argv], {
    encoding: 'utf8',
    timeout: 20_000,
  });

describe('the command', () => {
  test('--help says how it goes, anywhere', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: USAGE });
  });

  test('wrong usage is told with the usage', () => {
    const { status, stderr } = run('--memory', '1G');
    expect(status).toBe(2);
    expect(stderr).toContain('--kernel is missing');
    expect(stderr).toContain(USAGE);
  });

  test.skipIf(process.arch === 'arm64')('on another architecture it says so, without needing koffi', () => {
    const { status, stderr } = run('--kernel', '/nonexistent');
    expect(status).toBe(1);
    expect(stderr).toMatch(/runs on Linux for arm64, not on \w+ \w+\nUse it inside the lab/);
  });
});
