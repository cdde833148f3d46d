import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { parseObject } from '@syndrome/decode/common/json.ts';
import { whyNotOwn } from '@syndrome/base/disk/own-folder.ts';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { classifyFs, supplyError } from './errors.ts';
import type { Layout } from './layout.ts';
import { isStale, type Owner, ownerOf, thisProcess } from './lock.ts';
import {
  inventory,
  type Manifest,
  manifestPath,
  type PartKind,
  type PartPackage,
  readManifest,
  sha256File,
  verify,
} from './manifest.ts';

/** A part in the cache, ready to use. */
export interface StoredPart {
  folder: string;
  manifest: Manifest;
}

/**
 * Raised for a kind when the contents of its parts change for the same packages (other files kept, other facts), so that
 * parts made the old way are not taken for the new ones.
 */
const RECIPE_VERSIONS: Readonly<Partial<Record<PartKind, number>>> = { qemu: 3 };
export const recipeVersion = (kind: PartKind): number => RECIPE_VERSIONS[kind] ?? 2;

/** What was found out for a request, kept so that the next run needs no package index. */
interface Answer {
  schema: 1;
  part: string;
  /** {@link recipeVersion} of the run that found it out. */
  recipe: number;
  /** Milliseconds since the epoch when the mirror was asked. */
  at: number;
}

/** The text of an answer, of whatever recipe; undefined when it is not one, or damaged. */
export function parseAnswer(text: string): Answer | undefined {
  const { schema, part, recipe, at } = parseObject(text) ?? {};
  if (schema !== 1 || !Number.isInteger(recipe) || typeof at !== 'number' || !Number.isFinite(at)) return undefined;
  if (typeof part !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9.+~_-]*$/.test(part)) return undefined;
  return { schema, part, recipe: recipe as number, at };
}

/** The parts, the answers and the unfinished work in the cache. Knows nothing of packages or mirrors. */
export class PartStore {
  readonly layout: Layout;

  constructor(layout: Layout) {
    this.layout = layout;
  }

  /** The part that answered this request before, with the age of the answer; undefined when unknown or removed. */
  answer(key: string): { part: StoredPart; ageMs: number } | undefined {
    return this.#answerIn(this.#answerPath(key));
  }

  /** The parts that requests of earlier runs still lead to. */
  answered(): StoredPart[] {
    return listFolder(this.layout.answers).flatMap(name => this.#answerIn(join(this.layout.answers, name))?.part ?? []);
  }

  #answerIn(path: string): { part: StoredPart; ageMs: number } | undefined {
    let answer: Answer | undefined;
    try {
      answer = parseAnswer(readFileSync(path, 'utf8'));
    } catch {
      return undefined;
    }
    const part = answer && this.part(answer.part);
    if (!answer || !part || answer.recipe !== recipeVersion(part.manifest.kind)) return undefined;
    return { part, ageMs: Math.max(0, Date.now() - answer.at) };
  }

  part(id: string): StoredPart | undefined {
    const folder = join(this.layout.parts, id);
    const manifest = readManifest(folder);
    return manifest && { folder, manifest };
  }

  /** Remembers which part answers a request, as of now. */
  remember(key: string, part: StoredPart): void {
    const recipe = recipeVersion(part.manifest.kind);
    const answer: Answer = { schema: 1, part: basename(part.folder), recipe, at: Date.now() };
    const path = this.#answerPath(key);
    try {
      writeWhole(path, JSON.stringify(answer));
    } catch (error) {
      throw classifyFs(error, path);
    }
  }

  #answerPath(key: string): string {
    return join(this.layout.answers, `${encodeURIComponent(key)}.json`);
  }

  /** The folder name of a part made of these packages: the same packages give the same folder. */
  static partId(name: string, packages: readonly PartPackage[], recipe: number): string {
    const content = packages.map(p => `${p.name}=${p.version}:${p.sha256}`).sort();
    const hash = createHash('sha256')
      .update(JSON.stringify([recipe, content]))
      .digest('hex');
    return `${name.replace(/[^A-Za-z0-9.+~_-]/g, '_')}-${hash.slice(0, 12)}`;
  }

  /** A folder for work in progress, named for this process; remove it with {@link discard}. */
  workFolder(): string {
    this.sweep();
    const { pid, start, boot, namespace } = thisProcess();
    const owner = Buffer.from(JSON.stringify([pid, start, boot, namespace])).toString('base64url');
    const folder = join(this.layout.tmp, `${owner}.${randomBytes(4).toString('hex')}`);
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch (error) {
      throw classifyFs(error, folder);
    }
    return folder;
  }

  discard(folder: string): void {
    rmSync(folder, { recursive: true, force: true, maxRetries: 2 });
  }

  /** Removes the unfinished work of processes that were killed; returns how many bytes that freed. */
  sweep(): number {
    let freed = 0;
    const here = thisProcess();
    for (const name of listFolder(this.layout.tmp)) {
      const folder = join(this.layout.tmp, name);
      const stat = lstatSync(folder, { throwIfNoEntry: false });
      if (!stat) continue;
      const owner = workOwner(name);
      const ageMs = Date.now() - stat.mtimeMs;
      // Work that belongs to another machine on a shared cache is left alone for an hour.
      const unseen = owner && (owner.boot !== here.boot || owner.namespace !== here.namespace);
      if (owner === undefined || unseen ? ageMs > 3_600_000 : isStale(owner, ageMs, here)) {
        freed += folderBytes(folder);
        this.discard(folder);
      }
    }
    return freed;
  }

  /**
   * Completes a part: hashes `work/root`, writes the manifest and renames the folder into place. When another process
   * was faster, its part is used (or replaced, if `replace`).
   */
  async publish(
    work: string,
    id: string,
    manifest: Omit<Manifest, 'schema' | 'created' | 'files' | 'links'>,
    options: { signal?: AbortSignal | undefined; replace?: boolean } = {},
  ): Promise<StoredPart> {
    const folder = join(this.layout.parts, id);
    try {
      const whole: Manifest = {
        schema: 1,
        ...manifest,
        created: new Date().toISOString(),
        ...(await inventory(work, options.signal)),
      };
      writeFileSync(manifestPath(work), JSON.stringify(whole));
      if (options.replace && existsSync(folder)) this.retire(folder);
      try {
        renameSync(work, folder);
        return { folder, manifest: whole };
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      }
      const present = this.part(id);
      if (present) return present;
      // Something without a manifest is in the way: put it aside and try once more.
      this.retire(folder);
      renameSync(work, folder);
      return { folder, manifest: whole };
    } catch (error) {
      if ((error as Error).name === 'AbortError') {
        throw supplyError('E_SUPPLY_ABORTED', 'interrupted', { cause: error });
      }
      throw classifyFs(error, folder);
    }
  }

  /** Takes a part out of use in one step and removes it; returns the bytes freed. */
  retire(folder: string): number {
    const bytes = folderBytes(folder);
    const aside = join(this.workFolder(), 'retired');
    try {
      renameSync(folder, aside);
    } catch (error) {
      this.discard(join(aside, '..'));
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      throw classifyFs(error, folder);
    }
    this.discard(join(aside, '..'));
    return bytes;
  }

  /**
   * Says what is wrong with a part (nothing: an empty list). Times that changed without the content (a copied cache)
   * are put back, so that the next look is quick again.
   */
  async check(
    part: StoredPart,
    options: { full?: boolean; only?: readonly string[] | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<string[]> {
    // A manifest that somebody else wrote says nothing of the files.
    const foreign = [part.folder, manifestPath(part.folder)].flatMap(path => whyNotOwn(path) ?? []);
    if (foreign.length > 0) return foreign;
    const { damage, touched } = await verify(part.folder, part.manifest, options);
    if (damage.length === 0) {
      const times = new Map(part.manifest.files.map(([path, , mtimeMs]) => [path, mtimeMs]));
      for (const path of touched) {
        const at = (times.get(path) ?? 0) / 1000;
        try {
          utimesSync(join(part.folder, path), at, at);
        } catch {
          break; // a read-only cache: only slower
        }
      }
    }
    return damage;
  }

  /** Every part with a manifest, and the folders without one. */
  parts(): { whole: StoredPart[]; broken: string[] } {
    const whole: StoredPart[] = [];
    const broken: string[] = [];
    for (const name of listFolder(this.layout.parts)) {
      const part = this.part(name);
      if (part) whole.push(part);
      else broken.push(join(this.layout.parts, name));
    }
    return { whole, broken };
  }
}

/** The process for which a work folder is named; undefined for another name. */
export function workOwner(name: string): Owner | undefined {
  try {
    const words: unknown = JSON.parse(Buffer.from(name.split('.')[0] ?? '', 'base64url').toString('utf8'));
    if (!Array.isArray(words)) return undefined;
    const [pid, start, boot, namespace] = words as unknown[];
    return ownerOf({ pid, start, boot, namespace });
  } catch {
    return undefined;
  }
}

export function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** The bytes that a folder takes on disk, hard links counted once each time; 0 when it is not there. */
export function folderBytes(folder: string): number {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.blocks * 512;
  let sum = stat.blocks * 512;
  for (const name of listFolder(folder)) sum += folderBytes(join(folder, name));
  return sum;
}

/** Checks a downloaded package against the checksum of the signed index. Throws E_SUPPLY_DAMAGED. */
export async function checkPackage(path: string, bytes: number, sha256: string, signal?: AbortSignal): Promise<void> {
  const size = statSync(path).size;
  const got = size === bytes ? await sha256File(path, signal) : '';
  if (got !== sha256) {
    throw supplyError('E_SUPPLY_DAMAGED', `${path} is not the package that the signed index names`, {
      hint: 'Try again, or name another mirror with SYNDROME_MIRROR.',
    });
  }
}
