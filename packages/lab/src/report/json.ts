import { stringify } from '@syndrome/decode/common/hex.ts';
import { escapeJson } from '@syndrome/decode/common/screen.ts';
import type { Reporter } from './reporter.ts';

/** JSON that may go to a terminal: what JSON leaves raw and a terminal obeys is escaped, and the value stays the same. u64 are `0x…` strings. */
export function screenJson(value: unknown, indent?: number): string {
  return escapeJson(stringify(value, indent));
}

/** One JSON object a run, one line each. */
export function jsonReporter(write: (line: string) => void): Reporter {
  return { result: result => write(screenJson(result)) };
}
