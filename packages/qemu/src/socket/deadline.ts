/** @module How long a caller may have something waited for. */
import { UsageError } from '@syndrome/decode/common/errors.ts';

/** setTimeout takes 31 bits and turns more into 1 ms. */
const MAX_MS = 0x7fff_ffff;

/** The time itself, ms. @param code of the client's own @throws UsageError for a time that is not positive and finite */
export function checkedDeadline(deadlineMs: number, code: string): number {
  if (deadlineMs > 0 && deadlineMs <= MAX_MS) return deadlineMs;
  throw new UsageError(code, `a deadline of ${deadlineMs} ms is not a positive, finite time`, {
    hint: 'Nothing waits for ever: name a time in milliseconds, at most 24 days.',
  });
}
