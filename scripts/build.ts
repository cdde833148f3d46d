/**
 * `npm run build`: makes what is published, in `dist/`: `decode/`, the library, and `syndrome/`, the whole program. The sources
 * are compiled file by file, so that a stack names the same file and folder as in the clone; the command that is started most often
 * also stands in one file, with a map to its sources.
 */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { manualPages } from './manual-pages.ts';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { buildTemplate } from '@syndrome/web/build.ts';
import { bundleDecode } from './bundle-decode.ts';
import { runChild } from './child.mjs';
import { commandLine, wrongCommandLine } from './command-line.ts';
import { BIN, decodePackage, syndromePackage } from './published.ts';

const { values } = commandLine({ options: { out: { type: 'string' } } });
const root = join(import.meta.dirname, '..');
const dist = values.out ?? join(root, 'dist');
if (dist === '') wrongCommandLine('--out is a folder');

/** Packages that the program needs at run time, and theirs; they go into its tarball, so that it installs without a registry. */
const BUNDLED = withTheirs(['@hono/node-server', 'commander', 'hono', 'pg', 'yaml', 'zod']);
/** An import of the project's own, also one in `new URL()`, that names TypeScript. */
const SPECIFIER = /(['"])((?:\.{1,2}|@syndrome)\/[^'"\n]+)\.ts\1/g;

/** The specifier that leads from a compiled file to a file of another package, in a tree like that of the clone. */
function published(file: string, specifier: string): string {
  const [, name, inner] = /^@syndrome\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
  // The reference VMM runs in a machine that has these packages where Node looks for them.
  if (name === undefined || file.startsWith('vmm/')) return `${specifier}.js`;
  const path = relative(dirname(file), `${name}/src/${inner}`).split(sep).join('/');
  return `${path.startsWith('.') ? path : `./${path}`}.js`;
}

/** Packages and all that they need, by name. */
function withTheirs(names: readonly string[]): string[] {
  const all = new Set(names);
  for (const name of all) {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'),
    ) as Record<'dependencies' | 'optionalDependencies', Record<string, string> | undefined>;
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) all.add(needed);
  }
  return [...all].toSorted();
}

const write = (file: string, text: string | Uint8Array, mode = 0o644): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
};

rmSync(dist, { recursive: true, force: true });
const staged = join(dist, '.staged');
// The library has types; the program is a command, and nobody compiles against it.
for (const project of ['tsconfig.build.json', 'tsconfig.declarations.json']) {
  const args = [join(root, 'node_modules/.bin/tsc'), '--project', join(root, project), '--outDir', staged];
  const tsc = await runChild(process.execPath, args, { cwd: root });
  if (tsc.code !== 0) process.exit(tsc.code);
}

const compiled = globSync('**/*.{js,js.map,d.ts}', { cwd: staged }).map(file => file.split(sep).join('/'));
for (const file of compiled) {
  const text = readFileSync(join(staged, file), 'utf8');
  const result = file.endsWith('.map')
    ? text
    : text.replace(SPECIFIER, (_, quote: string, specifier: string) => `${quote}${published(file, specifier)}${quote}`);
  // Of the program only the client of its API is for others to compile against.
  if (!file.endsWith('.d.ts') || /^supervisor\/src\/(?:rest\/client|client\/)/.test(file))
    write(join(dist, 'syndrome/packages', file), result);
  const [, inner] = /^decode\/src\/(.+)$/.exec(file) ?? [];
  if (inner !== undefined) write(join(dist, 'decode/lib', inner), result);
}
rmSync(staged, { recursive: true });

write(join(dist, 'decode/package.json'), `${JSON.stringify(decodePackage(VERSION), undefined, 2)}\n`);
cpSync(join(root, 'packages/decode/README.md'), join(dist, 'decode/README.md'));
// What `--html` fills; in a clone it is built when it is first asked for. Packed it is a third smaller than in the tarball.
write(join(dist, 'syndrome/packages/web/template.html.br'), brotliCompressSync(await buildTemplate('page')));
write(join(dist, 'syndrome/packages/web/fleet.html.br'), brotliCompressSync(await buildTemplate('fleet')));
const pages = manualPages();
for (const [name, text] of pages) write(join(dist, 'syndrome/man', name), text);
const man = [...pages.keys()].map(name => `man/${name}`);
write(join(dist, 'syndrome/package.json'), `${JSON.stringify(syndromePackage(VERSION, BUNDLED, man), undefined, 2)}\n`);
write(join(dist, 'syndrome/bin/syndrome.js'), BIN, 0o755);
for (const [name, text] of await bundleDecode()) write(join(dist, 'syndrome/packages/cli/src', name), text);
for (const file of globSync('packages/*/package.json', { cwd: root }))
  cpSync(join(root, file), join(dist, 'syndrome', file));
// What the program reads beside its sources.
for (const file of globSync('packages/supervisor/src/policy/shipped/*.yaml', { cwd: root }))
  cpSync(join(root, file), join(dist, 'syndrome', file));
for (const folder of ['guest', 'scenarios', 'docs/playbooks', 'packages/lab/native']) {
  cpSync(join(root, folder), join(dist, 'syndrome', folder), {
    recursive: true,
    filter: from => !from.startsWith(join(root, 'guest/fuzz')),
  });
}
cpSync(join(root, 'README.md'), join(dist, 'syndrome/README.md'));
for (const name of ['decode', 'syndrome']) cpSync(join(root, 'LICENSE'), join(dist, name, 'LICENSE'));
for (const name of BUNDLED) {
  const from = join(root, 'node_modules', name);
  cpSync(from, join(dist, 'syndrome/node_modules', name), {
    recursive: true,
    // What runs, and what its licence asks for; types, sources and CommonJS are for others.
    filter: path => path === from || !/\.(?:[cm]?ts|map|cjs)$|\/src$|\/hono\/dist\/(?:cjs|types)$/.test(path),
  });
}
console.log(`made ${relative('.', join(dist, 'decode'))} and ${relative('.', join(dist, 'syndrome'))}`);
