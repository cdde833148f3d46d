import { expect, test } from 'vitest';
import { checkAllImports, checkImports } from '../scripts/imports.ts';

test('every import in src/ goes in the direction the design allows', () => {
  expect(checkAllImports(new URL('..', import.meta.url).pathname)).toEqual([]);
});

test.each([
  ['src/qmp/a.ts', "import { x } from '../lab/run.ts';", 'room "qmp" may not import room "lab"'],
  ['src/mca/a.ts', "import { readFileSync } from 'node:fs';", 'pure room "mca" may not import Node built-ins'],
  ['src/mca/a.ts', "import yaml from 'yaml';", 'room "mca" may not import package "yaml"'],
  ['src/lab/a.ts', "const x = await import('../cli/main.ts');", 'room "lab" may not import room "cli"'],
  ['src/lab/a.ts', "export * from '../report/text.ts';", 'room "lab" may not import room "report"'],
  ['src/attic/a.ts', 'export {};', 'room "attic" is not in scripts/rooms.ts'],
])('%s: %s is refused', (file, source, reason) => {
  expect(checkImports(file, source).map(v => v.reason)).toEqual([reason]);
});
