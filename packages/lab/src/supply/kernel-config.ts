import { readFileSync } from 'node:fs';

/** The options of a kernel’s build configuration that are set, built in or as a module: `CONFIG_X86_MCE`. */
export type KernelConfig = ReadonlySet<string>;

/** Set in the configuration of every kernel that boots here; a file without one of them is none, or is cut. */
const ALWAYS = ['CONFIG_64BIT', 'CONFIG_PRINTK'];

/**
 * Reads the text of a configuration. Linux Documentation/kbuild/kconfig: an option that is off has a comment, and one
 * whose conditions are not met has no line at all.
 * @returns undefined for a text that is no whole configuration: what it lacks says nothing
 */
export function parseKernelConfig(text: string): KernelConfig | undefined {
  const set = new Set([...text.matchAll(/^(CONFIG_\w+)=[ym]$/gm)].map(([, option = '']) => option));
  return text.endsWith('\n') && ALWAYS.every(option => set.has(option)) ? set : undefined;
}

/** The configuration in a file; undefined where there is none to be read. */
export function readKernelConfig(file: string | undefined): KernelConfig | undefined {
  if (file === undefined) return undefined;
  try {
    return parseKernelConfig(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
