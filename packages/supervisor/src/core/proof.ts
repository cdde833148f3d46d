/**
 * @module How it may be known that a copy of a VM has stopped. Seen on real hosts: a free lease on a VM of virtlockd or sanlock proves nothing
 * by itself (two copies ran), QEMU's image lock stays held by a paused or panicked copy, and a network file system may let go of
 * the locks of a host that was cut off while its QEMU runs. Time, silence and the return code of a command prove nothing.
 */
import { PROCESS_GONE } from './act.ts';
import type { ActKind, ProofKind, StopProof } from './act.ts';
import type { Time, VmId } from './ids.ts';
import type { Policy } from './policy.ts';
import type { Copy, Place, State, Vm } from './state.ts';
import { over } from './times.ts';
import type { Due } from './times.ts';

/** Who tells: the agent of the host (a row of its spool), a fence agent beside the controller, or a person by an order. */
export type Teller = 'agent' | 'fence-agent' | 'person';

interface ProofRow {
  /** Who may send it, and as the outcome of which acts; a person's is the outcome of none. */
  from: Teller;
  acts: readonly ActKind[];
  /** What has to stand in the evidence: the name, and the values that count. */
  evidence: Readonly<Record<string, readonly string[]>>;
  /** Why it does not count under this policy, where it does not. */
  unless?: (policy: Policy, proof: StopProof) => string | undefined;
  /** It says how it was at one moment, and not that the host of the copy will not start it again. */
  ages?: true;
  /** What it says, for `explain`. */
  says: string;
}

/** Acts after which the agent of a host may say that a copy has stopped. */
const SEEN_BY_AGENT: readonly ActKind[] = ['stop', 'prove', 'terminate'];

/** Between the names of storage in the evidence of a lock. */
export const STORAGE_BETWEEN = ', ';

/** File systems whose locks are those of the kernel alone. */
const LOCAL_FILE_SYSTEMS: readonly string[] = ['ext4', 'xfs', 'btrfs', 'tmpfs'];

/** Which evidence is a proof, under which conditions, and whose word it has to be. */
const PROOFS: Readonly<Record<ProofKind, ProofRow>> = {
  'process-gone': {
    from: 'agent',
    acts: SEEN_BY_AGENT,
    evidence: { process: PROCESS_GONE, autostart: ['off'] },
    says: 'the agent saw that the process is gone and that the host will not start it again',
  },
  'domain-destroyed': {
    from: 'agent',
    acts: SEEN_BY_AGENT,
    evidence: { domain: ['shut off', 'undefined'], process: PROCESS_GONE, autostart: ['off'] },
    says: 'libvirt says that the domain is destroyed, and its process is gone',
  },
  'power-off': {
    from: 'fence-agent',
    acts: ['fence'],
    evidence: { power: ['off'] },
    ages: true,
    says: 'the power of its host was read back as off',
  },
  'image-lock': {
    from: 'agent',
    acts: ['ask-lock'],
    // A file system over a network may let go of the locks of a host that was cut off, while its QEMU runs.
    evidence: { lock: ['free'], kernel: ['shared'], fs: LOCAL_FILE_SYSTEMS },
    ages: true,
    unless: ({ proofs }, { evidence }) => {
      if (proofs.imageLock === 'one-kernel') return undefined;
      if (proofs.imageLock === 'never') return 'the policy takes a free image lock as support, not as a proof';
      const storage = evidence['storage'] ?? '';
      const untested = storage.split(STORAGE_BETWEEN).find(name => !proofs.testedStorage.includes(name));
      return untested === undefined ? undefined : `the locks of storage "${untested}" were not tested`;
    },
    says: 'no copy holds the lock on its disks, which are on a file system of the one kernel of both hosts',
  },
  sanlock: {
    from: 'agent',
    acts: ['ask-lease'],
    // What each of them says stands in `lease.ts`.
    evidence: {
      lease: ['dead'],
      owner: ['as told'],
      watchdog: ['armed'],
      overdue: ['yes'],
      agent: ['silent'],
      copy: ['of its boot'],
      // The host is up again soon after it was reset.
      autostart: ['off'],
    },
    ages: true,
    unless: ({ proofs }) => (proofs.sanlock ? undefined : 'the policy does not count sanlock'),
    says: 'the lease of its host on its host id has expired by the rules of sanlock, with the watchdog armed that has reset the host by then',
  },
  attested: { from: 'person', acts: [], evidence: {}, says: 'a person has looked and said so' },
};

/** What a proof of a kind says. */
export function proofSays(kind: ProofKind): string {
  return PROOFS[kind].says;
}

const TELLERS: Readonly<Record<Teller, string>> = {
  agent: 'the agent of a host',
  'fence-agent': 'a fence agent',
  person: 'a person',
};

/**
 * Why a proof of that kind is not the teller's to give as the outcome of an act; undefined where it is. An agent cannot attest, nor
 * read back the power of its own host; a fence agent has seen no process.
 */
export function senderFault(kind: ProofKind, from: Teller, act: ActKind): string | undefined {
  const row = PROOFS[kind];
  if (row.from !== from) return `a proof of kind ${kind} is given by ${TELLERS[row.from]}, not by ${TELLERS[from]}`;
  return row.acts.includes(act) ? undefined : `a proof of kind ${kind} is no outcome of ${act}`;
}

/** Who carries an act out, and answers. */
export function tellerOf(act: ActKind): Teller {
  return act === 'fence' ? 'fence-agent' : 'agent';
}

/**
 * Why a proof does not count for a copy; undefined where it does. It has to name exactly the VM, the host and the epoch of the
 * copy, and to hold the evidence of its kind.
 */
export function proofFault(
  policy: Policy,
  vm: VmId,
  copy: Pick<Copy, 'host' | 'epoch'>,
  proof: StopProof,
): string | undefined {
  if (proof.vm !== vm || proof.host !== copy.host || proof.epoch !== copy.epoch)
    return `it is for ${proof.vm} on ${proof.host}, epoch ${proof.epoch}, not for ${vm} on ${copy.host}, epoch ${copy.epoch}`;
  const row = PROOFS[proof.kind];
  for (const [name, values] of Object.entries(row.evidence)) {
    const said = proof.evidence[name];
    if (said === undefined || !values.includes(said))
      return `${name} is ${said === undefined ? 'not said' : `"${said}"`}, and would have to be ${values.join(' or ')}`;
  }
  return row.unless?.(policy, proof);
}

/** Whether it is proven that a copy does not run. The proof was looked at when it came; its epoch is looked at again. */
export function isProven(vm: Vm, copy: Copy): boolean {
  const { proof } = copy;
  return proof !== undefined && proof.vm === vm.id && proof.host === copy.host && proof.epoch === copy.epoch;
}

/** For so long it is taken as certain that what was off is off, and what was free is free. */
const FRESH_MS = 300_000;

/**
 * A copy whose proof was true once, and is not enough to start another by: its host starts it by itself, and may have been switched on again
 * since. Somebody has done so where its agent is or was here after the proof; and may have, unseen, where that is long ago.
 */
export function agedCopy(vm: Vm, now: Time): Copy | undefined {
  return vm.copies.find(({ ran, proof, autostart, provenAt = 0 }) => {
    if (!ran || proof === undefined || !autostart) return false;
    const { from, ages } = PROOFS[proof.kind];
    // What its own agent has seen holds: it saw autostart off, too.
    return provenAt === 0 ? from !== 'agent' || ages === true : ages === true && now - provenAt > FRESH_MS;
  });
}

/** When {@link agedCopy} finds a proof too old. */
export function dueProofs(vm: Vm, due: Due): void {
  for (const { provenAt } of vm.copies) if (provenAt !== undefined) due(over(provenAt + FRESH_MS));
}

/** The agent of its host is here: it is asked before anybody else is believed. */
export function ageProof(copy: Copy): void {
  if (copy.proof !== undefined) copy.provenAt = 0;
}

/** Records a proof that counts. It is of the boot of the host that is known now. */
export function setProof(s: State, copy: Copy, proof: StopProof, place: Place): void {
  dropProof(copy);
  [copy.proof, copy.proofPlace, copy.provenAt, copy.state] = [proof, place, s.now, 'gone'];
  const boot = s.hosts.get(copy.host)?.boot;
  if (boot !== undefined) copy.proofBoot = boot;
}

/** It does not count any more. */
export function dropProof(copy: Copy): void {
  delete copy.proof;
  delete copy.proofPlace;
  delete copy.provenAt;
  delete copy.proofBoot;
}

/** Copies of a VM that may run for all that is known. */
export function unprovenCopies(vm: Vm): Copy[] {
  return vm.copies.filter(copy => copy.ran && !isProven(vm, copy));
}

/** Never twice: a VM may be started only when each of its copies is proven to have stopped. */
export function mayStart(vm: Vm): boolean {
  return unprovenCopies(vm).length === 0;
}
