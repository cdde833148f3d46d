/** @module Whether a VM could be started here: the files that it needs are there and can be read. Nothing is opened, and nothing is done. */
import { accessSync, constants, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname, isAbsolute, normalize, resolve, sep } from 'node:path';
import type { Act, ActResult } from '../../core/act.ts';
import { resultOf } from '../actuator.ts';

/** Links on one way, as the kernel allows (path_resolution(7)). */
const MAX_LINKS = 40;
/** What is missing is said of so many files. */
const MAX_SAID = 5;

/**
 * Why a file could not be used here; undefined where it could. A symbolic link on the way counts only if it is root's or ours: what another
 * user's link points to may be another file when it is opened.
 */
export function whyNotFile(path: string): string | undefined {
  if (!isAbsolute(path)) return `${path} is no whole path`;
  let links = 0;
  let rest = normalize(path).split(sep).filter(Boolean);
  let at = '/';
  try {
    while (rest.length > 0) {
      const [name = '', ...more] = rest;
      const next = resolve(at, name);
      const stats = lstatSync(next);
      rest = more;
      if (!stats.isSymbolicLink()) {
        at = next;
        continue;
      }
      if (stats.uid !== 0 && stats.uid !== process.geteuid?.()) return `${path} goes over a link of user ${stats.uid}`;
      if (++links > MAX_LINKS) return `${path} has too many links`;
      const target = resolve(dirname(next), readlinkSync(next));
      [at, rest] = ['/', [...target.split(sep).filter(Boolean), ...more]];
    }
    const stats = statSync(at);
    if (!stats.isFile() && !stats.isBlockDevice() && !stats.isDirectory()) return `${path} is no file`;
    accessSync(at, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? `${path} is not there` : `${path} cannot be read (${code ?? '?'})`;
  }
}

/** Looks for the files of an act. What is no whole path are words of the agent that told of the VM: why it can start nowhere else. */
export function checkFiles(act: Act): ActResult {
  const wrong = (act.needs ?? []).flatMap(need => (isAbsolute(need) ? (whyNotFile(need) ?? []) : need));
  if (wrong.length === 0) return resultOf(act, { state: 'confirmed', seen: { files: String(act.needs?.length ?? 0) } });
  const more = wrong.length > MAX_SAID ? `, and ${wrong.length - MAX_SAID} more` : '';
  return resultOf(act, { state: 'failed', reason: `${wrong.slice(0, MAX_SAID).join(', ')}${more}`.slice(0, 1000) });
}
