import { LabSkip } from './errors.ts';
import { type Accel, kvmAccessible } from './machine/accel.ts';
import type { MachineFiles, MachineParts } from './machines/kind.ts';
import { FLAT_GUEST, machineKind, machineSchema, type MachineSpec } from './machines/registry.ts';
import type { PartChoices } from './part-choices.ts';
import { requireQemu } from './qemu-needs.ts';
import { isPath } from './supply/kernel.ts';
import type { QemuTarget } from './supply/qemu.ts';
import type { Supply } from './supply/supply.ts';

/** What brings the parts of a machine together. */
export interface Services {
  supply: Supply;
  /** Ends the run: everything is cleaned up and LabInterrupted is thrown. */
  signal?: AbortSignal;
  /** Told what is being done where it takes long. */
  onNotice?: (text: string) => void;
}

/** A machine with all its files on disk. Every choice is made: whoever has this asks no longer what was chosen. */
export interface Assembly extends Omit<MachineParts<MachineSpec>, 'qemu'> {
  accel: Accel;
  /** Added to the kernel command line of the guest under test. */
  append?: string;
  /** See {@link PartChoices.seed}. */
  seed?: number;
  /** Poison goes to this very machine. */
  local?: true;
  /** The host layer has a line of its own to the caller ({@link Session.uplink}), for a program that the caller runs there. */
  uplink?: true;
  /** A kernel, QEMU or Xen of the user's own is part of it: what its version says need not hold for it. */
  own?: true;
}

/** Fetches, builds and finds everything a machine needs. @throws SupplyError, LabSkip. */
export async function assemble(spec: MachineSpec, choices: PartChoices, services: Services): Promise<Assembly> {
  if (!choices.hostLocal) return put(spec, choices, services);
  const { requirePreflight } = await import('./host-local.ts');
  requirePreflight(spec, choices.hostLocal.consent);
  // The guest of a nested machine, right under a QEMU on this very machine: the QEMU of the host layer.
  const guest = machineSchema.parse({ kind: FLAT_GUEST, ...machineKind(spec).local?.(spec) });
  const { qemu, hostQemu = qemu, ...others } = choices;
  const own = hostQemu === undefined ? {} : { qemu: hostQemu };
  const assembly = await put(guest, { ...others, ...own, accel: 'kvm' }, services);
  return { ...assembly, local: true, own: true, parts: { ...assembly.parts, host: 'this machine' } };
}

async function put(spec: MachineSpec, choices: PartChoices, services: Services): Promise<Assembly> {
  const { qemu, ...found } = await machineKind(spec).gather(spec, choices, services.supply);
  requireQemu(qemu);
  const accel = await chooseAccel(choices, found.machine, found.files, services);
  return {
    ...found,
    accel,
    ...(choices.append === undefined ? {} : { append: choices.append }),
    ...(choices.seed === undefined ? {} : { seed: choices.seed }),
    ...(isOwn(found.machine, choices) ? { own: true } : {}),
    parts: {
      qemu: `${qemu.version} ${accel}`,
      ...found.parts,
      ...(choices.seed === undefined ? {} : { seed: String(choices.seed) }),
    },
  };
}

/** Whether a file of the user's own stands in the place of a part. */
function isOwn(machine: MachineSpec, choices: PartChoices): boolean {
  const { kernel, hostKernel, qemu, hostQemu, xen, firmware } = choices;
  const named = [machine.kernel, ...(machineKind(machine).named?.(machine) ?? [])];
  const all = [kernel, hostKernel, qemu, hostQemu, xen, firmware, ...named];
  return all.some(part => part !== undefined && isPath(part));
}

const HOST_TARGET: QemuTarget = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

async function chooseAccel(
  choices: PartChoices,
  machine: MachineSpec,
  files: MachineFiles,
  { supply, signal, onNotice }: Services,
): Promise<Accel> {
  const wanted = choices.accel ?? 'auto';
  if (wanted === 'tcg') return 'tcg';
  const no = (reason: string, hint: string): Accel => {
    if (wanted === 'auto') return 'tcg';
    throw new LabSkip('E_LAB_KVM', `KVM cannot be used: ${reason}`, { hint });
  };
  const leave = 'Leave --accel out: emulation runs everywhere.';
  const kind = machineKind(machine);
  if (!kind.stock) return no('a nested host is emulated, so that it is the same everywhere', leave);
  const target = kind.target(machine);
  if (target !== HOST_TARGET) return no(`this is not an ${target} machine`, leave);
  if (!kvmAccessible()) {
    return no('/dev/kvm cannot be opened', 'Join the group that owns /dev/kvm, or leave --accel out.');
  }
  const { probeKvm } = await import('./machine/probe-kvm.ts');
  const probe = await probeKvm(machine, files, { cacheDir: supply.cacheDir, signal, onNotice });
  return probe.works ? 'kvm' : no(probe.reason, leave);
}
