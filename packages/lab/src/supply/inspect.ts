import { existsSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { derivedDamage, isDerivedName } from '@syndrome/base/disk/derived.ts';
import type { Fetcher } from './fetcher.ts';
import { classifyFs } from './errors.ts';
import { DERIVED } from './layout.ts';
import { takeLock } from './lock.ts';
import type { PartKind, PartPackage } from './manifest.ts';
import { folderBytes, listFolder } from './part-store.ts';

/** A part in the cache, for lists. */
export interface CachedPart {
  /** `derived`: a file that the lab has made of the parts. */
  kind: PartKind | 'derived' | 'unknown';
  name: string;
  version: string;
  /** Bytes on disk. */
  bytes: number;
  path: string;
  /** ISO 8601; '' for a folder without a manifest. */
  created: string;
  packages: PartPackage[];
  /** Mirror and suites that the packages came from. */
  origin: { mirror: string; suites: string[] };
  /** True when a request of an earlier run still leads to this part. */
  current: boolean;
  /** True when the files are as the manifest says. */
  verifies: boolean;
  /** What is wrong, one line per file. */
  damage: string[];
}

/** What `clean` removes: everything; the package lists; parts that no request leads to any more; damaged parts. */
export type CleanWhat = 'all' | 'downloads' | 'unused' | 'damaged';

export interface Cleaned {
  freedBytes: number;
  /** Folders removed. */
  removed: string[];
}

/** Lists the cache. With `verify` every file is hashed; without, sizes and times are compared. */
export async function listParts(fetcher: Fetcher, options: { verify?: boolean } = {}): Promise<CachedPart[]> {
  const { store } = fetcher;
  const current = currentParts(fetcher);
  const { whole, broken } = store.parts();
  const list: CachedPart[] = [];
  for (const part of whole) {
    const { kind, name, version, created, packages, origin } = part.manifest;
    const damage = await store.check(part, { full: options.verify === true, signal: fetcher.options.signal });
    list.push({
      kind,
      name,
      version,
      bytes: folderBytes(part.folder),
      path: part.folder,
      created,
      packages,
      origin,
      current: current.has(basename(part.folder)),
      verifies: damage.length === 0,
      damage,
    });
  }
  for (const path of broken) {
    list.push({
      kind: 'unknown',
      name: basename(path),
      version: '',
      bytes: folderBytes(path),
      path,
      created: '',
      packages: [],
      origin: { mirror: '', suites: [] },
      current: false,
      verifies: false,
      damage: ['manifest.json is missing or unreadable'],
    });
  }
  for (const path of derivedFiles(store.layout.root)) {
    const damage = derivedDamage(path, { full: options.verify === true });
    list.push({
      kind: 'derived',
      name: basename(path),
      version: '',
      bytes: folderBytes(path),
      path,
      created: statSync(path, { throwIfNoEntry: false })?.mtime.toISOString() ?? '',
      packages: [],
      origin: { mirror: '', suites: [] },
      current: true,
      verifies: damage === undefined,
      damage: damage === undefined ? [] : [damage],
    });
  }
  return list.sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name));
}

/** The agents and the images, which the lab makes again when they are not whole. */
const derivedFiles = (root: string): string[] =>
  ['agent', 'initramfs'].flatMap(folder =>
    listFolder(join(root, folder))
      .filter(isDerivedName)
      .map(name => join(root, folder, name)),
  );

const currentParts = ({ store }: Fetcher): Set<string> => new Set(store.answered().map(part => basename(part.folder)));

/**
 * Removes what `what` says and the unfinished work of killed runs. A part that a running machine uses may go too: its
 * open files stay valid until the machine ends.
 */
export async function cleanCache(fetcher: Fetcher, what: CleanWhat): Promise<Cleaned> {
  const { store, options } = fetcher;
  const { layout } = store;
  const removed: string[] = [];
  let freedBytes = store.sweep();
  const retire = (folder: string): void => {
    freedBytes += store.retire(folder);
    removed.push(folder);
  };
  if (what === 'all' || what === 'downloads') {
    for (const name of listFolder(layout.apt)) {
      // Not while another run updates the lists.
      const release = await takeLock(layout.locks, `apt-${name}`, { deadlineMs: 60_000, signal: options.signal });
      try {
        retire(join(layout.apt, name));
      } finally {
        release();
      }
    }
    fetcher.forgetApt();
  }
  if (what === 'all') {
    for (const name of listFolder(layout.parts)) retire(join(layout.parts, name));
    for (const name of DERIVED) if (existsSync(join(layout.root, name))) retire(join(layout.root, name));
    try {
      for (const name of listFolder(layout.answers)) rmSync(join(layout.answers, name), { force: true });
    } catch (error) {
      throw classifyFs(error, layout.answers);
    }
  } else if (what === 'unused') {
    const current = currentParts(fetcher);
    for (const name of listFolder(layout.parts)) if (!current.has(name)) retire(join(layout.parts, name));
  } else if (what === 'damaged') {
    for (const part of await listParts(fetcher, { verify: true })) if (!part.verifies) retire(part.path);
  }
  return { freedBytes, removed: removed.filter(folder => !existsSync(folder)) };
}
