import { keptStates, statesDir, statesLimit } from '../lab/kept-states.ts';
import { SyndromeError, UsageError } from '../common/errors.ts';
import { safeText } from '../common/screen.ts';
import { gatherParts } from '../lab/gather.ts';
import { bundledScenarios } from '../lab/scenario/load.ts';
import { partsLine } from '../report/parts-line.ts';
import type { Supply } from '../supply/supply.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { type GlobalOptions, print, printJson, stdoutStyle } from './output.ts';
import { bytes } from './progress.ts';
import { EXIT } from './exit-codes.ts';

type Options = GlobalOptions & SupplyOptions;

/** The parts that can be named on the command line, and how to get the path of each. */
const PARTS: Record<string, (supply: Supply, version?: string) => Promise<string>> = {
  qemu: async s => (await s.qemu('x86_64')).dir,
  'qemu-arm64': async s => (await s.qemu('aarch64')).dir,
  kernel: async (s, version = 'newest') => (await s.kernel({ arch: 'amd64', version })).image,
  'kernel-generic': async (s, version = 'newest') =>
    (await s.kernel({ arch: 'amd64', flavour: 'generic', version })).image,
  'kernel-arm64': async (s, version = 'newest') => (await s.kernel({ arch: 'arm64', version })).image,
  xen: async (s, version) => (await s.xen(version)).image,
  firmware: async s => (await s.firmware()).code,
  'node-arm64': async s => (await s.node()).program,
  kexec: async s => (await s.kexec()).program,
  toolchain: s => toolchainFolder(s, 'amd64'),
  'toolchain-arm64': s => toolchainFolder(s, 'arm64'),
  busybox: async s => (await s.busybox('amd64')).program,
};

/** A compiler is used through the supply only; its folder is found in the list of the cache, newest first. */
async function toolchainFolder(supply: Supply, arch: 'amd64' | 'arm64'): Promise<string> {
  const { id } = await supply.toolchain(arch);
  const parts = await supply.list();
  const found = parts
    .filter(p => p.kind === 'toolchain' && p.name === `toolchain-${arch}`)
    .toSorted((a, b) => Number(b.current) - Number(a.current) || b.created.localeCompare(a.created));
  return found[0]?.path ?? id;
}

async function obtain(supply: Supply, spec: string): Promise<string> {
  const [part = '', version] = spec.split('=', 2);
  const get = PARTS[part];
  if (!get)
    throw new UsageError('E_USAGE', `there is no part "${part}"`, { hint: `Known: ${Object.keys(PARTS).join(', ')}.` });
  return get(supply, version);
}

export async function list(
  options: Options & { kernels?: string | true; verify?: boolean; json?: boolean },
): Promise<void> {
  const supply = await openSupply(options, interruptSignal());
  const style = stdoutStyle(options);
  if (options.kernels !== undefined) {
    const arch = options.kernels === true ? 'amd64' : options.kernels;
    if (arch !== 'amd64' && arch !== 'arm64')
      throw new UsageError('E_USAGE', `--kernels ${arch}: expected amd64 or arm64`);
    const offers = await supply.kernelsOnOffer(arch);
    for (const o of offers) {
      if (options.json) printJson(o);
      else print(`${o.version.padEnd(12)} ${o.suite.padEnd(20)} ${o.package}`);
    }
    return;
  }
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
  if (parts.some(p => !p.verifies)) process.exitCode = EXIT.fail;
}

export async function fetch(parts: readonly string[], options: Options): Promise<void> {
  const supply = await openSupply(options, interruptSignal());
  if (parts.length === 0) await fetchAll(supply);
  for (const part of parts) print(`${part.padEnd(16)} ${await obtain(supply, part)}`);
}

/** After these the other scenarios may still get what they need; after any other error they would meet it too. */
const OF_ONE_SCENARIO: ReadonlySet<string> = new Set(['E_SUPPLY_WITHDRAWN', 'E_LAB_MODULE']);

/** What an assembled machine says of itself that is not a part. */
const NO_PART: ReadonlySet<string> = new Set(['cpu', 'memory', 'host', 'hostMemory']);

/** All that the bundled scenarios need, as the lab itself brings it together. @throws SyndromeError when one lacks a part. */
async function fetchAll(supply: Supply): Promise<void> {
  const scenarios = bundledScenarios();
  const lacking: { scenario: string; error: SyndromeError }[] = [];
  for await (const found of gatherParts(scenarios, supply)) {
    if ('assembly' in found) {
      const parts = Object.entries(found.assembly.parts).filter(([key]) => !NO_PART.has(key));
      print(`${found.scenario.padEnd(25)} ${partsLine(Object.fromEntries(parts))}`);
      continue;
    }
    if (!OF_ONE_SCENARIO.has(found.error.code)) throw found.error;
    process.stderr.write(`${safeText(`${found.scenario}: ${found.error.message}`, 500)}\n`);
    lacking.push(found);
  }
  const first = lacking[0]?.error;
  if (first !== undefined) {
    const names = lacking.map(l => l.scenario).join(', ');
    const message = `${lacking.length} of ${scenarios.length} scenarios lack a part: ${names}`;
    throw new SyndromeError(first.code, message, first.hint === undefined ? {} : { hint: first.hint });
  }
  print(`everything that the ${scenarios.length} scenarios need is in ${supply.cacheDir}`);
}

export async function where(part: string | undefined, options: Options): Promise<void> {
  const supply = await openSupply(options, interruptSignal());
  if (part === 'states') print(statesDir(supply.cacheDir));
  else print(part === undefined ? supply.cacheDir : await obtain(supply, part));
}

export async function clean(options: Options & { downloads?: boolean }): Promise<void> {
  const supply = await openSupply(options, interruptSignal());
  const { freedBytes, removed } = await supply.clean(options.downloads ? 'downloads' : 'all');
  print(`${removed.length} folders removed, ${bytes(freedBytes)} freed in ${supply.cacheDir}`);
}
