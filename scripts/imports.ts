import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { globSync } from 'node:fs';
import type { Room } from './rooms.ts';
import { SOURCES, packageOf, roomOf, rooms, testImports } from './rooms.ts';

/** One import that the table in rooms.ts does not allow. */
export interface Violation {
  file: string;
  line: number;
  specifier: string;
  reason: string;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;
const builtins = new Set(builtinModules);

/** Clocks and chance are part of the language, so no declaration file can keep them out of a pure room. */
const IMPURE = /\b(?:Date\.now|Math\.random)\b|\bnew\s+Date\s*(?:\(\s*\)|(?=[;,)\]}]))|(?<!new\s+)\bDate\s*\(/g;
/** Comments, and strings without line ends; replaced by blanks, so that places stay. */
export const NO_CODE = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;

export const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

/** The file that a specifier of the project names; undefined for a built-in or a package of others. */
export function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(file), specifier).split(sep).join('/');
  const [, name, inner] = /^@syndrome\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
  return name === undefined ? undefined : `packages/${name}/src/${inner}`;
}

/** Checks the imports of one source file; `file` is relative to the repository, with `/`. */
export function checkImports(file: string, source: string): Violation[] {
  const violations: Violation[] = [];
  const room = roomOf(file);
  if (room === undefined) {
    return [
      {
        file,
        line: 1,
        specifier: '',
        reason: 'every source belongs to a room, and the folder is not in scripts/rooms.ts',
      },
    ];
  }
  const rule = rooms[room] as Room;
  const isTest = file.endsWith('.test.ts') || file.includes('/testing/');
  for (const match of source.matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? '';
    const at = (match.index ?? 0) + match[0].indexOf(specifier);
    const line = source.slice(0, at).split('\n').length;
    const bad = (reason: string): void => void violations.push({ file, line, specifier, reason });
    const target = targetOf(file, specifier);
    if (target !== undefined) {
      const other = roomOf(target);
      const within = packageOf(target) === packageOf(file);
      if (other === undefined) {
        if (!isTest) bad('source may not import from outside the rooms');
      } else if (other !== room && !rule.imports.includes(other) && !(isTest && testImports.includes(other))) {
        bad(`room "${room}" may not import room "${other}"`);
      } else if (within !== specifier.startsWith('.')) {
        bad(within ? 'write imports within a package relative' : 'write imports of another package as @syndrome/…');
      }
      continue;
    }
    if (isTest) continue;
    const builtin = specifier.startsWith('node:') || builtins.has(specifier);
    if (builtin) {
      if (rule.pure) bad(`pure room "${room}" may not import Node built-ins`);
      else if (rule.browser) bad(`room "${room}" runs in a browser and may not import Node built-ins`);
      else if (!specifier.startsWith('node:')) bad('write built-ins with the node: prefix');
      continue;
    }
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    if (!(rule.packages ?? []).includes(name)) bad(`room "${room}" may not import package "${name}"`);
  }
  if (rule.pure && !isTest) {
    const code = source.replace(NO_CODE, blank);
    for (const { 0: specifier, index } of code.matchAll(IMPURE)) {
      const reason = `pure room "${room}" may not use the clock or chance`;
      violations.push({ file, line: code.slice(0, index).split('\n').length, specifier, reason });
    }
  }
  return violations;
}

/** Checks every source. */
export function checkAllImports(root: string): Violation[] {
  return globSync(SOURCES, { cwd: root })
    .toSorted()
    .flatMap(file => checkImports(relative('.', file).split(sep).join('/'), readFileSync(join(root, file), 'utf8')));
}
