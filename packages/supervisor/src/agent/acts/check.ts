/** @module Whether a VM could be started here: the files that it needs are there and can be read, and its CPU model is known. Nothing is opened. */
import { accessSync, constants, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, normalize, resolve, sep } from 'node:path';
import { whyNotOwn } from '@syndrome/base/disk/own-folder.ts';
import type { Act, ActResult } from '../../core/act.ts';
import { resultOf } from '../actuator.ts';
import { asCpuNeed } from '../needs.ts';
import { runOnce } from './child.ts';

/** Links on one way, as the kernel allows (path_resolution(7)). */
const MAX_LINKS = 40;
/** A program lists its CPU models within this time, ms. */
const HELP_MS = 10_000;
/** What is missing is said of so many files. */
const MAX_SAID = 5;

/** Programs that this agent may start: no other is asked for anything. */
interface Asking {
  programs: readonly string[];
  signal: AbortSignal;
}

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

/** A CPU model as `-cpu help` lists it, by itself or behind the architecture; what follows the list are flags. */
const listed = (help: string, model: string): boolean =>
  (help.split(/^Recognized /m)[0] ?? '').split('\n').some(line => line.trim().split(/\s+/, 2).includes(model));

/** Why a program could not give its VM a CPU; undefined where it could, and where it cannot be asked. */
async function whyNotModel(model: string, program: string, { programs, signal }: Asking): Promise<string | undefined> {
  // That it is there has been looked at; only what we may start is run.
  if (
    !programs.includes(program) ||
    whyNotFile(program) !== undefined ||
    whyNotOwn(realpathSync(program)) !== undefined
  )
    return undefined;
  const { code, output } = await runOnce([program, '-cpu', 'help'], HELP_MS, signal);
  if (code !== 0 || output === '' || listed(output, model)) return undefined;
  return `${program} knows no CPU model ${model}`;
}

/** Looks for what an act says that a VM needs. */
export async function checkNeeds(act: Act, asking: Asking): Promise<ActResult> {
  const whyNot = async (need: string): Promise<string | undefined> => {
    if (isAbsolute(need)) return whyNotFile(need);
    const cpu = asCpuNeed(need);
    // Words of the agent that told of the VM: why it can start nowhere else.
    return cpu === undefined ? need : whyNotModel(cpu.model, cpu.program, asking);
  };
  const wrong = (await Promise.all((act.needs ?? []).map(whyNot))).filter(why => why !== undefined);
  if (wrong.length === 0) return resultOf(act, { state: 'confirmed', seen: { files: String(act.needs?.length ?? 0) } });
  const more = wrong.length > MAX_SAID ? `, and ${wrong.length - MAX_SAID} more` : '';
  return resultOf(act, { state: 'failed', reason: `${wrong.slice(0, MAX_SAID).join(', ')}${more}`.slice(0, 1000) });
}
