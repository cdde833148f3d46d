/**
 * @module The lease of a silent host on its host id, asked for from another host: whether that host's own daemon, which keeps its own lease, has
 * seen it go unrenewed for as long as sanlock takes to have its owner reset (sanlock(8), "Watchdog"; src/timeouts.h of sanlock:
 * host_dead_seconds = 8 * io_timeout + the watchdog's time). What that is worth depends on what the owner told while it could.
 */
import type { Act, ActResult, StopProof } from '../../core/act.ts';
import { resultOf } from '../actuator.ts';
import { leasesSeen, type SanlockPlace, sanlockStatus } from '../sanlock.ts';

/** A lease is lost when it is not renewed for so many times its io_timeout: id_renewal_fail_seconds. */
const FAIL_TIMES = 8;

/**
 * Asks this host's daemon for the lease that an act names. It is `dead` only where the daemon itself says so, and has looked at it behind the
 * time in which it should have been renewed or its owner reset. One that is free was given back: nobody was reset for it.
 */
export async function askLease(act: Act, place: SanlockPlace, signal: AbortSignal): Promise<ActResult> {
  const { vm, of, lease, epoch } = act;
  if (vm === undefined || of === undefined || lease === undefined)
    return resultOf(act, { state: 'refused', reason: 'it names no lease, or not whose' });
  const { lockspace, hostId, fireSeconds } = lease;
  const unknown = (reason: string, seen: Record<string, string> = {}): ActResult =>
    resultOf(act, { state: 'unknown', reason, seen: { lockspace, hostId: String(hostId), ...seen } });
  const status = await sanlockStatus(place, signal);
  if (status === undefined) return unknown('sanlock does not answer here');
  const own = status.lockspaces.get(lockspace);
  if (own === undefined) return unknown(`this host has not joined lockspace ${lockspace}`);
  if (own.hostId === hostId) return unknown(`host id ${hostId} is this host's own`);
  const { hosts, words } = await leasesSeen(lockspace, place, signal);
  const [seen, said] = [hosts.get(hostId), words.get(hostId)];
  // Of one that nobody has sanlock says no word.
  if (seen?.timestamp === 0 || said?.word === 'FREE') return unknown('it was given back: nobody was reset for it');
  if (seen === undefined || said === undefined) return unknown(`nothing is known here of host id ${hostId}`);
  const { owner = '', generation, ioTimeout, checked, live } = seen;
  const evidence = {
    lockspace,
    hostId: String(hostId),
    generation: String(generation),
    ownerName: owner,
    ioTimeout: String(ioTimeout),
    // As this daemon saw it: from the last renewal to its last look.
    unseenSeconds: String(checked - live),
    says: said.word,
  };
  // A daemon that cannot read the storage sees nobody renew anything.
  if (own.isFailing || !own.isRenewed || status.now - own.renewed > FAIL_TIMES * own.ioTimeout)
    return unknown('this host does not renew its own lease', evidence);
  if (status.now - checked > FAIL_TIMES * own.ioTimeout)
    return unknown('its daemon has not looked at it lately', evidence);
  if (said.generation !== generation) return unknown('it was taken anew while it was looked at', evidence);
  if (said.word !== 'DEAD')
    return resultOf(act, { state: 'failed', reason: `sanlock says ${said.word} of it`, seen: evidence });
  if (ioTimeout === 0 || checked - live <= FAIL_TIMES * ioTimeout + fireSeconds)
    return unknown('sanlock says DEAD of it, sooner than its owner is sure to be reset', evidence);
  const proof: StopProof = {
    kind: 'sanlock',
    vm,
    host: of,
    epoch,
    at: Date.now(),
    evidence: { ...evidence, lease: 'dead' },
  };
  return resultOf(act, { state: 'confirmed', seen: evidence, proof });
}
