import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { requireOwnFolder } from '@syndrome/base/disk/own-folder.ts';
import { userFolder } from '@syndrome/base/disk/user-folder.ts';
import { classifyFs, supplyError } from './errors.ts';

/**
 * The cache on disk. Everything below `root` may be removed at any time while no run uses it.
 *
 * ```
 * root/
 *   CACHEDIR.TAG            keeps backup programs out
 *   parts/NAME-HASH/        one unpacked part; HASH names the packages it was made of
 *     manifest.json         files with size, mtime and SHA-256; the packages; where the useful files are
 *     root/…                the files of the packages
 *   answers/KEY.json        which part answers a request, and when that was found out
 *   apt/ARCH-MIRROR/        apt's private state for one architecture and mirror: lists, package caches, configuration
 *   tmp/PID-…/              work in progress of a live process, renamed into parts/ when complete
 *   locks/NAME.lock         who is working on what
 *   agent/ initramfs/ …     what other rooms derive from the parts (DERIVED), each with a layout of its own; an agent or
 *                           image has a note of its size and hash beside it (NAME.json)
 * ```
 */
export interface Layout {
  root: string;
  parts: string;
  answers: string;
  apt: string;
  tmp: string;
  locks: string;
}

/**
 * The cache folder: the option, else SYNDROME_CACHE, else XDG_CACHE_HOME/syndrome, else ~/.cache/syndrome.
 * @throws SupplyError E_SUPPLY_CACHE for a user without a home
 */
export function cacheRoot(option: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  if (option) return resolve(option);
  if (env['SYNDROME_CACHE']) return resolve(env['SYNDROME_CACHE']);
  try {
    return userFolder('XDG_CACHE_HOME', env);
  } catch (cause) {
    throw supplyError('E_SUPPLY_CACHE', 'there is no place for the cache', {
      cause,
      hint: 'Choose a folder with SYNDROME_CACHE.',
    });
  }
}

/** Folders that other rooms keep in the cache; `clean all` removes them, and no folder that it does not know. */
export const DERIVED = ['agent', 'digests', 'initramfs', 'kvm-probe', 'snapshots'] as const;

const TAG = `Signature: 8a477f597d28d172789f06886806bc55
# Packages unpacked by syndrome; safe to remove.
`;

/**
 * Creates the folders of the cache (mode 0700), and holds that nobody else can write to them. Throws E_SUPPLY_CACHE or
 * E_SUPPLY_DISK_FULL.
 */
export function openLayout(root: string): Layout {
  if (/["\n\\]/.test(root)) {
    throw supplyError('E_SUPPLY_CACHE', `the cache folder has a character that apt cannot take: ${root}`, {
      hint: 'Choose another folder with SYNDROME_CACHE.',
    });
  }
  const layout: Layout = {
    root,
    parts: join(root, 'parts'),
    answers: join(root, 'answers'),
    apt: join(root, 'apt'),
    tmp: join(root, 'tmp'),
    locks: join(root, 'locks'),
  };
  try {
    if (!existsSync(root)) mkdirSync(root, { recursive: true, mode: 0o700 });
    requireOwnFolder(root);
    for (const folder of Object.values(layout)) mkdirSync(folder as string, { recursive: true, mode: 0o700 });
    const derived = DERIVED.map(name => join(root, name)).filter(folder => existsSync(folder));
    for (const folder of [layout.parts, layout.answers, layout.apt, layout.tmp, layout.locks, ...derived]) {
      requireOwnFolder(folder);
    }
    try {
      writeFileSync(join(root, 'CACHEDIR.TAG'), TAG, { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  } catch (error) {
    throw classifyFs(error, root);
  }
  return layout;
}
