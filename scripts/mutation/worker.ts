/** Runs a room's tests on one mutant after the other; a child of scripts/mutation.ts. */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { collected } from './collected.ts';

/** One run: the tests, in order, on the tree where `file` holds `source`. */
export interface Job {
  id: number;
  tests: readonly string[];
  file?: string;
  source?: string;
}
/** `invalid`: the change does not compile. `ms` by test file, of those that ran. */
export interface Outcome {
  id: number;
  outcome: 'survived' | 'killed' | 'invalid';
  by?: string;
  ms: Record<string, number>;
}

const ROOT = join(import.meta.dirname, '..', '..');
const SRC = `${pathToFileURL(join(ROOT, 'packages')).href}/`;
const SHIM = pathToFileURL(join(import.meta.dirname, 'collected.ts')).href;
const stripped = new Map<string, string>();
let changed: { url: string; code: string } | undefined;

// Each job loads the sources anew: their address carries its number.
registerHooks({
  resolve(specifier, context, next) {
    const parent = context.parentURL ?? '';
    if (!parent.startsWith(SRC)) return next(specifier, context);
    if (specifier === 'vitest') return { url: SHIM, shortCircuit: true };
    if (!specifier.startsWith('.')) return next(specifier, context);
    const url = new URL(specifier, parent);
    url.search = new URL(parent).search;
    return { url: url.href, shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.startsWith(SRC)) return next(url, context);
    const plain = url.replace(/\?.*$/, '');
    let code = changed?.url === plain ? changed.code : stripped.get(plain);
    if (code === undefined) {
      code = stripTypeScriptTypes(readFileSync(fileURLToPath(plain), 'utf8'));
      stripped.set(plain, code);
    }
    return { format: 'module', source: code, shortCircuit: true };
  },
});

// Property tests draw the same cases for every mutant, and need not be shrunk.
fc.configureGlobal({ seed: 1, endOnFailure: true });
// The type stripper is announced as experimental at each start.
process.removeAllListeners('warning');

async function run({ id, tests, file, source }: Job): Promise<Outcome> {
  const ms: Record<string, number> = {};
  changed = undefined;
  if (file !== undefined && source !== undefined) {
    try {
      changed = { url: pathToFileURL(join(ROOT, file)).href, code: stripTypeScriptTypes(source) };
    } catch {
      return { id, outcome: 'invalid', ms };
    }
  }
  for (const test of tests) {
    const started = performance.now();
    collected.file = join(ROOT, test);
    collected.tests = [];
    let name = 'loading';
    try {
      await import(`${pathToFileURL(collected.file).href}?m=${id}`);
      for (const one of collected.tests) {
        name = one.name;
        await one.run();
      }
      if (collected.tests.length === 0) throw new Error('no tests');
    } catch (error) {
      if (name === 'loading' && error instanceof SyntaxError) return { id, outcome: 'invalid', ms };
      const why = id === 0 ? `: ${error instanceof Error ? error.message : String(error)}` : '';
      return { id, outcome: 'killed', by: `${test}: ${name}${why}`, ms };
    }
    ms[test] = performance.now() - started;
  }
  return { id, outcome: 'survived', ms };
}

process.on('message', (job: Job) => {
  void run(job).then(outcome => process.send?.(outcome));
});
process.on('disconnect', () => process.exit(0));
