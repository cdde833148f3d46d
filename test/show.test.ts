/** Traces of older versions look as the program of their time has shown them. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const GOLDEN = join(ROOT, 'packages/trace/src/golden');

test.each(readdirSync(GOLDEN).filter(file => /^v\d-.*\.ndjson$/.test(file)))('show %s', async file => {
  const env = { ...process.env, NO_COLOR: '1' };
  const shown = spawnSync(join(ROOT, 'bin/syndrome'), ['show', join(GOLDEN, file)], { encoding: 'utf8', env });
  expect(shown.stderr).toBe('');
  await expect(shown.stdout).toMatchFileSnapshot(join(GOLDEN, file.replace('.ndjson', '.show.txt')));
  expect(shown.status).toBe(0);
});
