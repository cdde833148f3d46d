/** A moment until which a call may take, shared by all the waits it consists of. */
import { checkedDeadline } from '../socket/deadline.ts';

export type Deadline = {
  /** The whole time the caller allowed, ms: what an error names. */
  totalMs: number;
  /** What is left, ms; never below 1, so that it can be given to a timer. */
  leftMs(): number;
  expired(): boolean;
};

/** Starts the clock. Throws UsageError for a time that is not positive and finite. */
export function deadlineIn(totalMs: number): Deadline {
  checkedDeadline(totalMs, 'E_GDB_BAD_DEADLINE');
  const end = performance.now() + totalMs;
  return {
    totalMs,
    leftMs: () => Math.max(1, end - performance.now()),
    expired: () => performance.now() >= end,
  };
}
