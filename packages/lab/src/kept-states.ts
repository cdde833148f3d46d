import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the kept states in a cache. */
export const statesDir = (cacheDir: string): string => join(cacheDir, 'snapshots');

/** A machine's state after its boot, kept for the next run. */
interface KeptState {
  path: string;
  /** On disk: the files are sparse. */
  bytes: number;
  /** When it was made or last restored, ms since the epoch. */
  usedAt: number;
}

const DEFAULT_GB = 8;

/** How many bytes the kept states of a cache may take: `$SYNDROME_STATES_GB` (10⁹ bytes), else 8 GB. */
export function statesLimit(env: NodeJS.ProcessEnv = process.env): number {
  const gb = Number(env['SYNDROME_STATES_GB'] || DEFAULT_GB);
  return (gb > 0 && Number.isFinite(gb) ? gb : DEFAULT_GB) * 1e9;
}

/** A file that is being written is given up when it did not grow for so long: its run was killed. */
const UNFINISHED_MS = 600_000;

function look(cacheDir: string): (KeptState & { finished: boolean })[] {
  let names: string[];
  try {
    names = readdirSync(statesDir(cacheDir));
  } catch {
    return [];
  }
  return names.flatMap(name => {
    const path = join(statesDir(cacheDir), name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) return [];
    return { path, bytes: stat.blocks * 512, usedAt: stat.mtimeMs, finished: name.endsWith('.state') };
  });
}

/** The kept states, the one that was not used for the longest time first. */
export function keptStates(cacheDir: string): KeptState[] {
  return look(cacheDir)
    .filter(s => s.finished)
    .map(({ path, bytes, usedAt }) => ({ path, bytes, usedAt }))
    .toSorted((a, b) => a.usedAt - b.usedAt);
}

/** A state was restored. */
export function markUsed(file: string): void {
  try {
    const now = new Date();
    utimesSync(file, now, now);
  } catch {
    // Another run has removed it meanwhile.
  }
}

/**
 * Removes the states that were not used for the longest time until the others take no more than `limit` bytes, and what
 * killed runs have left unfinished. A machine that is just restored from one goes on: its file is open.
 * @param spare a state that stays in any case: the one that was just made
 * @returns what was removed
 */
export function boundStates(cacheDir: string, spare: string, limit: number = statesLimit()): string[] {
  const now = Date.now();
  const removed = look(cacheDir).filter(s => !s.finished && now - s.usedAt > UNFINISHED_MS);
  const states = keptStates(cacheDir);
  let total = states.reduce((sum, s) => sum + s.bytes, 0);
  for (const state of states) {
    if (total <= limit) break;
    if (state.path === spare) continue;
    total -= state.bytes;
    removed.push({ ...state, finished: true });
  }
  for (const { path } of removed) rmSync(path, { force: true });
  return removed.map(s => s.path);
}
