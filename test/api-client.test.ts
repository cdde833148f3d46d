/** The client of the API is the one of its document. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLIENT, clientText } from '../scripts/api-client.ts';

const ROOT = join(import.meta.dirname, '..');

test('the client is made of the document as it is: else `npm run api:client`', () => {
  const args = [join(ROOT, 'node_modules/.bin/biome'), 'format', `--stdin-file-path=${CLIENT}`];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: ROOT, input: clientText(), encoding: 'utf8' });
  expect(status).toBe(0);
  expect(readFileSync(join(ROOT, CLIENT), 'utf8')).toBe(stdout);
});
