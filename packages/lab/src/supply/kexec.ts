import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { supplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';

/** kexec for an x86-64 Linux (also the dom0 of a Xen), with the loader and the libraries to take there. */
export interface KexecPart {
  version: string;
  program: string;
  loader: string;
  libraries: string[];
}

/** Only trixie's: its kexec is linked with the libxenctrl of Xen 4.20, whose ABI is good for that Xen alone. */
const SUITES = ['trixie', 'trixie-updates'];
const TRIPLET = 'x86_64-linux-gnu';
const PROGRAM = 'usr/sbin/kexec';
const LOADER = `usr/lib/${TRIPLET}/ld-linux-x86-64.so.2`;
/** Of the dependency closure, what its program is linked with; the rest is for an installed system. */
const WANTED = /^(?:kexec-tools$|libc6$|libxen)/;

/** kexec of Debian's kexec-tools, built with Xen's kexec hypercalls; runs in a guest, not here. */
export async function obtainKexec(fetcher: Fetcher): Promise<KexecPart> {
  const label = 'kexec (amd64)';
  const part = await fetcher.obtain({
    key: 'kexec-amd64',
    kind: 'kexec',
    label,
    exact: false,
    resolve: async refresh => {
      const suites = await fetcher.index(label, 'amd64', SUITES, { refresh, optional: true });
      const want = (name: string): boolean => WANTED.test(name);
      const packages = await fetcher.apt('amd64').closure(suites, ['kexec-tools'], { want });
      const packageVersion = packages.find(p => p.name === 'kexec-tools')?.version ?? '';
      const version = packageVersion.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
      return {
        name: `kexec-${version}-amd64`,
        version,
        groups: [{ arch: 'amd64', suites, packages }],
        keep: path =>
          path === PROGRAM || /^(?:usr\/)?lib(?:64)?\/(?:x86_64-linux-gnu\/)?[^/]*\.so(?:\.[^/]+)?$/.test(path),
        finish: async root => {
          for (const path of [PROGRAM, LOADER]) {
            if (!existsSync(join(root, path)))
              throw supplyError('E_SUPPLY_APT', `the packages of kexec hold no ${path}`);
          }
          return { program: `root/${PROGRAM}`, loader: `root/${LOADER}`, libraries: `root/usr/lib/${TRIPLET}` };
        },
      };
    },
  });
  const at = (fact: string): string => join(part.folder, part.manifest.facts[fact] ?? '');
  return {
    version: part.manifest.version,
    program: at('program'),
    loader: at('loader'),
    libraries: [at('libraries')],
  };
}
