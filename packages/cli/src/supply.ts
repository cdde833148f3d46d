import { keptStates, statesDir, statesLimit } from '@syndrome/lab/kept-states.ts';
import { SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { gatherParts } from '@syndrome/lab/gather.ts';
import { bundledScenarios } from '@syndrome/lab/scenario/load.ts';
import { partsLine } from '@syndrome/trace/parts-line.ts';
import type { Offer } from '@syndrome/lab/supply/offers.ts';
import type { Supply } from '@syndrome/lab/supply/supply.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { type GlobalOptions, print, printJson, printPath, say, stdoutStyle } from './output.ts';
import { bytes } from './progress.ts';
import { EXIT } from './exit-codes.ts';

type Options = GlobalOptions & SupplyOptions;

/** A part that can be named on the command line. */
interface NamedPart {
  /** Takes `=VERSION`. */
  versions?: true;
  /** Gets it, and gives its path. */
  get: (supply: Supply, version?: string) => Promise<string>;
}

const PARTS: Record<string, NamedPart> = {
  qemu: { versions: true, get: async (s, version) => (await s.qemu('x86_64', version)).dir },
  'qemu-arm64': { versions: true, get: async (s, version) => (await s.qemu('aarch64', version)).dir },
  kernel: {
    versions: true,
    get: async (s, version = 'newest') => (await s.kernel({ arch: 'amd64', version })).image,
  },
  'kernel-generic': {
    versions: true,
    get: async (s, version = 'newest') => (await s.kernel({ arch: 'amd64', flavour: 'generic', version })).image,
  },
  'kernel-arm64': {
    versions: true,
    get: async (s, version = 'newest') => (await s.kernel({ arch: 'arm64', version })).image,
  },
  xen: { versions: true, get: async (s, version) => (await s.xen(version)).image },
  firmware: { get: async s => (await s.firmware()).code },
  'node-arm64': { get: async s => (await s.node('arm64')).program },
  kexec: { get: async s => (await s.kexec()).program },
  toolchain: { get: s => toolchainFolder(s, 'amd64') },
  'toolchain-arm64': { get: s => toolchainFolder(s, 'arm64') },
  busybox: { get: async s => (await s.busybox('amd64')).program },
};

/** Parts of which versions stand beside each other on offer, besides kernels: how they are listed. */
const VERSIONED = {
  qemu: s => s.qemusOnOffer('x86_64'),
  'qemu-arm64': s => s.qemusOnOffer('aarch64'),
  xen: s => s.xensOnOffer(),
} as const satisfies Record<string, (supply: Supply) => Promise<Offer[]>>;

/** The parts that can be named, for completion. */
export const partNames = (): string[] => Object.keys(PARTS);

/** A compiler is used through the supply only; its folder is found in the list of the cache, newest first. */
async function toolchainFolder(supply: Supply, arch: 'amd64' | 'arm64'): Promise<string> {
  const { id } = await supply.toolchain(arch);
  const parts = await supply.list();
  const found = parts
    .filter(p => p.kind === 'toolchain' && p.name === `toolchain-${arch}`)
    .toSorted((a, b) => Number(b.current) - Number(a.current) || b.created.localeCompare(a.created));
  return found[0]?.path ?? id;
}

/** A part as it is named on the command line. @throws UsageError. */
function parsePart(spec: string): { spec: string; path: (supply: Supply) => Promise<string> } {
  const at = spec.indexOf('=');
  const [name, version] = at < 0 ? [spec, undefined] : [spec.slice(0, at), spec.slice(at + 1)];
  const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (part === undefined)
    throw new UsageError('E_USAGE', `there is no part "${name}"`, { hint: `Known: ${Object.keys(PARTS).join(', ')}.` });
  if (version !== undefined && !part.versions) {
    const takes = Object.keys(PARTS).filter(p => PARTS[p]?.versions);
    throw new UsageError('E_USAGE', `${spec}: no version of ${name} can be chosen`, {
      hint: `There is one on offer. Versions are for ${takes.join(', ')}.`,
    });
  }
  if (version === '') throw new UsageError('E_USAGE', `${spec}: the version is missing`);
  return { spec, path: supply => part.get(supply, version) };
}

function printOffers(offers: readonly Offer[], { json }: { json?: boolean }): void {
  for (const offer of offers) {
    if (json) printJson(offer);
    else print(`${offer.version.padEnd(12)} ${offer.suite.padEnd(20)} ${offer.package}`);
  }
}

export async function list(
  options: Options & {
    kernels?: string | true;
    versions?: keyof typeof VERSIONED;
    verify?: boolean;
    json?: boolean;
  },
): Promise<void> {
  const offered = options.kernels !== undefined ? '--kernels' : options.versions && '--versions';
  if (offered !== undefined && options.verify)
    throw new UsageError('E_USAGE', `--verify is for what is in the cache, not for what is on offer (${offered})`);
  const supply = await openSupply(options, interruptSignal());
  const style = stdoutStyle(options);
  if (options.kernels !== undefined) {
    const arch = options.kernels === true ? 'amd64' : options.kernels;
    if (arch !== 'amd64' && arch !== 'arm64')
      throw new UsageError('E_USAGE', `--kernels ${arch}: expected amd64 or arm64`);
    return printOffers(await supply.kernelsOnOffer(arch), options);
  }
  if (options.versions !== undefined) return printOffers(await VERSIONED[options.versions](supply), options);
  const parts = await supply.list({ verify: options.verify === true });
  const kept = keptStates(supply.cacheDir);
  const states = {
    kind: 'states',
    name: `kept machine states: ${kept.length}`,
    count: kept.length,
    bytes: kept.reduce((sum, s) => sum + s.bytes, 0),
    limitBytes: statesLimit(),
    path: statesDir(supply.cacheDir),
  };
  if (options.json) for (const part of [...parts, states]) printJson(part);
  else {
    for (const p of parts) {
      const state = p.verifies ? '' : style('red', `  damaged: ${p.damage.join('; ')}`);
      print(`${p.kind.padEnd(12)} ${p.name.padEnd(34)} ${bytes(p.bytes).padStart(9)}  ${style('dim', p.path)}${state}`);
    }
    const { kind, name, path, limitBytes } = states;
    const room = style('dim', `${path} (up to ${bytes(limitBytes)}, SYNDROME_STATES_GB)`);
    print(`${kind.padEnd(12)} ${name.padEnd(34)} ${bytes(states.bytes).padStart(9)}  ${room}`);
    print(`${bytes(parts.reduce((sum, p) => sum + p.bytes, states.bytes))} in ${supply.cacheDir}`);
  }
  if (parts.some(p => !p.verifies)) process.exitCode = EXIT.error;
}

export async function fetch(parts: readonly string[], options: Options & { json?: boolean }): Promise<void> {
  const wanted = parts.map(parsePart);
  const supply = await openSupply(options, interruptSignal());
  if (wanted.length === 0) await fetchAll(supply, options.json === true);
  for (const { spec, path } of wanted) {
    const found = await path(supply);
    if (options.json) printJson({ part: spec, path: found });
    else print(`${spec.padEnd(16)} ${found}`);
  }
}

/** After these the other scenarios may still get what they need; after any other error they would meet it too. */
const OF_ONE_SCENARIO: ReadonlySet<string> = new Set(['E_SUPPLY_WITHDRAWN', 'E_LAB_MODULE']);

/** What an assembled machine says of itself that is not a part. */
const NO_PART: ReadonlySet<string> = new Set(['cpu', 'memory', 'host', 'hostMemory']);

/** All that the bundled scenarios need, as the lab itself brings it together. @throws SyndromeError when one lacks a part. */
async function fetchAll(supply: Supply, json: boolean): Promise<void> {
  const scenarios = bundledScenarios();
  const lacking: { scenario: string; error: SyndromeError }[] = [];
  for await (const found of gatherParts(scenarios, supply)) {
    if ('assembly' in found) {
      const parts = Object.entries(found.assembly.parts).filter(([key]) => !NO_PART.has(key));
      if (json) printJson({ scenario: found.scenario, parts: Object.fromEntries(parts) });
      else print(`${found.scenario.padEnd(25)} ${partsLine(Object.fromEntries(parts))}`);
      continue;
    }
    if (!OF_ONE_SCENARIO.has(found.error.code)) throw found.error;
    say(safeText(`${found.scenario}: ${found.error.message}`, 500));
    lacking.push(found);
  }
  const first = lacking[0]?.error;
  if (first !== undefined) {
    const names = lacking.map(l => l.scenario).join(', ');
    const message = `${lacking.length} of ${scenarios.length} scenarios lack a part: ${names}`;
    throw new SyndromeError(first.code, message, first.hint === undefined ? {} : { hint: first.hint });
  }
  if (!json) print(`everything that the ${scenarios.length} scenarios need is in ${supply.cacheDir}`);
}

export async function where(part: string | undefined, options: Options & { json?: boolean }): Promise<void> {
  const states = part === 'states';
  const wanted = part === undefined || states ? undefined : parsePart(part);
  const supply = await openSupply(options, interruptSignal());
  const path = (await wanted?.path(supply)) ?? (states ? statesDir(supply.cacheDir) : supply.cacheDir);
  if (options.json) printJson({ ...(part === undefined ? {} : { part }), path });
  else printPath(path);
}

/** What of the cache `syndrome supply clean` removes. */
const CLEAN = ['downloads', 'unused', 'damaged'] as const;

type CleanOptions = Options & { json?: boolean } & Partial<Record<(typeof CLEAN)[number], boolean>>;

export async function clean(options: CleanOptions): Promise<void> {
  const supply = await openSupply(options, interruptSignal());
  const { freedBytes, removed } = await supply.clean(CLEAN.find(what => options[what]) ?? 'all');
  if (options.json) printJson({ removed, freedBytes, cache: supply.cacheDir });
  else print(`${removed.length} removed, ${bytes(freedBytes)} freed in ${supply.cacheDir}`);
}
