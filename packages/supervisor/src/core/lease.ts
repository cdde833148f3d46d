/**
 * @module What the lease of a silent host on its host id proves. sanlock has whoever does not renew such a lease reset by its watchdog, after
 * 8 * io_timeout and the watchdog's time (sanlock(8), "Expiration", "Watchdog"). So an expired lease says that the host was reset, and all that ran on
 * it is gone: if its watchdog was armed for that lockspace, which only its own agent can have told before. The lease of a *VM* proves nothing: it
 * is given back when the VM is paused.
 */
import type { Act, StopProof } from './act.ts';
import { newer } from './ledger.ts';
import type { Policy } from './policy.ts';
import type { LeaseReport } from './said.ts';
import type { Copy, Doing, Host, State } from './state.ts';

/** A lease is lost when it is not renewed for so many times its io_timeout (sanlock, src/timeouts.h: id_renewal_fail_seconds). */
const FAIL_TIMES = 8;
/** That nothing comes of an agent any more is noticed so late, ms: a controller looks each 5 s whether it was heard within 15 s. */
const NOTICED_MS = 20_000;

/**
 * Which lease of a silent host another one is asked for: of a lockspace that both have joined, and for which the silent one's watchdog was armed;
 * undefined where there is none, or the policy does not count it.
 */
export function leaseToAsk({ proofs }: Policy, of: Host | undefined, asker: Host | undefined): Act['lease'] {
  if (!proofs.sanlock) return undefined;
  for (const { lockspace, hostId, watchdog } of of?.leases ?? [])
    if (watchdog !== undefined && asker?.leases?.some(own => own.lockspace === lockspace && own.hostId !== hostId))
      return { lockspace, hostId, fireSeconds: watchdog.fireSeconds };
  return undefined;
}

/** A whole number of an answer; NaN, which is more or less than nothing, where it is none. */
const numberOf = (text: string | undefined): number => (/^\d{1,9}$/.test(text ?? '') ? Number(text) : Number.NaN);

/** For how long more than it takes to reset the host the lease was seen not to be renewed, s; NaN where that is not said. */
function overdue(evidence: StopProof['evidence'], told: LeaseReport): number {
  const ioTimeout = Math.max(numberOf(evidence['ioTimeout']), told.ioTimeout);
  return numberOf(evidence['unseenSeconds']) - FAIL_TIMES * ioTimeout - (told.watchdog?.fireSeconds ?? Number.NaN);
}

/**
 * A proof from another host, with what is ours to say of it in its evidence: whatever its sender says of that is written over.
 * - `owner`: it is the lease that the silent host has told of in its boot, by its name and of the same generation: it has not joined again since.
 *   Host id and lockspace are no such name: libvirt calls each of its own `__LIBVIRT__DISKS__`, wherever it lies
 * - `watchdog`: its agent had told that its watchdog was armed for it
 * - `overdue`: it was not renewed for longer than it takes to reset the host
 * - `agent`: nobody has heard of the host since it should have been reset
 * - `copy`: the copy was seen in the boot of the host that its agent has told since it began last, and no start of it is open, so that the host's reset was its end
 * - `autostart`: the host does not start it again by itself when it is up again
 */
export function withLease(s: State, copy: Copy, { asked }: Doing, proof: StopProof): StopProof {
  const { evidence } = proof;
  const host = s.hosts.get(copy.host);
  const told = host?.leases?.find(
    ({ lockspace, hostId }) => lockspace === evidence['lockspace'] && String(hostId) === evidence['hostId'],
  );
  const late = told === undefined ? Number.NaN : overdue(evidence, told);
  // The look was not before it was asked for: by then the reset was over for so long.
  const isSilent = host?.connected === false && asked !== undefined && host.since <= asked - late * 1000 + NOTICED_MS;
  // Since its agent began last it has told its boot: what it has told of VMs before may be of another.
  const begun = host?.sources.get('agent')?.place;
  const isOfBoot =
    copy.state !== 'starting' &&
    copy.place !== undefined &&
    host?.place !== undefined &&
    host.bootPlace !== undefined &&
    newer(host.place, begun) &&
    newer(copy.place, host.bootPlace);
  const isOwner =
    told?.owner !== undefined &&
    told.owner === evidence['ownerName'] &&
    String(told.generation) === evidence['generation'];
  return {
    ...proof,
    evidence: {
      ...evidence,
      owner: isOwner ? 'as told' : 'another',
      watchdog: told?.watchdog === undefined ? 'not armed' : 'armed',
      ...(told?.watchdog === undefined ? {} : { device: told.watchdog.device }),
      overdue: late > 0 ? 'yes' : 'no',
      agent: isSilent ? 'silent' : 'heard',
      copy: isOfBoot ? 'of its boot' : 'of another',
      autostart: copy.autostart ? 'on' : 'off',
      ...(host?.boot === undefined ? {} : { boot: host.boot }),
    },
  };
}
