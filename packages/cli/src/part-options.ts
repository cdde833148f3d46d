import { accessSync, constants, statSync } from 'node:fs';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { kindsTaking, machineKind, machineKinds, type MachineSpec } from '@syndrome/lab/machines/registry.ts';
import type { PartChoices, SpecialPart } from '@syndrome/lab/part-choices.ts';
import type { Services } from '@syndrome/lab/parts.ts';
import type { Scenario } from '@syndrome/lab/scenario/load.ts';
import { isPath } from '@syndrome/lab/supply/kernel.ts';
import { parseKernelQuery } from '@syndrome/lab/supply/kernels.ts';
import { isVersionQuery } from '@syndrome/lab/supply/offers.ts';
import { isQemuVersion, type QemuTarget } from '@syndrome/lab/supply/qemu.ts';
import type { DebianArch, KernelFlavour, Supply } from '@syndrome/lab/supply/supply.ts';
import type { Axis } from '@syndrome/trace/axes.ts';
import { say } from './output.ts';

/** The options of the command line that choose the parts of a machine. */
export interface PartOptions {
  qemu?: string;
  guestKernel?: string;
  kernel?: string;
  hostKernel?: string;
  hostQemu?: string;
  xen?: string;
  firmware?: string;
  cpu?: string;
  guestCmdline?: string;
  accel: 'auto' | 'tcg' | 'kvm';
  seed?: number;
  host?: 'local';
  poisonThisHost?: boolean;
}

const nested = (machine: MachineSpec): boolean => machineKind(machine).vmm !== undefined;

/** Kinds of machine in words: `kind: a or b`. */
const kinds = (names: readonly string[]): string => `kind: ${names.join(' or ')}`;
const others = (names: readonly string[]): string[] =>
  machineKinds().flatMap(({ name }) => (names.includes(name) ? [] : [name]));

/** Options that only some machines have a use for. */
const ONLY_FOR: readonly { option: SpecialPart; flag: string; needs: () => string }[] = [
  { option: 'firmware', flag: '--firmware', needs: () => 'boots through UEFI (firmware: true)' },
  { option: 'xen', flag: '--xen', needs: () => `has Xen (${kinds(kindsTaking('xen'))})` },
  { option: 'hostKernel', flag: '--host-kernel', needs: () => 'has a host layer' },
  {
    option: 'hostQemu',
    flag: '--host-qemu',
    needs: () => `has a QEMU in its host layer (${kinds(kindsTaking('hostQemu'))})`,
  },
  {
    option: 'cpu',
    flag: '--cpu',
    needs: () => `lets the CPU of its guest be chosen (any but ${kinds(others(kindsTaking('cpu')))})`,
  },
];

/** Options that contradict each other, or are for the other host layer. */
const NOT_TOGETHER: readonly { when: (o: PartOptions) => boolean; message: string; hint: string }[] = [
  {
    when: o => o.host === 'local' && o.hostKernel !== undefined,
    message: '--host-kernel does not apply with --host local',
    hint: 'The host layer is this very machine, with the kernel that it runs.',
  },
  {
    when: o => o.host === 'local' && o.hostQemu !== undefined && o.qemu !== undefined,
    message: '--qemu and --host-qemu name the same QEMU with --host local',
    hint: 'There is one QEMU only, that of the host layer: give one of them.',
  },
  {
    when: o => o.host === 'local' && o.accel === 'tcg',
    message: '--accel tcg does not apply with --host local',
    hint: 'Real poison reaches a guest through KVM.',
  },
  {
    when: o => o.host === 'local' && o.seed !== undefined,
    message: '--seed does not apply with --host local',
    hint: 'Under KVM the guest has the random numbers of the processor itself.',
  },
  {
    when: o => o.host !== 'local' && o.poisonThisHost === true,
    message: '--poison-this-host does not apply without --host local',
    hint: 'Without it the host layer is an emulated machine, and nothing of this one is poisoned.',
  },
];

/** @throws UsageError for an option that none of the scenarios has a use for: it would be ignored without a word. */
export function refuseUnusedParts(scenarios: readonly Scenario[], options: PartOptions): void {
  const wrong = NOT_TOGETHER.find(rule => rule.when(options));
  if (wrong) throw new UsageError('E_USAGE', wrong.message, { hint: wrong.hint });
  const takes = ({ machine }: Scenario): readonly SpecialPart[] => machineKind(machine).takes(machine);
  for (const { option, flag, needs } of ONLY_FOR) {
    if (options[option] === undefined || scenarios.some(s => takes(s).includes(option))) continue;
    const which = scenarios.length === 1 ? (scenarios[0]?.name ?? '') : 'any of the chosen scenarios';
    throw new UsageError('E_USAGE', `${flag} does not apply to ${which}`, {
      hint: `It is for a machine that ${needs()}; \`syndrome scenarios --explain NAME\` shows the machine.`,
    });
  }
}

/** A file that the user names is looked at before anything is started. @throws UsageError. */
function checkFile(flag: string, path: string): void {
  const wrong = (what: string): UsageError => new UsageError('E_USAGE_FILE', `${flag} ${path}: ${what}`);
  let stat;
  try {
    stat = statSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw wrong(code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file' : `cannot be read (${code})`);
  }
  // Opening a pipe would wait for its writer.
  if (!stat.isFile()) throw wrong('not a regular file');
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw wrong(`cannot be read (${(error as NodeJS.ErrnoException).code ?? ''})`);
  }
}

/** The architecture of the system under test, and of the host layer. */
const archOf = (machine: MachineSpec): DebianArch => (targetOf(machine) === 'aarch64' ? 'arm64' : 'amd64');
const targetOf = (machine: MachineSpec): QemuTarget => machineKind(machine).target(machine);

/** Which kernels a machine runs, in the guest and in the host layer. */
export function kernelKind(machine: MachineSpec): { arch: DebianArch; flavour: KernelFlavour } {
  return { arch: archOf(machine), flavour: machineKind(machine).flavour(machine) };
}

/** What is on offer for a part of a scenario's machine. @throws SupplyError. */
export async function offersFor(supply: Supply, { machine }: Scenario, axis: Axis): Promise<{ version: string }[]> {
  if (axis === 'xen') return supply.xensOnOffer();
  if (axis === 'qemu' || axis === 'hostQemu') return supply.qemusOnOffer(targetOf(machine));
  const { arch, flavour } = kernelKind(machine);
  return supply.kernelsOnOffer(arch, flavour);
}

/**
 * Looks at what the user gave, before any machine starts: a wrong file is a wrong command line, not a failure of the lab.
 * Nothing is fetched.
 * @throws UsageError, SupplyError E_SUPPLY_FILE.
 */
export async function checkUserParts(
  scenarios: readonly Scenario[],
  options: PartOptions,
  supply: Supply,
): Promise<void> {
  const kernel = async (flag: string, version: string | undefined, archs: readonly ('amd64' | 'arm64')[]) => {
    if (version === undefined) return;
    if (isPath(version)) checkFile(flag, version);
    else if (parseKernelQuery(version) !== undefined) return;
    for (const arch of new Set(archs)) await supply.kernel({ arch, version });
  };
  const qemu = async (flag: string, path: string | undefined, targets: readonly ('x86_64' | 'aarch64')[]) => {
    if (path === undefined || isQemuVersion(path)) return;
    if (path.includes('/')) checkFile(flag, path);
    for (const target of new Set(targets)) await supply.qemu(target, path);
  };
  const machines = scenarios.map(s => s.machine);
  const kernelFlag = options.guestKernel === undefined ? '--kernel' : '--guest-kernel';
  await qemu('--qemu', options.qemu, machines.map(targetOf));
  await qemu('--host-qemu', options.hostQemu, machines.filter(nested).map(targetOf));
  await kernel(kernelFlag, options.guestKernel ?? options.kernel, machines.map(archOf));
  await kernel('--host-kernel', options.hostKernel, machines.filter(nested).map(archOf));
  if (options.xen !== undefined && isPath(options.xen)) checkFile('--xen', options.xen);
  // Without a look at the network: a file of the user's own, or what is no version.
  if (options.xen !== undefined && !isVersionQuery(options.xen)) await supply.xen(options.xen);
  if (options.firmware !== undefined) {
    checkFile('--firmware', options.firmware);
    await supply.firmware(options.firmware);
  }
}

/**
 * The same for a matrix: each version that it names is looked at.
 * @param named for each part that is chosen
 * @throws UsageError, SupplyError E_SUPPLY_FILE.
 */
export async function checkAxes(
  scenario: Scenario,
  options: PartOptions,
  supply: Supply,
  named: ReadonlyMap<Axis, readonly string[]>,
): Promise<void> {
  const { accel, firmware, kernel } = options;
  await checkUserParts([scenario], { accel, ...(firmware === undefined ? {} : { firmware }) }, supply);
  for (const [axis, versions] of named) {
    // A fault is told of the option that was given.
    const option = axis === 'kernel' && kernel === undefined ? 'guestKernel' : axis;
    for (const version of versions) await checkUserParts([scenario], { accel, [option]: version }, supply);
  }
}

/** What the lab works with, and tells people through. */
export function services(supply: Supply): Services {
  return { supply, onNotice: text => say(`syndrome: ${text}`) };
}

/** The options as the lab takes them. */
export function partChoices(options: PartOptions): PartChoices {
  const kernel = options.guestKernel ?? options.kernel;
  return {
    accel: options.accel,
    ...(options.qemu === undefined ? {} : { qemu: options.qemu }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(options.hostKernel === undefined ? {} : { hostKernel: options.hostKernel }),
    ...(options.hostQemu === undefined ? {} : { hostQemu: options.hostQemu }),
    ...(options.xen === undefined ? {} : { xen: options.xen }),
    ...(options.firmware === undefined ? {} : { firmware: options.firmware }),
    ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
    ...(options.guestCmdline === undefined ? {} : { append: options.guestCmdline }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.host === 'local' ? { hostLocal: { consent: options.poisonThisHost === true } } : {}),
  };
}
