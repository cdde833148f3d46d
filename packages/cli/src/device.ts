import type { Stats } from 'node:fs';

/** No terminals, but they end or have a living writer: /dev/null and /dev/kmsg (devices.txt of Linux). */
const READABLE = new Set(['1:3', '1:11']);
/** Consoles and serial lines, /dev/tty, pseudo terminals, of USB and virtual ones. */
const TERMINALS = new Set([4, 5, ...Array.from({ length: 8 }, (_, i) => 136 + i), 166, 188, 204, 229]);

/** Whether it is a device to read from which says nothing, for ever: /dev/zero, /dev/random. */
export function isEndless(stat: Stats): boolean {
  const major = (stat.rdev >> 8) & 0xfff;
  const minor = (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00);
  return stat.isCharacterDevice() && !TERMINALS.has(major) && !READABLE.has(`${major}:${minor}`);
}
