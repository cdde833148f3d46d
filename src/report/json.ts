import { stringify } from '../common/hex.ts';
import type { Reporter } from './reporter.ts';

/** One JSON object a run, one line each. u64 are `0x…` strings. */
export function jsonReporter(write: (line: string) => void): Reporter {
  return { result: result => write(stringify(result)) };
}
