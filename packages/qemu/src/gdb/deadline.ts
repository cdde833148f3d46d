/** A moment until which a call may take, shared by all the waits it consists of. */
import { UsageError } from '@syndrome/decode/common/errors.ts';

export type Deadline = {
  /** The whole time the caller allowed, ms: what an error names. */
  totalMs: number;
  /** What is left, ms; never below 1, so that it can be given to a timer. */
  leftMs(): number;
  expired(): boolean;
};

/** Starts the clock. Throws UsageError for a time that is not positive and finite. */
export function deadlineIn(totalMs: number): Deadline {
  // setTimeout takes 31 bits and turns more into 1 ms.
  if (!(totalMs > 0 && totalMs <= 0x7fff_ffff)) {
    throw new UsageError('E_GDB_BAD_DEADLINE', `a deadline of ${totalMs} ms is not a positive, finite time`, {
      hint: 'Nothing waits for ever: name a time in milliseconds, at most 24 days.',
    });
  }
  const end = performance.now() + totalMs;
  return {
    totalMs,
    leftMs: () => Math.max(1, end - performance.now()),
    expired: () => performance.now() >= end,
  };
}
