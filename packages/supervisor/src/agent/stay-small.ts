/** @module How an agent stays small: it runs beside VMs, on memory that is theirs. */
import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the young part of the heap at 1 MiB, where V8 would let it grow to 32 and keep it: events are few, and 50 VMs that are
 * found at once make much garbage once. For the program's first moment; costs some more, shorter collections.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--max-semi-space-size=1');
}
