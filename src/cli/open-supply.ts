import { Supply } from '../supply/supply.ts';
import { progressLine } from './progress.ts';

export interface SupplyOptions {
  cache?: string;
  mirror?: string;
  offline?: boolean;
}

/** Opens the supply as the options say, with progress on stderr. */
export function openSupply(options: SupplyOptions, signal?: AbortSignal): Promise<Supply> {
  return Supply.open({
    ...(options.cache === undefined ? {} : { cacheDir: options.cache }),
    ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
    ...(options.offline ? { offline: true } : {}),
    ...(signal === undefined ? {} : { signal }),
    progress: progressLine(process.stderr),
  });
}
