/** The rule that keeps hostile text off every screen: only the files named here write to one. */
import { globSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { NO_CODE, blank } from './imports.ts';
import { SOURCES } from './rooms.ts';
import type { Violation } from './imports.ts';

/** The writers: each escapes whatever it is given. */
export const WRITERS: readonly string[] = ['packages/cli/src/output.ts', 'packages/vmm/src/main.ts'];

/** Ways to a screen, in code. A descriptor that a variable holds is seen by nobody; the numbers of stdout and stderr are. */
const WAYS: readonly RegExp[] = [
  /\bprocess\s*\??\.\s*(?:stdout|stderr|emitWarning|_rawDebug)\b/g,
  /\b(?:stdout|stderr)\b[^;{}]*\}\s*=\s*process\b/g,
  /\bconsole\s*(?:\?\.|\.|\[)/g,
  /\b(?:write|writev|writeFile|appendFile)(?:Sync)?\s*\(\s*[12]\s*,/g,
];
/** And those that are named by a string. */
const NAMES: readonly RegExp[] = [
  /\bprocess\s*\[\s*['"](?:stdout|stderr)['"]/g,
  /\b(?:from|import)\b\s*\(?\s*['"](?:node:)?(?:process|console)['"]/g,
  /['"`]\/(?:dev\/(?:stdout|stderr|tty\b)|(?:dev|proc\/self)\/fd\/[12]\b)/g,
];

/** Where a source writes to a screen past the writers; `file` is relative to the repository, with `/`. */
export function checkScreens(file: string, source: string): Violation[] {
  if (WRITERS.includes(file) || file.endsWith('.test.ts') || file.includes('/testing/')) return [];
  const found = (text: string, ways: readonly RegExp[]): Violation[] =>
    ways.flatMap(way =>
      [...text.matchAll(way)].map(({ 0: specifier, index }) => ({
        file,
        line: text.slice(0, index).split('\n').length,
        specifier,
        reason: `only ${WRITERS.join(' and ')} write to a screen`,
      })),
    );
  return [...found(source.replace(NO_CODE, blank), WAYS), ...found(source, NAMES)];
}

/** Checks every source. */
export function checkAllScreens(root: string): Violation[] {
  return globSync(SOURCES, { cwd: root })
    .toSorted()
    .flatMap(file => checkScreens(relative('.', file).split(sep).join('/'), readFileSync(join(root, file), 'utf8')));
}
