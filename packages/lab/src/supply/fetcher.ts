import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { type DebianArch, type Fetchable, isUnreachable, PrivateApt } from './apt.ts';
import { runChild } from './child.ts';
import { checkMirrorUri, chooseMirror, type Mirror, mirrorLabel, readMachineSources } from './debian-sources.ts';
import { SupplyError, supplyError } from './errors.ts';
import type { Layout } from './layout.ts';
import { takeLock } from './lock.ts';
import type { PartKind } from './manifest.ts';
import { checkPackage, PartStore, recipeVersion, type StoredPart } from './part-store.ts';

export interface SupplyProgress {
  /** The part being worked on: `qemu-x86_64`, `linux 7.2.12 (cloud, amd64)`. */
  part: string;
  phase: 'index' | 'resolve' | 'wait' | 'download' | 'verify' | 'unpack' | 'done' | 'notice';
  /** Bytes where the phase is `download`, percent for `index`, packages for `verify` and `unpack`. */
  done: number;
  total: number;
  /** For `notice` and `wait`: a sentence for the user. */
  text?: string;
}

export interface FetcherOptions {
  mirror?: string | undefined;
  offline?: boolean | undefined;
  refresh?: boolean | undefined;
  progress?: ((progress: SupplyProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  lockDeadlineMs?: number | undefined;
}

/** Packages of one architecture that go into a part, and where they come from. */
export interface PackageGroup {
  arch: DebianArch;
  suites: readonly string[];
  packages: Fetchable[];
}

/** How to make the part that answers a request. */
interface Recipe {
  /** Name of the part; with a hash of the packages it becomes the folder. */
  name: string;
  version: string;
  groups: PackageGroup[];
  /** Which files of the packages stay (path without leading slash); all but documentation when absent. */
  keep?: (path: string) => boolean;
  /** Looks at the unpacked files, completes them, and says what the part offers. */
  finish: (root: string) => Promise<Record<string, string>>;
}

/** A request for a part. */
export interface PartRequest {
  /** Names the request in the cache. */
  key: string;
  kind: PartKind;
  /** For messages and progress. */
  label: string;
  /** True when the answer cannot change (an exact version): it is then never looked up again. */
  exact: boolean;
  /** Names of facts whose files are enough to be checked before use; all files when absent. */
  needs?: readonly string[];
  /** Finds the packages. `refresh`: with freshly updated indexes. */
  resolve: (refresh: boolean) => Promise<Recipe>;
}

/** An answer such as "the newest is 7.2.12" is used for a week before it is asked for again. */
const ANSWER_FRESH_MS = 7 * 24 * 3_600_000;
const LOCK_DEADLINE_MS = 20 * 60_000;
const UNPACK_DEADLINE_MS = 10 * 60_000;
const DEBIAN_KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];
/** Documentation and desktop files that no part needs. */
const USELESS =
  /^usr\/share\/(?:doc|man|locale|lintian|bug|info|help|bash-completion|zsh|applications|icons|gtk-doc|doc-base|reportbug|metainfo|gdb|glib-2\.0|perl5|apport)\/|^usr\/lib\/(?:systemd|udev|tmpfiles\.d|sysusers\.d)\/|^etc\/|^var\//;

/** Answers requests for parts: from the cache when it can, from the mirror when it must. */
export class Fetcher {
  readonly store: PartStore;
  readonly options: FetcherOptions;
  readonly #apts = new Map<DebianArch, PrivateApt>();
  #mirror: Mirror | undefined;
  /** What apt is doing at the moment, for its percentages. */
  #busy: { part: string; phase: 'index' | 'download'; total: number; before: number; span: number } | undefined;

  constructor(layout: Layout, options: FetcherOptions) {
    this.store = new PartStore(layout);
    this.options = options;
  }

  get offline(): boolean {
    return this.options.offline ?? isOn(process.env['SYNDROME_OFFLINE']);
  }

  tell(progress: SupplyProgress): void {
    this.options.progress?.(progress);
  }

  /** The Debian architecture of this machine, for programs that run here. */
  hostArch(): DebianArch {
    if (process.arch === 'x64') return 'amd64';
    if (process.arch === 'arm64') return 'arm64';
    throw supplyError('E_SUPPLY_NOT_DEBIAN', `there are no parts for this processor (${process.arch})`, {
      hint: 'Give your own files (--qemu, --kernel).',
    });
  }

  /** The mirror: the option, else SYNDROME_MIRROR, else the one the machine's apt uses. */
  mirror(): Mirror {
    if (this.#mirror) return this.#mirror;
    const keyring = DEBIAN_KEYRINGS.find(path => existsSync(path));
    const named = this.options.mirror ?? process.env['SYNDROME_MIRROR'];
    const configured = chooseMirror(readMachineSources(), keyring);
    if (named) {
      const where = this.options.mirror ? 'the mirror option' : 'SYNDROME_MIRROR';
      const uri = checkMirrorUri(named, where);
      this.#mirror = { uri, label: mirrorLabel(uri), signedBy: configured?.signedBy ?? keyring, options: {}, where };
    } else if (configured) {
      this.#mirror = configured;
    } else {
      throw supplyError('E_SUPPLY_NO_MIRROR', 'the apt of this machine is configured with no Debian mirror', {
        hint: 'Name one with SYNDROME_MIRROR (http://HOST/debian), or give your own files (--qemu, --kernel).',
      });
    }
    return this.#mirror;
  }

  apt(arch: DebianArch): PrivateApt {
    let apt = this.#apts.get(arch);
    if (!apt) {
      const mirror = this.mirror();
      const { layout } = this.store;
      apt = new PrivateApt({
        folder: join(layout.apt, PrivateApt.folderName(arch, mirror)),
        locks: layout.locks,
        arch,
        mirror,
        signal: this.options.signal,
        lockDeadlineMs: this.options.lockDeadlineMs ?? LOCK_DEADLINE_MS,
        onPercent: percent => {
          const busy = this.#busy;
          if (!busy) return;
          const done = busy.before + Math.round((percent / 100) * busy.span);
          this.tell({ part: busy.part, phase: busy.phase, done, total: busy.total });
        },
      });
      this.#apts.set(arch, apt);
    }
    return apt;
  }

  /** After the private state of apt was removed: start anew. */
  forgetApt(): void {
    this.#apts.clear();
  }

  /** Brings indexes up to date, saying so. Suites that the mirror does not carry are left out when `optional`. */
  async index(
    part: string,
    arch: DebianArch,
    suites: readonly string[],
    options: { refresh?: boolean; optional?: boolean } = {},
  ): Promise<string[]> {
    const apt = this.apt(arch);
    this.#busy = { part, phase: 'index', total: 100, before: 0, span: 100 };
    this.tell({ part, phase: 'index', done: 0, total: 100 });
    try {
      await apt.update(suites, options.refresh);
      return [...suites];
    } catch (error) {
      if (!(options.optional && error instanceof SupplyError && error.code === 'E_SUPPLY_SUITE')) throw error;
      const there: string[] = [];
      for (const suite of suites) {
        try {
          await apt.update([suite], options.refresh);
          there.push(suite);
        } catch (one) {
          if (!(one instanceof SupplyError && one.code === 'E_SUPPLY_SUITE')) throw one;
          this.notice(part, `${this.mirror().label} does not carry ${suite}; left out`);
        }
      }
      if (there.length === 0) throw error;
      return there;
    } finally {
      this.#busy = undefined;
    }
  }

  notice(part: string, text: string): void {
    this.tell({ part, phase: 'notice', done: 0, total: 0, text });
  }

  /** The part that answers a request. Warm: reads two small files and looks at the sizes of the part's files. */
  async obtain(request: PartRequest): Promise<StoredPart> {
    try {
      return await this.#obtain(request);
    } catch (error) {
      if (this.options.signal?.aborted && (error as Error).name === 'AbortError') {
        throw supplyError('E_SUPPLY_ABORTED', 'interrupted', { cause: error });
      }
      throw error;
    }
  }

  async #obtain(request: PartRequest): Promise<StoredPart> {
    const { store } = this;
    const known = store.answer(request.key);
    let damaged = false;
    if (known) {
      const damage = await this.#check(known.part, request);
      damaged = damage.length > 0;
      if (damaged) {
        if (this.offline) throw damagedError(known.part, damage);
        this.notice(request.label, `${known.part.folder} is damaged (${damage[0]}); it is fetched again`);
      } else if (this.offline || (!this.options.refresh && (request.exact || known.ageMs < ANSWER_FRESH_MS))) {
        return known.part;
      }
    }
    if (this.offline) {
      throw supplyError('E_SUPPLY_OFFLINE', `${request.label} is not in the cache, and this run is offline`, {
        hint: `Fetch it once with the network. The cache is ${store.layout.root}.`,
      });
    }
    try {
      return await this.#make(request, false);
    } catch (error) {
      if (known && !damaged && isUnreachable(error)) {
        this.notice(
          request.label,
          `the mirror cannot be reached; ${known.part.manifest.version} from the cache is used`,
        );
        return known.part;
      }
      throw error;
    }
  }

  async #check(part: StoredPart, request: PartRequest): Promise<string[]> {
    const only = request.needs?.map(fact => part.manifest.facts[fact]).filter(path => path !== undefined);
    const full = isOn(process.env['SYNDROME_VERIFY']);
    return await this.store.check(part, { full, only, signal: this.options.signal });
  }

  async #make(request: PartRequest, again: boolean): Promise<StoredPart> {
    const { store } = this;
    const part = request.label;
    await this.#needPrograms();
    this.tell({ part, phase: 'resolve', done: 0, total: 1 });
    const recipe = await request.resolve(again || this.options.refresh === true);
    const all = recipe.groups.flatMap(group => group.packages);
    const id = PartStore.partId(recipe.name, all, recipeVersion(request.kind));
    const release = await takeLock(store.layout.locks, id, {
      deadlineMs: this.options.lockDeadlineMs ?? LOCK_DEADLINE_MS,
      signal: this.options.signal,
      onWait: owner =>
        this.tell({ part, phase: 'wait', done: 0, total: 0, text: `process ${owner.pid} is fetching ${part}` }),
    });
    try {
      const present = store.part(id);
      let replace = false;
      if (present) {
        const damage = await this.#check(present, request);
        if (damage.length === 0) {
          store.remember(request.key, present);
          return present;
        }
        replace = true;
      }
      const made = await this.#build(request, recipe, id, replace);
      store.remember(request.key, made);
      this.tell({ part, phase: 'done', done: 1, total: 1 });
      return made;
    } catch (error) {
      // The index was older than the mirror: packages that were there are gone. Look again, once.
      const moved =
        error instanceof SupplyError && (error.code === 'E_SUPPLY_WITHDRAWN' || error.code === 'E_SUPPLY_DAMAGED');
      if (again || !moved) throw error;
    } finally {
      release();
    }
    return await this.#make(request, true);
  }

  async #build(request: PartRequest, recipe: Recipe, id: string, replace: boolean): Promise<StoredPart> {
    const { store, options } = this;
    const part = request.label;
    const packages = recipe.groups.flatMap(group => group.packages);
    const total = packages.reduce((sum, p) => sum + p.bytes, 0);
    this.#needSpace(total * 5 + (64 << 20), part);
    const work = store.workFolder();
    try {
      const tree = join(work, 'part');
      const root = join(tree, 'root');
      mkdirSync(root, { recursive: true });
      let before = 0;
      let unpacked = 0;
      for (const [index, group] of recipe.groups.entries()) {
        const bytes = group.packages.reduce((sum, p) => sum + p.bytes, 0);
        const into = join(work, `debs${index}`);
        mkdirSync(into);
        this.#busy = { part, phase: 'download', total, before, span: bytes };
        this.tell({ part, phase: 'download', done: before, total });
        const files = await this.apt(group.arch).download(group.suites, group.packages, into);
        this.#busy = undefined;
        before += bytes;
        this.tell({ part, phase: 'download', done: before, total });
        for (const [i, file] of files.entries()) {
          const { bytes: size, sha256 } = group.packages[i] as Fetchable;
          this.tell({ part, phase: 'verify', done: unpacked, total: packages.length });
          await checkPackage(file, size, sha256, options.signal);
          this.tell({ part, phase: 'unpack', done: ++unpacked, total: packages.length });
          await unpack(file, root, options.signal);
          rmSync(file);
        }
      }
      const keep = recipe.keep ?? (() => true);
      trim(root, '', path => !USELESS.test(path) && keep(path));
      const facts = await recipe.finish(root);
      const origin = { mirror: this.mirror().label, suites: [...new Set(recipe.groups.flatMap(g => g.suites))] };
      const { name, version } = recipe;
      return await store.publish(
        tree,
        id,
        {
          kind: request.kind,
          name,
          version,
          origin,
          packages: packages.map(p => ({ name: p.name, version: p.version, sha256: p.sha256, bytes: p.bytes })),
          facts,
        },
        { signal: options.signal, replace },
      );
    } finally {
      this.#busy = undefined;
      store.discard(work);
    }
  }

  #needSpace(bytes: number, part: string): void {
    const { root } = this.store.layout;
    const { bavail, bsize } = statfsSync(root);
    const free = bavail * bsize;
    if (free < bytes) {
      throw supplyError(
        'E_SUPPLY_DISK_FULL',
        `${part} needs about ${mib(bytes)} MiB in ${root}, where ${mib(free)} MiB are free`,
        { hint: 'Free some space, or put the cache elsewhere with SYNDROME_CACHE.' },
      );
    }
  }

  #programsSeen = false;

  async #needPrograms(): Promise<void> {
    if (this.#programsSeen) return;
    for (const program of ['apt-get', 'dpkg-deb']) {
      await runChild(program, ['--version'], { deadlineMs: 20_000, signal: this.options.signal });
    }
    this.#programsSeen = true;
  }
}

function damagedError(part: StoredPart, damage: readonly string[]): SupplyError {
  return supplyError(
    'E_SUPPLY_DAMAGED',
    `${part.manifest.name} in the cache is damaged: ${damage.slice(0, 3).join('; ')}`,
    {
      hint: `It is fetched again by the next run with a network; or remove ${part.folder}.`,
    },
  );
}

/** True for an environment switch that is set to something other than 0, no, false. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && !/^(?:|0|no|false|off)$/i.test(value);
}

const mib = (bytes: number): number => Math.ceil(bytes / (1 << 20));

async function unpack(file: string, root: string, signal: AbortSignal | undefined): Promise<void> {
  const result = await runChild('dpkg-deb', ['-x', file, root], { deadlineMs: UNPACK_DEADLINE_MS, signal });
  if (result.code === 0) return;
  const full = /No space left on device|Disk quota exceeded/.test(result.stderr);
  throw supplyError(
    full ? 'E_SUPPLY_DISK_FULL' : 'E_SUPPLY_DAMAGED',
    full ? 'the disk that holds the cache is full' : `${file} cannot be unpacked`,
    {
      hint: full
        ? 'Free some space, or put the cache elsewhere with SYNDROME_CACHE.'
        : 'Try again; if it stays, name another mirror with SYNDROME_MIRROR.',
      cause: new Error(result.stderr.trim().slice(0, 2000)),
    },
  );
}

/** Removes the files that are not kept, and the folders that are empty then. */
function trim(root: string, below: string, keep: (path: string) => boolean): void {
  for (const name of readdirSync(join(root, below))) {
    const path = below === '' ? name : `${below}/${name}`;
    const full = join(root, path);
    if (lstatSync(full).isDirectory()) {
      trim(root, path, keep);
      if (readdirSync(full).length === 0) rmdirSync(full);
    } else if (!keep(path)) rmSync(full);
  }
}
