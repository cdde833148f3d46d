/** The client of the API is the one of its document. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLIENT, clientTexts, TYPES } from '../scripts/api-client.ts';

const ROOT = join(import.meta.dirname, '..');

test.each([
  [CLIENT, 'client'],
  [TYPES, 'types'],
] as const)('%s is made of the document as it is: else `npm run api:client`', (path, which) => {
  const args = [join(ROOT, 'node_modules/.bin/biome'), 'format', `--stdin-file-path=${path}`];
  const input = clientTexts()[which];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: ROOT, input, encoding: 'utf8' });
  expect(status).toBe(0);
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(stdout);
});
