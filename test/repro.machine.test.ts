/** The folder of a bug report: its own program sees again, without Syndrome, what the run saw. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

const python = spawnSync('python3', ['--version']).status === 0;

test.skipIf(!python)('a folder shows its error again by its own program, and is not written over', async () => {
  const folder = join(sandbox.dir, 'bug');
  const made = await sandbox.run('repro', 'intel-srao-process', '--out', folder, '--json', '--quiet');
  expect(made.code, made.stderr).toBe(0);
  const { files, replay } = JSON.parse(made.stdout) as { files: string[]; replay: { status: number; output: string } };
  for (const file of files) expect(existsSync(join(folder, file)), file).toBe(true);
  expect(replay.status, replay.output).toBe(0);
  expect(replay.output).toMatch(/seen +console .*Sending SIGBUS to victim/);
  expect(replay.output).toContain('6 of 6 expected lines were seen');
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  expect(readme).toContain(replay.output.trimEnd());
  // Nothing of this computer is in it.
  const texts = ['README.md', 'machine.sh', 'steps.txt', 'trace.ndjson'].map(name =>
    readFileSync(join(folder, name), 'utf8'),
  );
  const cache = sandbox.env['SYNDROME_CACHE'] ?? join(String(sandbox.env['HOME']), '.cache');
  for (const text of texts) expect(text).not.toContain(cache);

  const again = await sandbox.run('repro', 'intel-srao-process', '--out', folder, '--quiet');
  expect(again.code).toBe(3);
  expect(again.stderr).toContain('is there and is not empty');
});
