/** Files that a command is told to write, where the system is not Linux: nothing is known there of what else may be found. */
import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { outputMode } from './umask.ts';
import { writeWhole } from './write-whole.ts';

/** The descriptor that a program writes to where nothing else is said. */
const STDOUT = 1;

/**
 * Writes a file whole, keeps its mode, and follows a symbolic link to it; a device is written to as it is, and `-` is stdout.
 * @throws the error of the file system
 */
export function writePlainly(path: string, content: string | Uint8Array): void {
  if (path === '-') return writeFileSync(STDOUT, content);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined) writeWhole(path, content, { mode: outputMode() });
  else if (there.isFile()) writeWhole(realpathSync(path), content, { mode: there.mode & 0o777 });
  else writeFileSync(path, content);
}
