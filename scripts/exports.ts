/** The rule against dead exports: what a source exports is used by another, or it is not exported. */
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { NO_CODE, blank, targetOf } from './imports.ts';
import { SOURCES } from './rooms.ts';
import type { Violation } from './imports.ts';

/** The files whose exports have users outside of the sources: the public interface, what scripts alone carry out, and what stands in for vitest. */
const ENTRIES: readonly string[] = [
  'packages/decode/src/index.ts',
  'packages/supervisor/src/client/types.ts',
  'packages/supervisor/src/rest/client.ts',
  'packages/supervisor/src/evaluate/evaluate.ts',
  'packages/supervisor/src/evaluate/plot.ts',
  'packages/supervisor/src/evaluate/tables.ts',
  'scripts/mutation/collected.ts',
];

/** One name that a source exports. */
interface Export {
  name: string;
  line: number;
  /** For a re-export: where it comes from, and its name there. */
  from?: { file: string; name: string };
  /** Whether its own file uses it, too. */
  atHome: boolean;
}

/** One name that a source imports; `*` stands for all of them. */
interface Import {
  file: string;
  name: string;
}

const DECLARED =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|enum|const|let) ([\w$]+)/gm;
const LIST = /^export (?:type )?(?:\*(?: as ([\w$]+))?|\{([^}]*)\})(?:\s*from\s*['"]([^'"]+)['"])?/gm;
const STATIC = /^import (?:type )?([^'";]*?)\s*from\s*['"]([^'"]+)['"]/gm;
const DYNAMIC =
  /(?:(?:const|let) \{([^}]*)\} = )?(?:\(\s*)?\bawait import\(\s*['"]([^'"]+)['"]\s*\)(?:\)\s*\.([\w$]+))?/g;

/** The names of `a, type b as c`, as pairs: the name there and the name here. */
const pairsOf = (list: string): { there: string; here: string }[] =>
  list
    .split(',')
    .map(item => item.trim().replace(/^type\s+/, ''))
    .filter(item => item !== '')
    .map(item => {
      const [there = '', here = there] = item.split(/\s+as\s+|\s*:\s*/);
      return { there, here };
    });

const escapeName = (name: string): string => name.replaceAll('$', '\\$');
const count = (code: string, name: string): number =>
  [...code.matchAll(new RegExp(`(?<![\\w$])${escapeName(name)}(?![\\w$])`, 'g'))].length;

/** What one source exports and imports; `file` is relative to the repository, with `/`. */
function read(file: string, source: string): { exports: Export[]; imports: Import[] } {
  const commented = source.replace(NO_CODE, piece => (/^['"]/.test(piece) ? piece : blank(piece)));
  const code = source.replace(NO_CODE, blank);
  const lineAt = (index: number): number => commented.slice(0, index).split('\n').length;
  const exports = new Map<string, Export>();
  const imports: Import[] = [];
  /** What a name of this file stands for in another one. */
  const imported = new Map<string, Import>();
  for (const [, clause = '', specifier = ''] of commented.matchAll(STATIC)) {
    const target = targetOf(file, specifier);
    if (target === undefined) continue;
    const [, whole, first, list = ''] = /^(?:\* as ([\w$]+)|([\w$]+)?,?\s*(?:\{([\s\S]*)\})?)$/.exec(clause) ?? [];
    if (whole !== undefined) {
      for (const [, name = ''] of code.matchAll(new RegExp(`(?<![\\w$.])${escapeName(whole)}\\.([\\w$]+)`, 'g'))) {
        imports.push({ file: target, name });
      }
      // Handed on as a whole: every name may be used.
      if (new RegExp(`(?<![\\w$]|[^.]\\.|\\* as )${escapeName(whole)}(?![\\w$.])`).test(code))
        imports.push({ file: target, name: '*' });
    }
    if (first !== undefined) imports.push({ file: target, name: 'default' });
    for (const { there, here } of pairsOf(list)) imported.set(here, { file: target, name: there });
  }
  for (const { 1: list, 2: specifier = '', 3: member } of commented.matchAll(DYNAMIC)) {
    const target = targetOf(file, specifier);
    if (target === undefined) continue;
    if (list === undefined && member === undefined) imports.push({ file: target, name: '*' });
    for (const { there } of pairsOf(list ?? member ?? '')) imports.push({ file: target, name: there });
  }
  for (const { 1: name = '', index } of commented.matchAll(DECLARED)) {
    const declarations = [...commented.matchAll(DECLARED)].filter(match => match[1] === name).length;
    exports.set(name, { name, line: lineAt(index), atHome: count(code, name) > declarations });
  }
  for (const { 1: whole, 2: list = '', 3: specifier, index } of commented.matchAll(LIST)) {
    const line = lineAt(index);
    const target = specifier === undefined ? undefined : targetOf(file, specifier);
    if (target !== undefined && whole !== undefined) imports.push({ file: target, name: '*' });
    if (target !== undefined && list === '' && whole === undefined) {
      exports.set(`* ${target}`, { name: '*', line, atHome: false, from: { file: target, name: '*' } });
    }
    for (const { there, here } of pairsOf(list)) {
      const from = target === undefined ? imported.get(there) : { file: target, name: there };
      // Import, export and what else: a name that is only handed on occurs twice.
      const atHome = target === undefined && count(code, there) > (from === undefined ? 2 : 2);
      exports.set(here, { name: here, line, atHome, ...(from === undefined ? {} : { from }) });
      if (target === undefined && from !== undefined && !atHome) imported.delete(there);
    }
  }
  imports.push(...imported.values());
  return { exports: [...exports.values()], imports };
}

const isTest = (file: string): boolean =>
  file.startsWith('test/') || file.endsWith('.test.ts') || file.includes('/testing/');
const isTool = (file: string): boolean => isTest(file) || file.startsWith('scripts/');

/**
 * Finds what is exported in vain. A test and a script of the project are users of what the file itself uses too: a unit is
 * tried on its own. They are none of what nothing else uses: that is dead, and its test with it. A re-export lives by its users.
 *
 * @param sources by file, relative to the repository
 */
export function deadExports(sources: ReadonlyMap<string, string>): Violation[] {
  const files = new Map([...sources].map(([file, source]) => [file, read(file, source)]));
  /** By file and name: who uses it. */
  const users = new Map<string, Set<'product' | 'tool'>>();
  const use = (file: string, name: string, by: 'product' | 'tool'): void => {
    const key = `${file} ${name}`;
    const known = users.get(key) ?? new Set();
    if (known.has(by)) return;
    users.set(key, known.add(by));
    for (const e of files.get(file)?.exports ?? []) {
      if (name === '*' && e.name !== '*') use(file, e.name, by);
      else if (e.from !== undefined && e.name === name) use(e.from.file, e.from.name, by);
      else if (e.from !== undefined && e.name === '*') use(e.from.file, name, by);
    }
  };
  for (const [file, { imports }] of files) {
    for (const { file: target, name } of imports) {
      if (target !== file) use(target, name, isTool(file) && !isTool(target) ? 'tool' : 'product');
    }
  }
  for (const entry of ENTRIES) use(entry, '*', 'product');
  return [...files].flatMap(([file, { exports }]) =>
    exports
      .filter(e => e.name !== '*' || e.from === undefined)
      .filter(e => {
        const by = users.get(`${file} ${e.name}`);
        return !by?.has('product') && !(by?.has('tool') && e.atHome);
      })
      .map(({ name, line, atHome }) => ({
        file,
        line,
        specifier: name,
        reason: atHome
          ? 'exported, and used in this file only'
          : users.get(`${file} ${name}`)?.has('tool')
            ? 'used by tests or scripts only'
            : 'used by nobody',
      })),
  );
}

/** Checks every source. */
export function checkAllExports(root: string): Violation[] {
  const files = globSync([SOURCES, 'scripts/**/*.ts', 'test/**/*.ts'], { cwd: root }).map(file =>
    file.split(sep).join('/'),
  );
  return deadExports(new Map(files.toSorted().map(file => [file, readFileSync(join(root, file), 'utf8')])));
}
