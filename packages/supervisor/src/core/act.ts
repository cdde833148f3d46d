/** @module Acts: what the core wants done, what the agent answers, and what proves that a copy of a VM has stopped. */
import type { ActionId, Epoch, HostId, IncidentId, Time, VmId } from './ids.ts';

/**
 * `prove`: look whether the copy of that epoch is gone, and say how it is known. `terminate`: stop and stay stopped.
 * `autostart-off` precedes every start elsewhere. `check`: look whether a VM could be started there; nothing is done.
 * `ask-lock`: ask the storage of a VM from another host whether a copy holds QEMU's lock on its images. `ask-lease`: ask sanlock on another
 * host whether the lease of a host on its host id has expired.
 */
export const ACT_KINDS = [
  'quarantine',
  'soft-offline',
  'hard-offline',
  're-offline',
  'pause',
  'reset',
  'autostart-off',
  'stop',
  'prove',
  'check',
  'ask-lock',
  'ask-lease',
  'fence',
  'start',
  'migrate',
  'terminate',
] as const;
export type ActKind = (typeof ACT_KINDS)[number];

/**
 * Something to be done on a host (`fence`: to a host, by whatever switches its power). The agent does it at most once for an id, and
 * answers the same again. The outcome of `stop`, `prove` and `terminate` is the proof, with the epoch of the act.
 */
export interface Act {
  id: ActionId;
  kind: ActKind;
  host: HostId;
  vm?: VmId;
  /** The epoch under which it is done; an agent that has seen a higher one for the VM refuses. */
  epoch: Epoch;
  incident: IncidentId;
  /** After this, its outcome is `unknown` and is looked at (`prove`), never assumed. ms UTC. */
  deadline: Time;
  /** `start`: what to start. `migrate`: what it is to be there. */
  definition?: string;
  /** `ask-lock`, `ask-lease`: the host whose copy it is about. `ask-lock`: the disks. */
  of?: HostId;
  disks?: readonly string[];
  /** `ask-lease`: which lease; and how long after it is lost a watchdog resets its owner, s. */
  lease?: { lockspace: string; hostId: number; fireSeconds: number };
  /** `check`: files that have to be there, by whole path; else what agents understand among themselves. */
  needs?: readonly string[];
  /**
   * `migrate`: to which host. `prove` and `stop` of what is left at the source: where it was seen to have arrived. To a host that
   * does not know who runs it now, the end of a process that left alive proves nothing.
   */
  to?: HostId;
  pfn?: bigint;
  gpa?: bigint;
}

/**
 * How a stop may be known. None else is a proof: not time, not silence, not the return code of a command, not a free lease.
 * - `process-gone`: the agent saw the process of that epoch gone (no /proc/PID, another start time, or a zombie) and autostart off
 * - `domain-destroyed`: libvirt says shut off or undefined, and the process is gone
 * - `power-off`: the power state of the host was read back as off by a fence agent
 * - `image-lock`: QEMU's image lock is free, where both hosts share one kernel and the disks lie on its own file systems; else it only supports
 * - `sanlock`: the lease of the host on its host id expired by sanlock's rules, and its agent had told that its watchdog was armed for it
 * - `attested`: a person says so, audited
 */
export const PROOF_KINDS = [
  'process-gone',
  'domain-destroyed',
  'power-off',
  'image-lock',
  'sanlock',
  'attested',
] as const;
export type ProofKind = (typeof PROOF_KINDS)[number];

/** How a process may be gone: no /proc/PID, another process has its PID, it only waits to be reaped, or its host has booted since. */
export const PROCESS_GONE = ['absent', 'other-start-time', 'zombie', 'host-rebooted'] as const;
export type ProcessGone = (typeof PROCESS_GONE)[number];

export interface StopProof {
  kind: ProofKind;
  vm: VmId;
  host: HostId;
  epoch: Epoch;
  at: Time;
  /**
   * What was seen, for a person and an audit: pid, start ticks, /proc state, libvirt's words, who attested. What has to stand
   * in it stands in the table of `proof.ts`.
   */
  evidence: Record<string, string>;
}

export const RESULT_STATES = ['confirmed', 'failed', 'refused', 'unknown'] as const;

/** What became of an act, by the state that was seen afterwards. */
export interface ActResult {
  action: ActionId;
  vm?: VmId;
  epoch: Epoch;
  state: (typeof RESULT_STATES)[number];
  /** Why not, in words for a person. */
  reason?: string;
  /** Of `stop`, `prove`, `terminate`, `fence` that saw it: the proof. */
  proof?: StopProof;
  /** What was seen: of `start` the pid and start ticks of the new process, … */
  seen?: Record<string, string>;
}
