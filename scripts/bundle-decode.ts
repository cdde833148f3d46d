/**
 * The command `decode` in one file: of the published program it is what people start most often, and of what a start takes
 * most goes into finding and loading some three hundred modules. What other commands load stays as it is, beside it.
 */
import { basename, join } from 'node:path';
import { rolldown } from 'rolldown';

const CLI = join(import.meta.dirname, '../packages/cli/src');
/** What is loaded when it is needed, and belongs to the command; everything else of the kind belongs to others. */
const OWN: ReadonlySet<string> = new Set([
  'fail.ts',
  'lost-output.ts',
  'program.ts',
  'run-program.ts',
  'umask.ts',
  'decode.ts',
  'explain.ts',
  'nearest.ts',
]);

/** A character of JavaScript in ASCII: V8 reads a file faster that has no other, and keeps it in half of the memory. */
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Bundles the command.
 * @returns by name the files that belong into `packages/cli/src`: `decode-main.js` is started instead of `main.js`
 */
export async function bundleDecode(): Promise<Map<string, string>> {
  const bundle = await rolldown({
    input: { main: join(CLI, 'main.ts') },
    platform: 'node',
    logLevel: 'warn',
    plugins: [
      {
        name: 'others-stay',
        resolveDynamicImport: specifier =>
          specifier.endsWith('.ts') && !OWN.has(basename(specifier))
            ? { id: specifier.replace(/\.ts$/, '.js'), external: true }
            : null,
      },
    ],
  });
  const { output } = await bundle.generate({
    // Where the sources stand from there is what the map says.
    dir: CLI,
    format: 'esm',
    entryFileNames: 'decode-[name].js',
    chunkFileNames: 'decode-[name].js',
    comments: false,
    sourcemap: 'hidden',
    sourcemapExcludeSources: true,
    // main.ts says where compiled code is kept before it loads anything: apart from it all is one file.
    codeSplitting: { groups: [{ name: 'all', test: id => !id.endsWith('/cli/src/main.ts') }] },
  });
  await bundle.close();
  const files = new Map<string, string>();
  for (const file of output) {
    if (file.type === 'chunk') files.set(file.fileName, file.code.replace(/[^\0-\x7f]/g, escaped));
    else files.set(file.fileName, String(file.source));
  }
  return files;
}
