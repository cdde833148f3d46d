/** `npm run format`: formats everything. */
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { commandLine } from './command-line.ts';

commandLine({});
const root = join(import.meta.dirname, '..');
const child = await runChild(process.execPath, [join(root, 'node_modules/.bin/biome'), 'format', '--write', '.'], {
  cwd: root,
});
process.exitCode = child.code;
