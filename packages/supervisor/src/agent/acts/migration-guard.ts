/** @module QEMU's own guard: since 9.0 it carries no VM over whose memory is poisoned, also where nobody else knows of that. */
import type { ActResult } from '../../core/act.ts';

/** QEMU 9.0, migration/migration.c: by its monitor, and as libvirt hands it on. */
const GUARD = /can't migrate this vm with hardware poisoned memory[^\n]*/i;
const MAX_WORDS = 1024;

/**
 * What a refused migration comes to where the guard has refused it; undefined where the words are other ones.
 * @example guardRefusal("Can't migrate this vm with hardware poisoned memory, please reboot the vm and try again")
 */
export function guardRefusal(words: string): Pick<ActResult, 'state' | 'reason' | 'seen'> | undefined {
  const said = GUARD.exec(words)?.[0];
  if (said === undefined) return undefined;
  return { state: 'refused', reason: `QEMU refuses it: ${said.slice(0, MAX_WORDS)}`, seen: { memory: 'poisoned' } };
}
