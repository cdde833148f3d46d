/** What the published packages say of themselves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The client of the API, without its ending. */
const CLIENT = 'packages/supervisor/src/rest/client';

interface Manifest {
  description: string;
  license: string;
}
const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', folder, 'package.json'), 'utf8')) as Manifest;

/** The library: pure, without dependencies; a browser loads it too. */
export function decodePackage(version: string): object {
  const { description, license } = manifest('packages/decode');
  return {
    name: 'syndrome-decode',
    version,
    description,
    license,
    keywords: ['mce', 'machine-check', 'mca', 'cper', 'ghes', 'ras', 'edac', 'esr', 'ecc'],
    type: 'module',
    sideEffects: false,
    exports: {
      '.': { types: './lib/index.d.ts', default: './lib/index.js' },
      './package.json': './package.json',
    },
    types: './lib/index.d.ts',
    files: ['lib'],
    engines: { node: '>=20' },
  };
}

/** The program. Its packages are in its tarball. */
export function syndromePackage(version: string, bundled: readonly string[], man: readonly string[]): object {
  const { description, license } = manifest('.');
  const versionOf = (name: string): string =>
    (
      JSON.parse(readFileSync(join(import.meta.dirname, '../node_modules', name, 'package.json'), 'utf8')) as {
        version: string;
      }
    ).version;
  return {
    name: 'syndrome',
    version,
    description,
    license,
    keywords: ['mce', 'machine-check', 'ras', 'qemu', 'kvm', 'xen', 'hwpoison', 'memory-failure'],
    type: 'module',
    bin: { syndrome: 'bin/syndrome.js' },
    exports: {
      './client': { types: `./${CLIENT}.d.ts`, default: `./${CLIENT}.js` },
      './package.json': './package.json',
    },
    man,
    files: ['bin', 'docs', 'guest', 'man', 'packages', 'scenarios'],
    engines: { node: '>=24' },
    dependencies: Object.fromEntries(bundled.map(name => [name, versionOf(name)])),
    bundleDependencies: bundled,
  };
}

/** Starts the program with the bounds that bin/syndrome has in the clone. An older Node is told in words that it can read. */
export const BIN = `#!/usr/bin/env -S node --max-semi-space-size=4 --heap-growing-percent=30
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write('syndrome: Node 24 or newer is needed; this is ' + process.versions.node + '.\\n');
  process.exit(3);
}
// A page is made by another room, whose part the bundle is not.
const [command, ...words] = process.argv.slice(2);
const isBundled = command === 'decode' && !words.some(word => word.startsWith('--h'));
await import(isBundled ? '../packages/cli/src/decode-main.js' : '../packages/cli/src/main.js');
`;
