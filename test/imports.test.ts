import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkAllImports, checkImports } from '../scripts/imports.ts';
import { rooms } from '../scripts/rooms.ts';

const ROOT = join(import.meta.dirname, '..');

test('every import in src/ goes in the direction the design allows', () => {
  expect(checkAllImports(new URL('..', import.meta.url).pathname)).toEqual([]);
});

test.each([
  ['src/qmp/a.ts', "import { x } from '../lab/run.ts';", 'room "qmp" may not import room "lab"'],
  ['src/mca/a.ts', "import { readFileSync } from 'node:fs';", 'pure room "mca" may not import Node built-ins'],
  ['src/mca/a.ts', "import yaml from 'yaml';", 'room "mca" may not import package "yaml"'],
  ['src/lab/a.ts', "const x = await import('../cli/main.ts');", 'room "lab" may not import room "cli"'],
  ['src/lab/a.ts', "export * from '../report/text.ts';", 'room "lab" may not import room "report"'],
  ['src/index.ts', 'export {};', 'every file under src/ belongs to a room: a folder'],
  ['src/mca/a.ts', 'const now = Date.now();', 'pure room "mca" may not use the clock or chance'],
  ['src/mca/a.ts', 'const now = new Date();', 'pure room "mca" may not use the clock or chance'],
  ['src/mca/a.ts', '// Date.now()\nconst x = Math.random();', 'pure room "mca" may not use the clock or chance'],
  ['src/attic/a.ts', 'export {};', 'room "attic" is not in scripts/rooms.ts'],
])('%s: %s is refused', (file, source, reason) => {
  expect(checkImports(file, source).map(v => v.reason)).toEqual([reason]);
});

test.each([
  ['src/mca/a.ts', 'const day = new Date(0n);'],
  ['src/mca/a.ts', "/* Date.now() */ const text = 'Math.random is not for us'; // new Date()"],
  ['src/lab/a.ts', 'const now = Date.now();'],
  ['src/mca/a.test.ts', 'const now = Date.now();'],
])('%s: %s is allowed', (file, source) => {
  expect(checkImports(file, source)).toEqual([]);
});

test('tsconfig.pure.json covers the pure rooms of scripts/rooms.ts', () => {
  const config = JSON.parse(readFileSync(join(ROOT, 'tsconfig.pure.json'), 'utf8')) as { include: string[] };
  const pure = Object.entries(rooms).flatMap(([room, rule]) => (rule.pure ? [`src/${room}`] : []));
  expect(config.include.filter(path => path.startsWith('src/'))).toEqual(pure);
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
