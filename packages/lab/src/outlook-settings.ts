/** What the command lines of a machine settle of an outlook: the CPU's vendor, and the kernel's machine check options. */
import { vendorOfId } from '@syndrome/decode/mca/cpu.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';

/** QEMU -cpu models by the vendor they say they are. Source: QEMU target/i386/cpu.c, builtin_x86_defs, 11.1. */
const MODELS: readonly (readonly [RegExp, 'intel' | 'amd'])[] = [
  [/^(EPYC|Opteron|athlon|phenom|qemu64$)/i, 'amd'],
  [/^(Skylake|Cascadelake|Cooperlake|Icelake|SapphireRapids|GraniteRapids|SierraForest|ClearwaterForest)/i, 'intel'],
  [/^(Nehalem|Westmere|SandyBridge|IvyBridge|Haswell|Broadwell|Snowridge|Denverton|KnightsMill)/i, 'intel'],
  [/^(Penryn|Conroe|core2duo|coreduo|kvm64$)/i, 'intel'],
];

/** Features of a -cpu option that change what a machine check does, and that the outlook does not follow. */
const MCA_FEATURES = /(^|[,+-])(mce|mca|lmce|succor|overflow-recov|smca)\b/;

/**
 * Vendor a guest reads from its CPU. Under KVM a model takes the vendor of the CPU that runs it, unless `vendor=` is given.
 * @param host vendor of the CPU under KVM; `tcg` where the model itself decides
 * @returns undefined when it cannot be told
 */
export function cpuVendor(cpu: string, host: 'intel' | 'amd' | 'tcg' | undefined): 'intel' | 'amd' | undefined {
  const stated = /,vendor=([^,]+)/.exec(cpu)?.[1];
  if (stated !== undefined) return vendorOfId(stated);
  if (host !== 'tcg') return host;
  const model = cpu.split(',')[0] ?? '';
  return MODELS.find(([shape]) => shape.test(model))?.[1];
}

/** Does the -cpu option leave the machine check features as the model has them? */
export function plainMca(cpu: string): boolean {
  return !MCA_FEATURES.test(cpu);
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
    else if (word === 'oops=panic') settings.panicOnOops = true;
    // Hides what is printed, or sets what a table here does not know.
    else if (/^(quiet$|loglevel=|sysctl\.|panic_on_|ghes\.|hest_disable)/.test(word)) return undefined;
  }
  return settings;
}
