import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkAllImports, checkImports } from '../scripts/imports.ts';
import { rooms } from '../scripts/rooms.ts';

const ROOT = join(import.meta.dirname, '..');
const NO_ROOM = 'every source belongs to a room, and the folder is not in scripts/rooms.ts';

test('every import goes in the direction the design allows', () => {
  expect(checkAllImports(new URL('..', import.meta.url).pathname)).toEqual([]);
});

test.each([
  ['packages/qemu/src/qmp/a.ts', "import { x } from '@syndrome/lab/run.ts';", 'room "qmp" may not import room "lab"'],
  [
    'packages/decode/src/mca/a.ts',
    "import { readFileSync } from 'node:fs';",
    'pure room "mca" may not import Node built-ins',
  ],
  ['packages/decode/src/mca/a.ts', "import yaml from 'yaml';", 'room "mca" may not import package "yaml"'],
  ['packages/lab/src/a.ts', "const x = await import('@syndrome/cli/main.ts');", 'room "lab" may not import room "cli"'],
  ['packages/lab/src/a.ts', "export * from './report/text.ts';", 'room "lab" may not import room "report"'],
  ['packages/qemu/src/index.ts', 'export {};', NO_ROOM],
  [
    'packages/cli/src/a.ts',
    "import { x } from '../../lab/src/run.ts';",
    'write imports of another package as @syndrome/…',
  ],
  [
    'packages/decode/src/text/a.ts',
    "import { x } from '@syndrome/decode/mca/lint.ts';",
    'write imports within a package relative',
  ],
  ['packages/decode/src/mca/a.ts', 'const now = Date.now();', 'pure room "mca" may not use the clock or chance'],
  ['packages/decode/src/mca/a.ts', 'const now = new Date();', 'pure room "mca" may not use the clock or chance'],
  [
    'packages/decode/src/mca/a.ts',
    '// Date.now()\nconst x = Math.random();',
    'pure room "mca" may not use the clock or chance',
  ],
  ['packages/attic/src/a.ts', 'export {};', NO_ROOM],
])('%s: %s is refused', (file, source, reason) => {
  expect(checkImports(file, source).map(v => v.reason)).toEqual([reason]);
});

test.each([
  ['packages/decode/src/mca/a.ts', 'const day = new Date(0n);'],
  ['packages/decode/src/mca/a.ts', "/* Date.now() */ const text = 'Math.random is not for us'; // new Date()"],
  ['packages/lab/src/a.ts', 'const now = Date.now();'],
  ['packages/decode/src/mca/a.test.ts', 'const now = Date.now();'],
])('%s: %s is allowed', (file, source) => {
  expect(checkImports(file, source)).toEqual([]);
});

test('tsconfig.pure.json covers the pure rooms of scripts/rooms.ts', () => {
  const config = JSON.parse(readFileSync(join(ROOT, 'tsconfig.pure.json'), 'utf8')) as { include: string[] };
  const covered = config.include.filter(path => path.startsWith('packages/'));
  const missing = Object.values(rooms).flatMap(rule => (rule.pure ? [rule.folder] : []));
  expect(missing.filter(folder => !covered.some(path => `${folder}/`.startsWith(`${path}/`)))).toEqual([]);
});

test('in a pure room whatever belongs to Node is a type error', () => {
  const dir = mkdtempSync(join(tmpdir(), 'st-'));
  try {
    const source = [
      "Buffer.from('a')",
      'process.pid',
      'setTimeout(() => {}, 1)',
      'console.log(1)',
      'new TextDecoder()',
    ];
    writeFileSync(join(dir, 'a.mts'), source.map((text, i) => `export const v${i} = ${text};\n`).join(''));
    const globals = join(ROOT, 'scripts/pure-globals.d.ts');
    writeFileSync(
      join(dir, 'tsconfig.json'),
      JSON.stringify({ extends: join(ROOT, 'tsconfig.pure.json'), include: ['a.mts', globals], exclude: [] }),
    );
    const tsc = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', dir, '--pretty', 'false'], {
      encoding: 'utf8',
      cwd: dir,
    });
    const lines = [...tsc.stdout.matchAll(/^a\.mts\((\d+),/gm)].map(m => Number(m[1]));
    expect(lines, tsc.stdout + tsc.stderr).toEqual([1, 2, 3, 4]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
