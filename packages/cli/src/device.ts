import { bits, defineRegister } from '@syndrome/decode/registers/register.ts';
import type { Stats } from 'node:fs';

/** A device number as stat(2) gives it, as far as Linux uses it. */
const DEVICE_NUMBER = defineRegister({
  name: 'st_rdev',
  width: 64,
  source: 'glibc, gnu_dev_makedev(3)',
  fields: [bits(31, 20, 'MINOR_HIGH'), bits(19, 8, 'MAJOR'), bits(7, 0, 'MINOR')],
});

/** No terminals, but they end or have a living writer: /dev/null and /dev/kmsg (devices.txt of Linux). */
const READABLE = new Set(['1:3', '1:11']);
/** Consoles and serial lines, /dev/tty, pseudo terminals, of USB and virtual ones. */
const TERMINALS = new Set([4, 5, ...Array.from({ length: 8 }, (_, i) => 136 + i), 166, 188, 204, 229]);

/** Whether it is a device to read from which says nothing, for ever: /dev/zero, /dev/random. */
export function isEndless(stat: Stats): boolean {
  const { MAJOR, MINOR, MINOR_HIGH } = DEVICE_NUMBER.read(BigInt(stat.rdev));
  const major = Number(MAJOR);
  const minor = Number(MINOR_HIGH) * 256 + Number(MINOR);
  return stat.isCharacterDevice() && !TERMINALS.has(major) && !READABLE.has(`${major}:${minor}`);
}
