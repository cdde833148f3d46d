import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { ensureDir } from '@syndrome/lab/ensure-dir.ts';
import { classifyFs } from '@syndrome/lab/supply/errors.ts';
import { cacheRoot } from '@syndrome/lab/supply/layout.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { progressLine } from './progress.ts';

export interface SupplyOptions {
  cache?: string;
  mirror?: string;
  offline?: boolean;
}

/** Programs are started in it, and paths begin there. */
function requireWorkingFolder(): void {
  try {
    process.cwd();
  } catch (cause) {
    throw new SyndromeError('E_CWD', 'the working folder is gone', { cause, hint: 'Go to another one and try again.' });
  }
}

/** Opens the supply as the options say, with progress on stderr. @throws SupplyError E_SUPPLY_CACHE. */
export async function openSupply(options: SupplyOptions, signal?: AbortSignal): Promise<Supply> {
  requireWorkingFolder();
  const root = cacheRoot(options.cache);
  try {
    // A folder that can never be made (below /proc) would not let Node's own recursive mkdir end.
    ensureDir(root);
  } catch (error) {
    throw classifyFs(error, root);
  }
  return Supply.open({
    ...(options.cache === undefined ? {} : { cacheDir: options.cache }),
    ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
    ...(options.offline ? { offline: true } : {}),
    ...(signal === undefined ? {} : { signal }),
    progress: progressLine(),
  });
}
