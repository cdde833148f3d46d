/** What the rules of an outlook ask of a machine; each kind tells it of itself. Pure. */
import { QEMU_MCG_CAP } from '@syndrome/decode/mca/vmm-made.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import { versionSince } from '@syndrome/decode/outlook/version.ts';
import type { Accel } from '../machine/accel.ts';
import type { Vmm } from '../vmms/vmm.ts';
import type { KernelConfig } from '../supply/kernel-config.ts';
import { cpuSignatureOf, cpuVendor } from '../cpu-models.ts';
import { configSettings, cpuFeatures, cpusUp, kernelSettings } from '../outlook-settings.ts';

/** What the facts of a machine are derived from, besides what the scenario says of it. */
export interface FactsInput {
  accel: Accel;
  /** Versions, as in the header of the trace. */
  parts: Readonly<Record<string, string>>;
  /** Added to the guest kernel command line. */
  append?: string;
  /** The configuration of the kernels of layers, where it is known. */
  configs?: Readonly<Partial<Record<'guest' | 'host', KernelConfig | undefined>>>;
}

/** The layers that a machine check of an x86 guest goes through. */
interface X86Layer {
  qemu: Partial<Settings>;
  linux: Partial<Settings>;
  /** CPUID leaf 1 EAX of its CPUs, where the model says it. */
  cpuid?: bigint;
  /** How many of its CPUs the kernel starts, where these are not all. */
  up?: number;
  /** A guest of Xen: an address of its own is not one of the machine. */
  guest?: 'xen';
  xen?: Partial<Settings>;
}

/** Of each, undefined where a machine has no such thing, or where the rules cannot be followed. */
export interface MachineFacts {
  /** One entry for each kind of host that it may stand on. */
  x86?: X86Layer[] | undefined;
  /** The layer that a GHES record of the outer QEMU reaches. */
  ghes?: GhesTarget | undefined;
  /** MiB: where its memory ends at the latest. */
  memory?: number;
  /** Where its memory begins, if that is not at 0. */
  memoryFrom?: bigint;
  /** The guest's memory lies in huge pages of its host: one bad page takes its neighbours with it. */
  hugetlb?: true;
  /** The Linux that drives a CXL memory device of the outer QEMU. */
  cxl?: Partial<Settings> | undefined;
  /** A QEMU of arm64 whose guest has memory of its host. */
  arm?: { qemu: Partial<Settings>; linux: Partial<Settings> } | undefined;
  /** A VMM of arm64 whose guest consumes errors of its host. */
  sea?: SeaTarget | undefined;
  /** How the domain of Xen besides dom0 has its memory. */
  domu?: Settings['owner'] | undefined;
  /** Seconds by which a poll has found what waits in the banks, where that is not Linux's own matter. */
  poll?: number;
}

interface GhesTarget {
  /** Undefined where the lab is the firmware: QEMU has no part in it. */
  qemu?: Partial<Settings>;
  linux: Partial<Settings>;
  /** Where it is a host layer: what is hit there is a page of its VMM. */
  vmm?: Pick<Vmm, 'tookError'>;
}

export interface SeaTarget {
  /** KVM in the host layer. */
  kvm: Partial<Settings>;
  /** The Linux under the VMM. It has no firmware. */
  linux: Partial<Settings>;
}

/** The version of a part as a setting; none where it does not begin with a number. */
export function versionSetting(parts: FactsInput['parts'], name: string): Partial<Settings> {
  const version = parts[name];
  return version === undefined || !/^\d/.test(version) ? {} : { version };
}

/**
 * The layers of an x86 Linux right under a QEMU.
 * @param host vendor of the CPU under KVM; `tcg` where the model itself decides
 * @param qemu which part the QEMU is
 * @returns undefined when its CPU or its command line has what the rules do not follow
 */
export function x86Layer(
  spec: { cpu: string; cpus: number; append: string },
  { parts, append = '', configs }: FactsInput,
  host: 'intel' | 'amd' | 'tcg',
  qemu: 'qemu' | 'hostQemu',
): X86Layer | undefined {
  const commandLine = `${spec.append} ${append}`;
  const kernel = kernelSettings(commandLine);
  const vendor = cpuVendor(spec.cpu, host);
  const platform = host === 'tcg' ? 'tcg' : 'kvm';
  const features = cpuFeatures(spec.cpu, platform);
  if (kernel === undefined || vendor === undefined || features === undefined) return undefined;
  const { lmceEnabled: offersLmce = false, ...known } = features;
  const cpuid = cpuSignatureOf(spec.cpu);
  const up = cpusUp(commandLine, spec.cpus);
  const qemuVersion = versionSetting(parts, qemu);
  // Since 9.1 QEMU lets `-cpu host` have what KVM offers of it.
  const recovery =
    spec.cpu === 'host' && versionSince(qemuVersion.version ?? '', '9.1') ? { succor: true, overflowRecov: true } : {};
  const { cr4Mce = true, ...rest } = { ...kernel, ...configSettings(configs?.guest) };
  return {
    qemu: {
      ...qemuVersion,
      platform,
      vendor,
      cpus: spec.cpus,
      mcgCap: host === 'amd' ? QEMU_MCG_CAP.noSer : QEMU_MCG_CAP.ser,
      cr4Mce,
      mcip: false,
      guestRam: true,
      // Whether the guest makes use of it is a matter of its firmware.
      ...(offersLmce ? {} : { lmceEnabled: false }),
    },
    // QEMU starts every CPU with fast string copies on.
    linux: {
      ...versionSetting(parts, 'kernel'),
      platform,
      cpus: up,
      fastStrings: true,
      ...recovery,
      ...known,
      ...rest,
    },
    ...(cpuid === undefined ? {} : { cpuid }),
    ...(up < spec.cpus ? { up } : {}),
  };
}

/** The target of GHES records where the outer QEMU has firmware. `version` is that of its Linux. */
export function ghesTarget(
  spec: { cpus: number; ras: boolean; firmware: boolean },
  { accel, parts }: FactsInput,
  {
    commandLine,
    version,
    config,
    vmm,
  }: {
    commandLine: string;
    version: string | undefined;
    config: KernelConfig | undefined;
    vmm?: Pick<Vmm, 'tookError'>;
  },
): GhesTarget | undefined {
  const kernel = kernelSettings(commandLine);
  if (kernel === undefined || version === undefined || config?.has('CONFIG_ACPI_APEI_GHES') === false) return undefined;
  return {
    qemu: { ...(parts.qemu === undefined ? {} : { version: parts.qemu }), ras: spec.ras && spec.firmware },
    linux: { ...kernel, ...configSettings(config), version, platform: accel, cpus: spec.cpus },
    ...(vmm && { vmm }),
  };
}

/** The layer that a record of a firmware reaches which the lab plays itself: an x86 guest, or a host layer. */
export function ownFirmware(
  spec: { cpu: string; cpus: number; append: string; part: 'kernel' | 'hostKernel'; config: 'guest' | 'host' },
  { accel, parts, append = '', configs }: FactsInput,
): GhesTarget | undefined {
  const kernel = kernelSettings(`${spec.append} ${append}`);
  const config = configs?.[spec.config];
  if (kernel === undefined || config?.has('CONFIG_ACPI_APEI_GHES') === false) return undefined;
  const vendor = cpuVendor(spec.cpu, accel === 'tcg' ? 'tcg' : 'intel');
  return {
    linux: {
      ...kernel,
      ...configSettings(config),
      ...versionSetting(parts, spec.part),
      ...(vendor === undefined ? {} : { vendor }),
      platform: accel,
      cpus: spec.cpus,
      delivery: 'ghes-notify',
    },
  };
}
