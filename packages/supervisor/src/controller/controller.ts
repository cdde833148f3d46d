/**
 * @module One controller: it waits until it may write, then takes what agents and people say into the ledger, sends what the
 * core wants, and tells whom it has to. Several on one store: one works, the others wait.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { holderOf, type Lease, releaseLease, takeLease } from '@syndrome/base/store/lease.ts';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { TERM_MS } from '../core/times.ts';
import { MACHINE } from './clock.ts';
import { isPassing, patiently } from './passing.ts';
import { Leader } from './leader.ts';
import { LEASE } from './lease-name.ts';
import type { ControllerOptions } from './options.ts';
import { SCHEMA } from './schema.ts';

/** How often it is looked whether a lease is free, within the time of one. */
const LOOKS = 20;

/**
 * Works until the signal says stop. Waits while another one does.
 * @throws StoreError, ControllerError when it cannot go on: what is wrong has to be looked at before it is started again
 */
export async function runController(options: ControllerOptions, stop: AbortSignal): Promise<void> {
  const { store, log } = options;
  await patiently(() => migrate(store, SCHEMA), stop, log);
  // Another name each time: what an owner of before has left lying is not continued under its epoch.
  const owner = options.share?.newOwner() ?? randomUUID();
  const ttlMs = options.ttlMs ?? TERM_MS;
  let said = false;
  while (!stop.aborted) {
    try {
      const lease = await (options.share === undefined
        ? takeLease(store, LEASE, owner, ttlMs)
        : options.share.attempt(store, owner, ttlMs));
      if (lease !== undefined) {
        said = false;
        log(`this controller works now, epoch ${lease.epoch}`);
        await lead(options, lease, ttlMs, stop);
        continue;
      }
      if (!said) log('another controller works on this store; this one waits');
      said = true;
      const holder = options.elsewhere && (await holderOf(store, LEASE));
      if (holder !== undefined && holder.overMs <= 0) options.elsewhere?.(holder);
    } catch (error) {
      // A server that is away: whoever reaches it first once it is back takes the lease.
      if (!isPassing(error)) throw error;
      log(`nothing is done until this is over: ${messageOf(error)}`);
    }
    await sleep(ttlMs / LOOKS, undefined, { signal: stop }).catch(() => {});
  }
}

async function lead(options: ControllerOptions, lease: Lease, ttlMs: number, stop: AbortSignal): Promise<void> {
  const leader = new Leader(options, options.clocks ?? MACHINE, lease, ttlMs);
  const leave = (): void => leader.end();
  const left = options.share?.took(options.store, leave);
  stop.addEventListener('abort', leave, { once: true });
  if (stop.aborted) leave();
  try {
    await leader.work();
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'E_STORE_LEASE')) throw error;
    options.log(`this controller works no more: ${messageOf(error)}`);
  } finally {
    stop.removeEventListener('abort', leave);
    left?.();
    await releaseLease(options.store, lease).catch(() => {});
  }
}
