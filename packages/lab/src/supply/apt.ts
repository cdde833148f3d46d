import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { type ChildResult, runChild } from './child.ts';
import type { Mirror } from './debian-sources.ts';
import { classifyApt, classifyFs, SupplyError, supplyError } from './errors.ts';
import { takeLock } from './lock.ts';
import type { PartPackage } from './manifest.ts';

export type DebianArch = 'amd64' | 'arm64';

/** A package as apt would fetch it; size and checksum are from the signed package index. */
export type Fetchable = PartPackage;

/** A stanza of a package index with the fields that matter here. */
export interface IndexEntry {
  name: string;
  version: string;
  suite: string;
  bytes: number;
  sha256: string;
}

interface AptOptions {
  /** Folder of the private state. */
  folder: string;
  locks: string;
  arch: DebianArch;
  mirror: Mirror;
  signal?: AbortSignal | undefined;
  /** Percent of the running operation, 0 to 100, as apt reports it. */
  onPercent?: (percent: number) => void;
  lockDeadlineMs: number;
}

const UPDATE_DEADLINE_MS = 15 * 60_000;
const DOWNLOAD_DEADLINE_MS = 60 * 60_000;
const LOCAL_DEADLINE_MS = 3 * 60_000;
/** A package index older than this is updated before something new is looked up in it. */
const INDEX_FRESH_MS = 12 * 3_600_000;
/** A forced update is not repeated for each part of one run. */
const JUST_NOW_MS = 60_000;

/**
 * The machine's apt, unprivileged and with state of its own: other suites of the configured mirror, an empty package
 * database, no hooks. Proxies, certificates and credentials of the machine stay in force; apt checks signatures.
 * One object serves one architecture and mirror.
 */
export class PrivateApt {
  readonly #options: AptOptions;

  constructor(options: AptOptions) {
    this.#options = options;
    try {
      for (const sub of ['lists/partial', 'cache/archives/partial', 'empty', 'sets', 'stamps']) {
        mkdirSync(join(options.folder, sub), { recursive: true, mode: 0o700 });
      }
      // An empty package database: dependencies are resolved as on a machine with nothing installed.
      writeFileSync(join(options.folder, 'status'), '');
    } catch (error) {
      throw classifyFs(error, options.folder);
    }
  }

  /** A name for the state folder that changes with everything the package lists depend on. */
  static folderName(arch: DebianArch, mirror: Mirror): string {
    const key = JSON.stringify([mirror.uri, mirror.signedBy ?? '', mirror.options]);
    return `${arch}-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
  }

  /** Brings the indexes of these suites up to date where they are missing or old, or all when `refresh`. */
  async update(suites: readonly string[], refresh = false): Promise<void> {
    const limit = refresh ? JUST_NOW_MS : INDEX_FRESH_MS;
    const old = (): string[] => suites.filter(suite => this.indexAgeMs(suite) > limit);
    if (old().length === 0) return;
    const release = await takeLock(this.#options.locks, `apt-${basename(this.#options.folder)}`, {
      deadlineMs: this.#options.lockDeadlineMs,
      signal: this.#options.signal,
    });
    try {
      // Another run may have done it while we waited.
      const wanted = old();
      if (wanted.length === 0) return;
      const until = Date.now() + this.#options.lockDeadlineMs;
      for (;;) {
        const result = await this.#run('apt-get', wanted, ['update', '-q'], UPDATE_DEADLINE_MS, true);
        // apt tells some failures only as warnings and would go on with old lists.
        if (result.code === 0 && !/^W: (?:Failed to fetch|Some index files)/m.test(result.stderr)) break;
        const error = classifyApt(`${result.stderr}\n${result.stdout}`, this.#options.mirror.label);
        if (error.code !== 'E_SUPPLY_LOCKED' || Date.now() > until) throw error;
        await delay(250);
      }
      const now = new Date();
      for (const suite of wanted) {
        const stamp = join(this.#options.folder, 'stamps', suite);
        writeFileSync(stamp, '');
        utimesSync(stamp, now, now);
      }
    } finally {
      release();
    }
  }

  /** Milliseconds since the index of a suite was last brought up to date; Infinity when it never was. */
  indexAgeMs(suite: string): number {
    try {
      return Math.max(0, Date.now() - statSync(join(this.#options.folder, 'stamps', suite)).mtimeMs);
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }

  /** Reads the indexes of the suites (which must be up to date) and returns the entries whose name is wanted. */
  async search(suites: readonly string[], wanted: (name: string) => boolean): Promise<IndexEntry[]> {
    const listed = await this.#run(
      'apt-get',
      suites,
      ['indextargets', '--format', '$(SUITE)\t$(CODENAME)\t$(RELEASE)\t$(FILENAME)', 'Created-By: Packages'],
      LOCAL_DEADLINE_MS,
    );
    if (listed.code !== 0) throw classifyApt(listed.stderr, this.#options.mirror.label);
    const found: IndexEntry[] = [];
    for (const line of listed.stdout.split('\n')) {
      const [, , release, file] = line.split('\t');
      if (release === undefined || file === undefined) continue;
      let fields: Record<string, string> = {};
      const flush = (): void => {
        const bytes = Number(fields['Size']);
        if (fields['Package'] && fields['Version'] && fields['SHA256'] && Number.isFinite(bytes)) {
          found.push({
            name: fields['Package'],
            version: fields['Version'],
            suite: release,
            bytes,
            sha256: fields['SHA256'],
          });
        }
        fields = {};
      };
      const onLine = (text: string): void => {
        if (text === '') flush();
        else if (text.startsWith('Package: ')) {
          const value = text.slice(9);
          if (wanted(value)) fields['Package'] = value;
        } else if (fields['Package'] !== undefined) {
          const field = /^(Version|Size|SHA256): (.*)$/.exec(text);
          if (field?.[1]) fields[field[1]] = field[2] ?? '';
        }
      };
      const read = await runChild('/usr/lib/apt/apt-helper', ['cat-file', file], {
        deadlineMs: LOCAL_DEADLINE_MS,
        signal: this.#options.signal,
        onLine,
      });
      flush();
      if (read.code !== 0) throw classifyApt(read.stderr, this.#options.mirror.label);
    }
    return found;
  }

  /**
   * The packages that installing `names` on an empty machine would bring, recommendations left out; those that `want`
   * accepts.
   */
  async closure(
    suites: readonly string[],
    names: readonly string[],
    options: { targetRelease?: string | undefined; want?: (name: string) => boolean } = {},
  ): Promise<Fetchable[]> {
    const args = ['install', '--print-uris', '-qq', '-y', '--no-install-recommends'];
    if (options.targetRelease) args.push('-t', options.targetRelease);
    const { want } = options;
    const all = await this.#uris(suites, [...args, ...names]);
    const wanted = all.filter(p => !want || want(p.name)).map(p => `${p.name}=${p.version}`);
    // `install` does not print SHA-256, `download` does.
    return await this.lookup(suites, wanted);
  }

  /** What `download` would fetch for these packages (`name` or `name=version`). */
  async lookup(suites: readonly string[], names: readonly string[]): Promise<Fetchable[]> {
    const found = await this.#uris(suites, ['download', '--print-uris', '-qq', ...names]);
    const bare = found.find(p => p.sha256 === '');
    if (bare || found.length < names.length) {
      throw supplyError('E_SUPPLY_APT', `apt gives no SHA-256 for ${bare?.name ?? 'some packages'}`);
    }
    return found;
  }

  async #uris(suites: readonly string[], args: readonly string[]): Promise<Fetchable[]> {
    const result = await this.#run('apt-get', suites, args, LOCAL_DEADLINE_MS);
    if (result.code !== 0) throw classifyApt(result.stderr, this.#options.mirror.label);
    const found = parseUris(result.stdout);
    if (found.length === 0) throw classifyApt(`E: Unable to locate package ${args.at(-1)}`, this.#options.mirror.label);
    return found;
  }

  /**
   * Fetches packages into the empty folder `into` and returns their files in the same order; apt checks size and
   * checksum of each against the signed index.
   */
  async download(suites: readonly string[], packages: readonly Fetchable[], into: string): Promise<string[]> {
    const names = packages.map(p => `${p.name}=${p.version}`);
    const result = await this.#run('apt-get', suites, ['download', '-q', ...names], DOWNLOAD_DEADLINE_MS, true, into);
    if (result.code !== 0) throw classifyApt(`${result.stderr}\n${result.stdout}`, this.#options.mirror.label);
    const files = readdirSync(into);
    return packages.map(({ name, version }) => {
      const file = files.find(f => f.startsWith(`${name}_${version.replaceAll(':', '%3a')}_`) && f.endsWith('.deb'));
      if (file !== undefined) return join(into, file);
      throw supplyError('E_SUPPLY_APT', `apt-get ended well but left no ${name} ${version}`, {
        cause: new Error(`${result.stderr}\n${result.stdout}`.slice(0, 2000)),
      });
    });
  }

  /** Removes the package lists and caches; returns the folder that was removed. */
  remove(): void {
    rmSync(this.#options.folder, { recursive: true, force: true });
  }

  async #run(
    program: string,
    suites: readonly string[],
    args: readonly string[],
    deadlineMs: number,
    status = false,
    cwd: string = this.#options.folder,
  ): Promise<ChildResult> {
    const config = this.#writeSet(suites);
    const { onPercent, signal } = this.#options;
    // The binary package cache (45 MB for a whole suite) pays only where packages are looked up several times.
    const lookup = args[0] === 'install' || args[0] === 'download';
    const full = ['-c', config, ...(lookup ? [] : ['-o', 'Dir::Cache::pkgcache=']), ...args];
    if (status) full.unshift('-o', 'APT::Status-Fd=3');
    return await runChild(program, full, {
      cwd,
      signal,
      deadlineMs,
      ...(status
        ? {
            onStatus: (line: string): void => {
              const percent = Number(/^dlstatus:\d+:([\d.]+):/.exec(line)?.[1]);
              if (Number.isFinite(percent)) onPercent?.(Math.min(100, percent));
            },
          }
        : {}),
    });
  }

  /** Writes the configuration for a set of suites and returns its path. */
  #writeSet(suites: readonly string[]): string {
    const { folder, arch, mirror } = this.#options;
    const name = suites.join('+');
    const sources = join(folder, 'sets', `${name}.sources`);
    const config = join(folder, 'sets', `${name}.conf`);
    try {
      writeWhole(sources, sourcesText(mirror, suites));
      writeWhole(config, configText(folder, arch, name, sources));
    } catch (error) {
      throw classifyFs(error, folder);
    }
    return config;
  }
}

/** The one stanza that apt reads: the mirror with our suites, package index only. */
export function sourcesText(mirror: Mirror, suites: readonly string[]): string {
  const fields = [
    'Types: deb',
    `URIs: ${mirror.uri}`,
    `Suites: ${suites.join(' ')}`,
    'Components: main',
    'Targets: Packages',
    ...Object.entries(mirror.options).map(([name, value]) => `${name}: ${value}`),
  ];
  if (mirror.signedBy !== undefined) fields.push(`Signed-By: ${mirror.signedBy}`);
  return `${fields.join('\n')}\n`;
}

/** apt.conf(5): read after the machine's own configuration, so it replaces only what concerns state and hooks. */
function configText(folder: string, arch: DebianArch, set: string, sources: string): string {
  return `#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
#clear AptCli::Hooks;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
APT::Architecture "${arch}";
APT::Architectures { "${arch}"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Get::List-Cleanup "false";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::GzipIndexes "true";
Dir::State "${folder}";
Dir::State::lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Cache::archives "${folder}/cache/archives";
Dir::Cache::pkgcache "${folder}/cache/${set}.pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "${sources}";
Dir::Etc::sourceparts "${folder}/empty";
Dir::Etc::preferences "${folder}/empty/none";
Dir::Etc::preferencesparts "${folder}/empty";
Dir::Log "${folder}/cache";
`;
}

/** A version as apt writes it into a file name; undefined where a `%` stands for nothing. */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Parses the lines of `--print-uris`: `'URI' FILE SIZE SHA256:HASH`; the checksum is '' where apt prints none or another. */
export function parseUris(text: string): Fetchable[] {
  const found: Fetchable[] = [];
  for (const line of text.split('\n')) {
    const match = /^'[^']+' ([^ /]+\.deb) (\d+)(?: (?:SHA256:([0-9a-f]{64})|\w+:\w+)?)?\s*$/.exec(line);
    if (!match) continue;
    const file = match[1] ?? '';
    const [name, escaped] = file.split('_');
    const version = unescaped(escaped ?? '');
    const bytes = Number(match[2]);
    if (!name || !version || !Number.isSafeInteger(bytes)) continue;
    found.push({
      name,
      version,
      bytes,
      sha256: match[3] ?? '',
    });
  }
  return found;
}

/** True for the errors after which an older answer may still serve: nothing is wrong but the way to the mirror. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof SupplyError && (error.code === 'E_SUPPLY_NETWORK' || error.code === 'E_SUPPLY_OFFLINE');
}
