/** @module A policy as data: what is done at which threshold. It cannot name commands or URLs. All durations are ms. */
import type { Time } from './ids.ts';

/** `observe`: remember and decide, tell no customer. `notify`: tell too. `act`: all that the rules say. */
export const MODES = ['observe', 'notify', 'act'] as const;
type Mode = (typeof MODES)[number];

/** The ladder of a VM, lowest first; `hold` is where nothing more may be done without a proof. */
export const RUNGS = [
  'observe',
  'tell',
  'quarantine',
  'reboot',
  'migrate',
  'restart-elsewhere',
  'terminate',
  'hold',
] as const;
export type Rung = (typeof RUNGS)[number];

/** Of them, what interrupts a VM or moves it. */
export const MOVES: ReadonlySet<Rung> = new Set(['reboot', 'migrate', 'restart-elsewhere', 'terminate']);

/** The ladder of a host: `drain` takes no VM any more, `evacuate` also moves those that are there. */
export const HOST_RUNGS = ['observe', 'tell', 'drain', 'evacuate'] as const;
export type HostRung = (typeof HOST_RUNGS)[number];

/** The ladder of a page that only has corrected errors. */
export const PAGE_RUNGS = ['observe', 'tell', 'soft-offline'] as const;
type PageRung = (typeof PAGE_RUNGS)[number];

/** What became of a VM after an error: `rebooted` was not known to be a panic, `died` is the end of the VMM. */
export const CONSEQUENCES = ['panicked', 'rebooted', 'died'] as const;
export type Consequence = (typeof CONSEQUENCES)[number];

/** Where corrected errors are counted. */
export const CORRECTED_BY = ['page', 'row', 'bank', 'dimm', 'host'] as const;
type CorrectedBy = (typeof CORRECTED_BY)[number];

/** All that is named has to hold. Errors are distinct pages, plus those without an address: at most one a minute and VM. */
export interface VmWhen {
  errors?: number | undefined;
  /** Of them, those whose page is not known. */
  unlocated?: number | undefined;
  /** Count errors of the last so many ms. */
  within?: Time | undefined;
  consequence?: Consequence[] | undefined;
  /** The VM, or something in it, has used the bad data. */
  consumed?: boolean | undefined;
  /** A second error came while the guest handled the first. */
  recursive?: boolean | undefined;
  /** The VMM's own memory is hit. */
  hypervisor?: boolean | undefined;
}

export interface HostWhen {
  errors?: number | undefined;
  /** Of them, those in one DIMM: that many. Where each lies in it is not told of them. */
  sameDimm?: number | undefined;
  within?: Time | undefined;
  corrected?: number | undefined;
  correctedBy?: CorrectedBy | undefined;
  /** The host's kernel could not take a bad page away, or it is the kernel's own. */
  suspect?: boolean | undefined;
  /** No agent has been connected for so long. */
  silent?: Time | undefined;
}

interface PageWhen {
  corrected: number;
  within: Time;
}

export interface VmRule {
  name: string;
  of: 'vm';
  when: VmWhen;
  do: Rung;
  /** Close the host of the VM to new VMs too. */
  drain: boolean;
  /** The customer is told, and so much time is left, before a VM that still runs is acted on. */
  notice: Time;
  /** Wait so long after the consequence: a guest may write its dump. */
  settle: Time;
}
export interface HostRule {
  name: string;
  of: 'host';
  when: HostWhen;
  do: HostRung;
}
export interface PageRule {
  name: string;
  of: 'page';
  when: PageWhen;
  do: PageRung;
}
/** For each VM, host and page the first rule that holds decides. */
export type Rule = VmRule | HostRule | PageRule;

interface Budget {
  /** VMs that are acted on at the same time, by whatever act; each has one under way at most, beside a page that is taken out of it. */
  moves: number;
  /** Hosts that drain at the same time, in percent of all, rounded down, but at least so many. */
  drainingPercent: number;
  drainingAtLeast: number;
}

/** So many hosts with new errors within a time is no set of bad DIMMs: nothing is done until it is over. */
interface Breaker {
  hosts: number;
  percent: number;
  within: Time;
  /** It closes by itself when nothing new has come for so long; 0: only a person closes it. */
  cooldown: Time;
}

/** Which proofs count here, beside those that always do. */
interface Proofs {
  /**
   * `never`; `one-kernel`: where both hosts share one kernel and the disks are on its own file systems; `tested`: there, and only in the
   * storage that `testedStorage` names as hosts do.
   */
  imageLock: 'never' | 'one-kernel' | 'tested';
  testedStorage: string[];
  /** The expired lease of a host on its host id counts, where its agent had told that its watchdog was armed. */
  sanlock: boolean;
  /** A host may be powered off to prove that its VMs have stopped. */
  fence: boolean;
}

/** How long an act may take before its outcome is unknown. */
interface Deadlines {
  act: Time;
  stop: Time;
  start: Time;
  migrate: Time;
  prove: Time;
  fence: Time;
}

export interface Policy {
  schema: 1;
  name: string;
  version: string;
  mode: Mode;
  rules: Rule[];
  budget: Budget;
  breaker: Breaker;
  proofs: Proofs;
  deadlines: Deadlines;
  /** After a reboot of a host take its known bad pages out of use again, before they are given out. */
  reoffline: boolean;
}

/** What holds until a policy was given: everything is remembered, nothing is done. */
export const NO_POLICY: Policy = {
  schema: 1,
  name: 'none',
  version: '0',
  mode: 'observe',
  rules: [],
  budget: { moves: 1, drainingPercent: 5, drainingAtLeast: 1 },
  breaker: { hosts: 5, percent: 10, within: 600_000, cooldown: 1_800_000 },
  proofs: { imageLock: 'never', testedStorage: [], sanlock: false, fence: false },
  deadlines: { act: 60_000, stop: 30_000, start: 60_000, migrate: 600_000, prove: 15_000, fence: 60_000 },
  reoffline: false,
};
