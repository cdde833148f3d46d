/** @module The line of /proc/meminfo that tells of bad memory. Source: Linux Documentation/filesystems/proc.rst, HardwareCorrupted. */

const CORRUPTED = /^\s{0,8}HardwareCorrupted:\s{1,24}(\d{1,12}) kB\s*$/m;

/**
 * How much memory a kernel holds to be bad, kB; undefined where the text does not say.
 * @param text /proc/meminfo, or a line of it
 * @example corruptedKb('HardwareCorrupted:   228 kB') // 228
 */
export function corruptedKb(text: string): number | undefined {
  const kb = CORRUPTED.exec(text)?.[1];
  return kb === undefined ? undefined : Number(kb);
}
