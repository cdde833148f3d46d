import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseObject } from '@syndrome/decode/common/json.ts';

export type PartKind =
  | 'qemu'
  | 'kernel'
  | 'modules'
  | 'config'
  | 'xen'
  | 'xen-tools'
  | 'firmware'
  | 'busybox'
  | 'toolchain'
  | 'node'
  | 'kexec'
  | 'rasdaemon'
  | 'chromium';

/** A Debian package that a part was made of, with the checksum that apt verified. */
export interface PartPackage {
  name: string;
  version: string;
  sha256: string;
  bytes: number;
}

/** `manifest.json` of a part. Paths are relative to the part's folder. */
export interface Manifest {
  schema: 1;
  kind: PartKind;
  /** What it is, for lists: `qemu-x86_64`, `linux-7.2.12+deb13-cloud-amd64`. */
  name: string;
  version: string;
  /** ISO 8601. */
  created: string;
  /** Where the packages came from: mirror and suites. */
  origin: { mirror: string; suites: string[] };
  packages: PartPackage[];
  /** What the part offers: names of files and folders, and words such as a release. */
  facts: Record<string, string>;
  /** Path, size, mtime in whole milliseconds, SHA-256. */
  files: Array<[path: string, bytes: number, mtimeMs: number, sha256: string]>;
  /** Path and target of each symbolic link. */
  links: Array<[path: string, target: string]>;
}

/** SHA-256 of a file as lower-case hex. */
export async function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, signal ? { signal } : {});
  return hash.digest('hex');
}

/** Lists and hashes everything below `folder` except the manifest itself; sorted, so that it is reproducible. */
export async function inventory(folder: string, signal?: AbortSignal): Promise<Pick<Manifest, 'files' | 'links'>> {
  const files: Manifest['files'] = [];
  const links: Manifest['links'] = [];
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const path of entries) {
    if (path === 'manifest.json') continue;
    const full = join(folder, path);
    const stat = lstatSync(full);
    if (stat.isSymbolicLink()) links.push([path, readlinkSync(full)]);
    else if (stat.isFile()) files.push([path, stat.size, Math.floor(stat.mtimeMs), await sha256File(full, signal)]);
  }
  return { files, links };
}

/** A word, or a name for the file system: no file has a NUL in its name. */
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** A path that cannot lead out of the folder it is taken in. */
const isInside = (value: unknown): boolean =>
  isText(value) && value !== '' && !value.startsWith('/') && !value.split('/').includes('..');

const isPackage = (p: unknown): boolean =>
  isObject(p) && isText(p['name']) && isText(p['version']) && isText(p['sha256']) && isSize(p['bytes']);
const isFile = (f: unknown): boolean =>
  Array.isArray(f) && f.length === 4 && isInside(f[0]) && isSize(f[1]) && Number.isFinite(f[2]) && isText(f[3]);
const isLink = (l: unknown): boolean => Array.isArray(l) && l.length === 2 && isInside(l[0]) && isText(l[1]);

/** Whether a value is a manifest in all that is read of one: a cache may be damaged, or of another version. */
function isManifest(value: unknown): value is Manifest {
  if (!isObject(value) || value['schema'] !== 1) return false;
  const { kind, name, version, created, origin, packages, facts, files, links } = value;
  return (
    [kind, name, version, created].every(isText) &&
    isObject(origin) &&
    isText(origin['mirror']) &&
    Array.isArray(origin['suites']) &&
    origin['suites'].every(isText) &&
    Array.isArray(packages) &&
    packages.every(isPackage) &&
    isObject(facts) &&
    Object.values(facts).every(isText) &&
    Array.isArray(files) &&
    files.every(isFile) &&
    Array.isArray(links) &&
    links.every(isLink)
  );
}

/** The text of a manifest; undefined when it is not one of ours. */
export function parseManifest(text: string): Manifest | undefined {
  const value = parseObject(text);
  return isManifest(value) ? value : undefined;
}

export const manifestPath = (folder: string): string => join(folder, 'manifest.json');

/** Reads a part's manifest; undefined when there is none or it is not one of ours. */
export function readManifest(folder: string): Manifest | undefined {
  try {
    return parseManifest(readFileSync(manifestPath(folder), 'utf8'));
  } catch {
    return undefined;
  }
}

interface Verification {
  /** One line per damaged file; empty when the part is whole. */
  damage: string[];
  /** Files whose time changed but not their content: the cache was copied. */
  touched: string[];
}

/**
 * Compares a part with its manifest: size and mtime of every file, and the hash where the time differs (or of all when
 * `full`). `only` restricts it to paths below one of these.
 */
export async function verify(
  folder: string,
  manifest: Manifest,
  options: { full?: boolean; only?: readonly string[] | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Verification> {
  const damage: string[] = [];
  const touched: string[] = [];
  const { only } = options;
  const wanted = (path: string): boolean => !only || only.some(p => path === p || path.startsWith(`${p}/`));
  for (const [path, bytes, mtimeMs, sha256] of manifest.files) {
    if (!wanted(path)) continue;
    const full = join(folder, path);
    const stat = statSync(full, { throwIfNoEntry: false });
    if (!stat?.isFile()) {
      damage.push(`${path} is missing`);
      continue;
    }
    if (stat.size !== bytes) {
      damage.push(`${path} has ${stat.size} bytes instead of ${bytes}`);
      continue;
    }
    // A time that was put back may be off by the rounding of seconds.
    const sameTime = Math.abs(stat.mtimeMs - mtimeMs) < 2;
    if (sameTime && !options.full) continue;
    if ((await sha256File(full, options.signal)) !== sha256) damage.push(`${path} has changed`);
    else if (!sameTime) touched.push(path);
  }
  for (const [path, target] of manifest.links) {
    if (!wanted(path)) continue;
    let now: string | undefined;
    try {
      now = readlinkSync(join(folder, path));
    } catch {
      // missing
    }
    if (now !== target) damage.push(`${path} does not link to ${target}`);
  }
  return { damage, touched };
}
