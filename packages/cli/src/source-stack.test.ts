import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { sourceStack } from './source-stack.ts';

const dir = mkdtempSync(join(tmpdir(), 'source-stack-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('names the place in the source where a map lies beside what was made of it, and leaves others as they are', () => {
  // Column 1 of line 1 is column 3 of line 5 of the source (Source Map revision 3: VLQ of 0, 0, 4, 2).
  const map = { version: 3, file: 'all.js', sources: ['../lint.ts'], names: [], mappings: 'AAIE' };
  writeFileSync(join(dir, 'all.js.map'), JSON.stringify(map));
  writeFileSync(join(dir, 'broken.js.map'), '{');
  const at = (name: string): string => pathToFileURL(join(dir, name)).href;
  const stack = (place: string): string =>
    `Error: no such thing\n    at rule (${place})\n    at node:internal/main:1:2`;
  expect(sourceStack(stack(`${at('all.js')}:1:1`))).toBe(stack(`${new URL('../lint.ts', at('all.js')).href}:5:3`));
  for (const name of ['broken.js', 'alone.js'])
    expect(sourceStack(stack(`${at(name)}:1:1`))).toBe(stack(`${at(name)}:1:1`));
});
