import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { supplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import type { PartKind } from './manifest.ts';

/** A program for an x86-64 Linux guest, with the loader and the libraries to take there; it runs in a guest, not here. */
export interface GuestProgramPart {
  version: string;
  program: string;
  /** Those that were asked for besides. */
  more: string[];
  loader: string;
  libraries: string[];
}

interface GuestProgram {
  /** Of the request in the cache, and of the part. */
  kind: PartKind;
  /** Which one, where there are several of a kind: `4.20`. */
  series?: string;
  /** The Debian package that holds it. */
  package: string;
  /** Its path in that package, without the leading slash. */
  program: string;
  /** Paths of others in it that are taken, too. */
  more?: readonly string[];
  /** Suites whose package is good. */
  suites: readonly string[];
  /** Of the dependency closure, what the program is linked with; the rest is for an installed system. */
  wanted: RegExp;
}

const TRIPLET = 'x86_64-linux-gnu';
const LOADER = `usr/lib/${TRIPLET}/ld-linux-x86-64.so.2`;
const LIBRARY = /^(?:usr\/)?lib(?:64)?\/(?:x86_64-linux-gnu\/)?[^/]*\.so(?:\.[^/]+)?$/;

/** A program of a Debian package with what it is linked with. @throws SupplyError */
export async function obtainGuestProgram(fetcher: Fetcher, wish: GuestProgram): Promise<GuestProgramPart> {
  const name = wish.series === undefined ? wish.kind : `${wish.kind}-${wish.series}`;
  const label = `${name} (amd64)`;
  const programs = [wish.program, ...(wish.more ?? [])];
  const part = await fetcher.obtain({
    key: `${name}-amd64`,
    kind: wish.kind,
    label,
    exact: false,
    resolve: async refresh => {
      const suites = await fetcher.index(label, 'amd64', wish.suites, { refresh, optional: true });
      const want = (found: string): boolean => wish.wanted.test(found);
      const packages = await fetcher.apt('amd64').closure(suites, [wish.package], { want });
      const packageVersion = packages.find(p => p.name === wish.package)?.version ?? '';
      const version = packageVersion.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
      return {
        name: `${wish.kind}-${version}-amd64`,
        version,
        groups: [{ arch: 'amd64', suites, packages }],
        keep: path => programs.includes(path) || LIBRARY.test(path),
        finish: async root => {
          for (const path of [...programs, LOADER]) {
            if (!existsSync(join(root, path))) {
              throw supplyError('E_SUPPLY_APT', `the packages of ${wish.kind} hold no ${path}`);
            }
          }
          return { program: `root/${wish.program}`, loader: `root/${LOADER}`, libraries: `root/usr/lib/${TRIPLET}` };
        },
      };
    },
  });
  const at = (fact: string): string => join(part.folder, part.manifest.facts[fact] ?? '');
  return {
    version: part.manifest.version,
    program: at('program'),
    more: (wish.more ?? []).map(path => join(part.folder, 'root', path)),
    loader: at('loader'),
    libraries: [at('libraries')],
  };
}
