/** @module How an agent stays small: it runs beside VMs, on memory that is theirs. */
import { setFlagsFromString } from 'node:v8';

/**
 * For the program's first moment, before V8 has grown.
 * - The young part of the heap stays at 1 MiB, where V8 would let it grow to 32 and keep it: events are few, and 50 VMs that are
 *   found at once make much garbage once. It costs some more, shorter collections.
 * - No function is compiled a second time, to be faster: in 8 MB those compilers and what they make would be kept for a process that
 *   idles. What a second of a CPU then reads is half as much, 60,000 lines of a kernel's log or 30,000 rows of the spool.
 */
export function staySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--max-semi-space-size=1');
  setFlagsFromString('--no-maglev');
  setFlagsFromString('--no-turbofan');
}
