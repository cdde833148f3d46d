import { gzipSync } from 'node:zlib';
import { writeNewc } from './newc.ts';
import type { CpioEntry } from './newc.ts';

type InitramfsOptions = {
  /** Default `none`: an emulated CPU unpacks slower than the image loads. `gzip` saves disk where it is kept. */
  compression?: 'none' | 'gzip';
};

/** Where PID 1 finds its console before /dev is mounted (kernel: init/main.c opens /dev/console). */
const DEVICES: readonly CpioEntry[] = [
  { type: 'character', path: 'dev/console', major: 5, minor: 1, mode: 0o600 },
  { type: 'character', path: 'dev/null', major: 1, minor: 3, mode: 0o666 },
];

/**
 * An initramfs of these entries, with /dev/console and /dev/null added unless given. The same entries give the same
 * bytes. Throws InitramfsError on bad paths.
 */
export function buildInitramfs(entries: readonly CpioEntry[], options: InitramfsOptions = {}): Uint8Array {
  const given = new Set(entries.map(entry => entry.path));
  const archive = writeNewc([...DEVICES.filter(device => !given.has(device.path)), ...entries]);
  if (options.compression !== 'gzip') return archive;
  const packed = gzipSync(archive, { level: 1 });
  packed[9] = 255; // operating system "unknown" (RFC 1952, 2.3): zlib writes the one it was built for
  return packed;
}
