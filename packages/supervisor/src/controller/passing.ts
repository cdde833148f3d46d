/** @module What stands in the way of a store for a while, and how it is waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';

const PASSING: ReadonlySet<string> = new Set(['E_STORE_FULL', 'E_STORE_BUSY', 'E_STORE_LOST', 'E_STORE_UNKNOWN']);

/** A full disk may have room again, another writer may end, and a server may come back. */
export const isPassing = (error: unknown): boolean => error instanceof StoreError && PASSING.has(error.code);

/** How long nothing is tried again, ms. */
const AGAIN_MS = 1000;

/**
 * Does something that needs the store, again and again while what is in its way may pass: a controller that its machine starts before
 * the server of its store has no other trouble than that.
 * @param log told once for each trouble
 * @returns undefined where it was told to stop before
 * @throws whatever else is wrong
 */
export async function patiently<T>(
  work: () => Promise<T>,
  stop: AbortSignal,
  log: (line: string) => void,
): Promise<T | undefined> {
  let said = '';
  while (!stop.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      const line = `nothing is done until this is over: ${messageOf(error)}`;
      if (line !== said) log(line);
      said = line;
    }
    await sleep(AGAIN_MS, undefined, { signal: stop }).catch(() => {});
  }
  return undefined;
}
