import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSite } from './site-file.ts';

test('a file that others may write to is not taken: it names programs that are started', () => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  const file = join(folder, 'site.yaml');
  writeFileSync(file, 'site: here\n');
  chmodSync(file, 0o666);
  expect(() => readSite(file)).toThrow('others may write');
  chmodSync(file, 0o600);
  expect(() => readSite(file)).not.toThrow('others may write');
  rmSync(folder, { recursive: true });
});
