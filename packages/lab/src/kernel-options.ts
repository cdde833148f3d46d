/** Options of a kernel's build configuration that scenarios need: one table says which need is which option. Pure. */
import type { Way } from '@syndrome/decode/inject/injection.ts';
import type { KernelConfig } from './supply/kernel-config.ts';

/** A Linux that takes the errors of its machine itself, with its configuration where that is known. */
export interface KnownKernel {
  layer: 'guest' | 'host';
  release: string;
  config?: KernelConfig | undefined;
}

export interface Need {
  option: string;
  /** Only a kernel with this option can have the other one at all. */
  of?: string;
  /** Injections that a kernel has to take, and which one: `outer` is that right under the outer QEMU. */
  ways?: Readonly<Partial<Record<Way, KnownKernel['layer'] | 'outer'>>>;
  /** What only a kernel with it prints, where a scenario expects that of its layer. */
  events?: readonly string[];
  /** What becomes of a kernel without it, as the end of a sentence. */
  without: string;
}

/** Source: Linux Kconfig of arch/x86, mm and drivers/acpi/apei: what the options are for. */
export const NEEDS: readonly Need[] = [
  {
    option: 'CONFIG_X86_MCE',
    of: 'CONFIG_X86_64',
    ways: { mce: 'guest', 'corrupt-pfn': 'guest' },
    without: 'it leaves CR4.MCE clear, and a machine check resets the machine',
  },
  {
    option: 'CONFIG_MEMORY_FAILURE',
    ways: { madvise: 'guest', 'madvise-soft-offline': 'guest', 'corrupt-pfn': 'host', 'soft-offline': 'host' },
    events: ['memory-failure', 'sigbus-sent', 'soft-offline', 'soft-offline-failed'],
    without: 'it takes no page out of use, and tells no process',
  },
  {
    option: 'CONFIG_ACPI_APEI_GHES',
    ways: { ghes: 'outer', einj: 'guest', 'boot-record': 'guest' },
    events: ['cper', 'cper-address'],
    without: 'it does not look for the records of firmware',
  },
];

/** Options of which a scenario may say that it is about kernels without them. */
export const NEEDED_OPTIONS: readonly string[] = [...new Set(NEEDS.map(({ option }) => option))].toSorted();
