import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkAllExports, deadExports } from '../scripts/exports.ts';

const A = 'packages/lab/src/a.ts';
const B = 'packages/lab/src/b.ts';
const found = (sources: Readonly<Record<string, string>>): string[] =>
  deadExports(new Map(Object.entries(sources))).map(v => `${v.file}:${v.line} ${v.specifier}: ${v.reason}`);

test('nothing is exported in vain', () => {
  expect(checkAllExports(join(import.meta.dirname, '..'))).toEqual([]);
});

const VALUE = 'export const a = 1;\n';
const ONLY_HERE = `${VALUE}void a;\n`;
test.each<[string, Record<string, string>, string[]]>([
  ['unused', { [A]: VALUE }, [`${A}:1 a: used by nobody`]],
  ['used at home', { [A]: ONLY_HERE }, [`${A}:1 a: exported, and used in this file only`]],
  ['named in a comment and a string', { [A]: VALUE, [B]: "// a\nvoid 'a';\n" }, [`${A}:1 a: used by nobody`]],
  [
    'used by its test, and by nothing else',
    { [A]: VALUE, 'packages/lab/src/a.test.ts': "import { a } from './a.ts';\n" },
    [`${A}:1 a: used by tests or scripts only`],
  ],
  [
    'handed on, and not used there',
    { [A]: VALUE, [B]: "export { a } from './a.ts';\n" },
    [`${A}:1 a: used by nobody`, `${B}:1 a: used by nobody`],
  ],
  [
    'imported, handed on and not used there',
    { [A]: VALUE, [B]: "import { a } from './a.ts';\n\nexport { a };\n" },
    [`${A}:1 a: used by nobody`, `${B}:3 a: used by nobody`],
  ],
  [
    'of a module of which another name is used',
    { [A]: `${VALUE}export const b = 2;\n`, [B]: "import * as all from './a.ts';\nvoid all.b;\n" },
    [`${A}:1 a: used by nobody`],
  ],
])('an export that is %s is found', (_, sources, expected) => {
  expect(found(sources)).toEqual(expected);
});

test.each<[string, Record<string, string>]>([
  ['an import', { [A]: VALUE, [B]: "import {\n  type X,\n  a as b,\n} from './a.ts';\n" }],
  [
    'an import of another package',
    { [A]: VALUE, 'packages/cli/src/b.ts': "import { a } from '@syndrome/lab/a.ts';\n" },
  ],
  ['a member of a namespace', { [A]: VALUE, [B]: "import * as all from './a.ts';\nvoid all.a;\n" }],
  ['a namespace', { [A]: VALUE, [B]: "import * as all from './a.ts';\nvoid { ...all };\n" }],
  ['a late import', { [A]: VALUE, [B]: "void (await import('./a.ts')).a;\n" }],
  ['the names of a late import', { [A]: VALUE, [B]: "const { a } = await import('./a.ts');\n" }],
  [
    'a re-export that is used',
    { [A]: VALUE, [B]: "export * from './a.ts';\n", 'packages/lab/src/c.ts': "import { a } from './b.ts';\n" },
  ],
  [
    'a test, of what its file uses too',
    { [A]: ONLY_HERE, 'packages/lab/src/a.test.ts': "import { a } from './a.ts';\n" },
  ],
  ['the public interface', { 'packages/decode/src/index.ts': VALUE }],
])('%s is a user', (_, sources) => {
  expect(found(sources)).toEqual([]);
});
