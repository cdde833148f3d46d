import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import type { DebianArch, IndexEntry } from './apt.ts';
import { compareDebianVersions } from './debian-version.ts';
import { supplyError } from './errors.ts';
import type { Fetcher, PartRequest } from './fetcher.ts';
import { isPath } from './kernel.ts';
import { allOffers, type Offer } from './offers.ts';
import type { StoredPart } from './part-store.ts';
import { kernelFormat, readStart } from './user-file.ts';

export interface XenPart {
  /** `4.20` or, from packages, the package's upstream version `4.20.3+…`; `unknown` for a user's file. */
  version: string;
  /** An uncompressed multiboot image for QEMU's -kernel. */
  image: string;
  source: 'package' | 'user';
}

export interface FirmwarePart {
  version: string;
  /** UEFI code for QEMU's -bios on the arm64 `virt` machine. */
  code: string;
  source: 'package' | 'user';
}

export interface BusyboxPart {
  version: string;
  arch: DebianArch;
  /** A static ELF program for the guest. */
  program: string;
  source: 'package';
}

/** The newest entry of an exact package name in the first of these suites that has it, reading one suite at a time. */
async function newestOf(
  fetcher: Fetcher,
  label: string,
  arch: DebianArch,
  suites: readonly string[],
  name: string,
  refresh: boolean,
): Promise<{ entry: IndexEntry; suite: string } | undefined> {
  for (const suite of suites) {
    const there = await fetcher.index(label, arch, [suite], { refresh });
    const entries = await fetcher.apt(arch).search(there, other => other === name);
    const entry = entries.sort((a, b) => compareDebianVersions(b.version, a.version))[0];
    if (entry) return { entry, suite };
  }
  return undefined;
}

/** A part made of one package: found in the first suite that has it. */
async function single(
  fetcher: Fetcher,
  request: Pick<PartRequest, 'key' | 'kind' | 'label'>,
  arch: DebianArch,
  suites: readonly string[],
  packageName: string,
  withdrawnHint: string,
  details: { keep: (path: string) => boolean; finish: (root: string, entry: IndexEntry) => Record<string, string> },
): Promise<StoredPart> {
  return await fetcher.obtain({
    ...request,
    exact: false,
    resolve: async refresh => {
      const found = await newestOf(fetcher, request.label, arch, suites, packageName, refresh);
      if (!found) {
        throw supplyError('E_SUPPLY_WITHDRAWN', `${packageName} is not on offer at ${fetcher.mirror().label}`, {
          hint: withdrawnHint,
        });
      }
      const { entry, suite } = found;
      const version = entry.version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
      return {
        name: `${packageName}-${version}-${arch}`,
        version,
        groups: [{ arch, suites: [suite], packages: [entry] }],
        keep: details.keep,
        finish: async root => details.finish(root, entry),
      };
    },
  });
}

/** Where Xen comes from, in the order in which a version is looked for: each suite has one. */
const XEN_SUITES = ['trixie', 'bookworm', 'bullseye', 'sid'];

/** Every Xen on offer, newest first, by its series. @throws SupplyError */
export async function offeredXens(fetcher: Fetcher): Promise<Offer[]> {
  const versionOf = ({ name }: { name: string }): string | undefined =>
    /^xen-hypervisor-(\d+\.\d+)-amd64$/.exec(name)?.[1];
  const releases = XEN_SUITES.map(suite => ({ suites: [suite] }));
  return allOffers(fetcher, { label: 'xen', arch: 'amd64', versionOf }, releases, fetcher.options.refresh === true);
}

/** Xen 4.20 (trixie), 4.17 (bookworm) and what else there is, uncompressed once; or the user's own image. */
export async function obtainXen(fetcher: Fetcher, version: string): Promise<XenPart> {
  if (isPath(version)) {
    const path = resolve(version);
    const format = kernelFormat(path);
    if (format !== 'elf') {
      throw supplyError('E_SUPPLY_FILE', `${path} is not a Xen image that QEMU can load`, {
        hint: format === 'gzip' ? 'Uncompress it first: gunzip -k xen.gz.' : 'Give xen.gz after gunzip, not xen.efi.',
      });
    }
    return { version: /xen-(\d+\.\d+[\d.]*)/.exec(path)?.[1] ?? 'unknown', image: path, source: 'user' };
  }
  if (!/^\d+\.\d+$/.test(version)) {
    throw new UsageError('E_SUPPLY_XEN_QUERY', `${version} is not a Xen version`, {
      hint: 'Give 4.20, 4.17, or the path of an uncompressed image.',
    });
  }
  const part = await single(
    fetcher,
    { key: `xen-${version}`, kind: 'xen', label: `xen ${version}` },
    'amd64',
    XEN_SUITES,
    `xen-hypervisor-${version}-amd64`,
    'See `syndrome supply list --versions xen`; or give the path of an uncompressed image.',
    {
      keep: path => /^boot\/xen-[\d.]+-amd64\.(?:gz|config)$/.test(path),
      finish: (root, entry) => {
        const packed = join(root, 'boot', `xen-${version}-amd64.gz`);
        if (!existsSync(packed))
          throw supplyError('E_SUPPLY_APT', `${entry.name} holds no boot/xen-${version}-amd64.gz`);
        const image = join(root, 'boot', `xen-${version}-amd64`);
        writeFileSync(image, gunzipSync(readFileSync(packed), { maxOutputLength: 256 << 20 }));
        rmSync(packed);
        return { image: `root/boot/xen-${version}-amd64` };
      },
    },
  );
  return {
    version: part.manifest.version,
    image: join(part.folder, part.manifest.facts['image'] ?? ''),
    source: 'package',
  };
}

/** The UEFI firmware for arm64 machines, or the user's own. */
export async function obtainFirmware(fetcher: Fetcher, override: string | undefined): Promise<FirmwarePart> {
  if (override) {
    const code = resolve(override);
    // An UEFI firmware volume: `_FVH` at 0x28 of a volume (PI specification), which is at 0 or follows the reset vector.
    const head = readStart(code, 0x20000);
    if (!head.includes('_FVH', 0, 'latin1')) {
      throw supplyError('E_SUPPLY_FILE', `${code} is not UEFI firmware`, { hint: 'Give QEMU_EFI.fd.' });
    }
    return { version: 'unknown', code, source: 'user' };
  }
  const path = 'usr/share/qemu-efi-aarch64/QEMU_EFI.fd';
  const part = await single(
    fetcher,
    { key: 'firmware-aarch64', kind: 'firmware', label: 'firmware-aarch64' },
    fetcher.hostArch(),
    ['trixie', 'bookworm'],
    'qemu-efi-aarch64',
    'Give the path of QEMU_EFI.fd.',
    {
      keep: p => p === path,
      finish: root => {
        if (!existsSync(join(root, path))) throw supplyError('E_SUPPLY_APT', `qemu-efi-aarch64 holds no ${path}`);
        return { code: `root/${path}` };
      },
    },
  );
  return {
    version: part.manifest.version,
    code: join(part.folder, part.manifest.facts['code'] ?? ''),
    source: 'package',
  };
}

/** A static busybox for guests of this architecture. */
export async function obtainBusybox(fetcher: Fetcher, arch: DebianArch): Promise<BusyboxPart> {
  const part = await single(
    fetcher,
    { key: `busybox-${arch}`, kind: 'busybox', label: `busybox (${arch})` },
    arch,
    ['trixie', 'bookworm'],
    'busybox-static',
    'Name a complete Debian mirror with SYNDROME_MIRROR.',
    {
      keep: path => /^(?:usr\/)?bin\/busybox$/.test(path),
      finish: root => {
        const program = ['usr/bin/busybox', 'bin/busybox'].find(p => existsSync(join(root, p)));
        if (program === undefined) throw supplyError('E_SUPPLY_APT', 'busybox-static holds no busybox');
        chmodSync(join(root, program), 0o755);
        return { program: `root/${program}` };
      },
    },
  );
  return {
    version: part.manifest.version,
    arch,
    program: join(part.folder, part.manifest.facts['program'] ?? ''),
    source: 'package',
  };
}
