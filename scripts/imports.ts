import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { globSync } from 'node:fs';
import { rooms, testImports } from './rooms.ts';

/** One import that the table in rooms.ts does not allow. */
export interface Violation {
  file: string;
  line: number;
  specifier: string;
  reason: string;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;
const builtins = new Set(builtinModules);

/** Checks the imports of one source file; `file` is relative to the repository, with `/`. */
export function checkImports(file: string, source: string): Violation[] {
  const violations: Violation[] = [];
  const room = file.split('/')[1] ?? '';
  const rule = rooms[room];
  if (file.split('/').length < 3) return violations;
  if (!rule) return [{ file, line: 1, specifier: '', reason: `room "${room}" is not in scripts/rooms.ts` }];
  const isTest = file.endsWith('.test.ts') || file.includes('/testing/');
  for (const match of source.matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? '';
    const at = (match.index ?? 0) + match[0].indexOf(specifier);
    const line = source.slice(0, at).split('\n').length;
    const bad = (reason: string): void => void violations.push({ file, line, specifier, reason });
    if (specifier.startsWith('.')) {
      const target = join(dirname(file), specifier).split(sep).join('/');
      const other = target.split('/')[1] ?? '';
      if (!target.startsWith('src/')) {
        if (!isTest) bad('source may not import from outside src/');
      } else if (other !== room && !rule.imports.includes(other) && !(isTest && testImports.includes(other))) {
        bad(`room "${room}" may not import room "${other}"`);
      }
      continue;
    }
    if (isTest) continue;
    const builtin = specifier.startsWith('node:') || builtins.has(specifier);
    if (builtin) {
      if (rule.pure) bad(`pure room "${room}" may not import Node built-ins`);
      else if (!specifier.startsWith('node:')) bad('write built-ins with the node: prefix');
      continue;
    }
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    if (!(rule.packages ?? []).includes(name)) bad(`room "${room}" may not import package "${name}"`);
  }
  return violations;
}

/** Checks every TypeScript file under src/. */
export function checkAllImports(root: string): Violation[] {
  return globSync('src/**/*.ts', { cwd: root })
    .toSorted()
    .flatMap(file => checkImports(relative('.', file).split(sep).join('/'), readFileSync(join(root, file), 'utf8')));
}
