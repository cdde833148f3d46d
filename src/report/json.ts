import { stringify } from '../common/hex.ts';
import type { Reporter } from './reporter.ts';

/**
 * JSON that may go to a terminal: what JSON leaves raw and a terminal obeys (C1 controls, bidirectional overrides) is
 * escaped. The value stays the same. u64 are `0x…` strings.
 */
export function screenJson(value: unknown, indent?: number): string {
  return stringify(value, indent).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One JSON object a run, one line each. */
export function jsonReporter(write: (line: string) => void): Reporter {
  return { result: result => write(screenJson(result)) };
}
