/** What the command lines of a machine settle of an outlook: features of its CPU, and the kernel's machine check options. */
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import type { KernelConfig } from './supply/kernel-config.ts';

/** `+name`, `-name`, `name`, `name=on` and `name=off` of a -cpu option, for the features that machine checks depend on. */
const MCA_FEATURE = /^([+-]?)(mce|mca|lmce|succor|overflow-recov|smca)(?:=(on|off|yes|no|true|false))?$/;
/** What kernel and QEMU call the features of AMD that the rules ask for. Source: Linux cpufeatures.h; QEMU target/i386/cpu.c. */
const AMD_FEATURES: ReadonlyMap<string, 'succor' | 'overflowRecov' | 'smca'> = new Map([
  ['succor', 'succor'],
  ['overflow-recov', 'overflowRecov'],
  ['overflow_recov', 'overflowRecov'],
  ['smca', 'smca'],
]);

/**
 * What the features that a -cpu option names settle of machine checks. TCG has none of AMD's, whatever is named.
 * @returns undefined where one is named whose effect the outlook does not follow
 * @example cpuFeatures('EPYC,+succor', 'kvm') // { succor: true }
 */
export function cpuFeatures(cpu: string, platform: 'tcg' | 'kvm'): Partial<Settings> | undefined {
  const settings: Partial<Settings> = {};
  for (const word of cpu.split(',').slice(1)) {
    const [, sign, name = '', value = 'on'] = MCA_FEATURE.exec(word) ?? [];
    if (name === '') continue;
    const on = sign !== '-' && /^(on|yes|true)$/.test(value);
    const amd = AMD_FEATURES.get(name);
    if (amd !== undefined) settings[amd] = on && platform === 'kvm';
    // A guest of TCG cannot enable it: MCG_EXT_CTL is not there.
    else if (name === 'lmce') settings.lmceEnabled = on && platform === 'kvm';
    // Every model has mce and mca; without them QEMU injects nothing.
    else if (!on) return undefined;
  }
  return settings;
}

/**
 * CPUs that the kernel starts; the others wait for their start-up signal, with CR4.MCE clear.
 * Source: Linux Documentation/admin-guide/kernel-parameters: maxcpus, nr_cpus, possible_cpus, nosmp, nolapic.
 */
export function cpusUp(commandLine: string, cpus: number): number {
  let up = cpus;
  for (const word of commandLine.split(/\s+/)) {
    const limit =
      word === 'nosmp' || word === 'nolapic' ? '1' : /^(?:maxcpus|nr_cpus|possible_cpus)=(\d{1,5})$/.exec(word)?.[1];
    if (limit !== undefined) up = Math.min(up, Math.max(1, Number(limit)));
  }
  return up;
}

/** Values of mce= that change nothing an outlook asks. Source: Linux Documentation/arch/x86/x86_64/boot-options. */
const HARMLESS = new Set(['no_cmci', 'no_lmce', 'bootlog', 'nobootlog', 'bios_cmci_threshold']);

/**
 * What a Linux command line settles.
 * @returns undefined when it has an option whose effect the outlook does not follow
 */
export function kernelSettings(commandLine: string): Partial<Settings> | undefined {
  const settings: Partial<Settings> = {
    mceOff: false,
    ignoreCe: false,
    dontLogCe: false,
    printAll: false,
    panicOnOops: false,
    cr4Mce: true,
  };
  for (const word of commandLine.split(/\s+/)) {
    const value = /^mce=(.*)$/.exec(word)?.[1];
    if (word === 'nomce' || value === 'off') Object.assign(settings, { mceOff: true, cr4Mce: false });
    else if (value === 'ignore_ce') settings.ignoreCe = true;
    else if (value === 'dont_log_ce') settings.dontLogCe = true;
    else if (value === 'print_all') settings.printAll = true;
    else if (value !== undefined && /^\d{1,9}$/.test(value)) settings.monarchTimeout = Number(value);
    else if (value !== undefined && !HARMLESS.has(value)) return undefined;
    else if (word.startsWith('setcpuid=')) {
      for (const name of word.slice('setcpuid='.length).split(',')) {
        const amd = AMD_FEATURES.get(name);
        if (amd !== undefined) settings[amd] = true;
      }
    } else if (word === 'oops=panic') settings.panicOnOops = true;
    // Hides what is printed, takes a feature away, or sets what a table here does not know. Without ACPI it is up to
    // CONFIG_X86_MPPARSE how many CPUs are found.
    else if (
      /^(quiet$|acpi=(?:off|noirq|ht)$|pci=noacpi|clearcpuid=|loglevel=|sysctl\.|panic_on_|ghes\.|hest_disable)/.test(
        word,
      )
    )
      return undefined;
  }
  return settings;
}

/** What the configuration of a kernel settles, where it is known. Source: Linux arch/x86/Kconfig, mm/Kconfig. */
export function configSettings(config: KernelConfig | undefined): Partial<Settings> {
  if (config === undefined) return {};
  return {
    memoryFailure: config.has('CONFIG_MEMORY_FAILURE'),
    ...(config.has('CONFIG_X86_64') && !config.has('CONFIG_X86_MCE') ? { mceOff: true, cr4Mce: false } : {}),
  };
}
