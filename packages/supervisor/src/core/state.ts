/**
 * @module All that the core knows, as data. It goes through JSON: 64-bit values are `0x` text in it, and its maps are written as
 * lists, because their keys come from outside.
 */
import type { ActKind, StopProof, RESULT_STATES } from './act.ts';
import type { ActionId, Epoch, HostId, IncidentId, Time, VmId } from './ids.ts';
import { NO_POLICY } from './policy.ts';
import type { Consequence, Policy, Rung } from './policy.ts';
import type { LeaseReport, SourceState, VmState } from './said.ts';

/** Where a row stands in its host's story: what an older one says does not undo what a newer one said. */
export interface Place {
  spool: string;
  seq: number;
  at: Time;
  /** How often its agent had lost what it had written down, or its clock was set back. Default 0. */
  life?: number;
}

/** Times by cells of 5 s: the first and the last of each. The order in which they come does not matter, a storm fills one. */
export type Times = Map<number, [first: Time, last: Time]>;

/** A bad page of a host: by its page frame, or by guest address alone where no more is known. */
export interface Page {
  /** `0x…` of the page frame, or `VM/0x…` of the guest page; `VM/0x…/2` of a later life of the VM on that host. */
  key: string;
  /** The life of its VM in which a guest page was named, where it is not the first. */
  life?: number;
  pfn?: string;
  gpa?: string;
  /** The VMs that witnesses named: one, or several that share the page. */
  vms: VmId[];
  /** VMs that were told of an error without an address at about that time. One alone is taken for the page's. */
  claims: VmId[];
  /** log2 of the bytes that are lost with it. */
  order: number;
  times: Times;
  /** Witnesses, repeats among them. */
  hits: number;
  consumed?: boolean;
  recursive?: boolean;
  /** A process that lost it. */
  process?: string;
  /** What the host's kernel did: the worst result, and the kind of page. */
  kernel?: { result: string; page: string };
  dimm?: string;
  /** Out of use since this boot of the host. */
  applied: boolean;
  quarantined?: boolean;
  /** The boot in which it was last asked to be taken out of use again. */
  reofflined?: string;
  /** Of that, in the same boot: how often, and when it may be asked again. */
  reofflines?: { asked: number; again: Time };
  /** When the host has said that it is out of use again, by its clock. */
  appliedAt?: Time;
  /** The boot in which its kernel has counted fewer bad pages than the ledger. */
  doubted?: string;
  /** The memory behind it was replaced. */
  repaired?: boolean;
}

export interface Corrected {
  /** `page`, `row`, …: which part of the host. */
  by: string;
  /** Errors by quarter of an hour. */
  counts: Map<number, number>;
  /** The highest rung that it led to. */
  rung?: string;
}

/** A corrected error with its address: who has told it, and for which parts it was counted. */
export interface ToldCorrected {
  addr: string;
  at: Time;
  count: number;
  by: string[];
  parts: string[];
}

export interface Host {
  id: HostId;
  connected: boolean;
  /** Since when it is (not) connected. */
  since: Time;
  /** How far its clock is behind ours, ms: the least that any of its rows took lately. Negative where it is ahead. */
  behind?: number;
  /** The least of the last two windows of some minutes: a clock that is set right is noticed. */
  clock?: { began: Time; least: number; before?: number };
  /** Its newest row: a later one of an earlier time says that its clock was set back. */
  newest?: Place;
  place?: Place;
  /** Its spools, with the life of its agent that each is of; the present life, and when that began by the host's clock. */
  spools?: Map<string, number>;
  life?: number;
  begun?: Time;
  boot?: string;
  /** The first row of this boot: pages that were seen before it are in use again. */
  bootPlace?: Place;
  arch?: string;
  kernel?: string;
  memoryBytes: number;
  freeBytes: number;
  cpuModels: string[];
  storage: string[];
  /** Its leases in lockspaces of sanlock, in this boot. */
  leases?: LeaseReport[];
  pages: Map<string, Page>;
  corrected: Map<string, Corrected>;
  /** The newest corrected error of each source, and the newest that was told before its agent began anew. */
  correctedTo?: Map<string, Time>;
  correctedBefore?: Map<string, Time>;
  /** Corrected errors that others may tell, too; how many the drivers of its memory controllers have told. */
  correctedLately?: ToldCorrected[];
  correctedByDriver?: number;
  /** What these drivers have counted in a boot: at first, with what was told by then; what was added because nobody has told it. */
  correctedCount?: {
    boot: string;
    first?: { count: number; told: number };
    added: number;
    newest: { count: number; at: Time };
    settling?: { count: number; at: Time };
  };
  /** What its kernel has counted since its boot: errors that it has handled, pages that are out of use. */
  counted?: { handled?: number; poisoned?: number };
  /** Of those, errors that nobody has told, and since when it is so many. */
  unseen?: { count: number; since: Time };
  /** Why its own memory is not to be trusted: a page that its kernel could not take away. */
  suspect?: string;
  draining?: { at: Time; by: string; evacuate: boolean; told?: boolean };
  repairedAt: Time;
  sources: Map<string, { state: SourceState['state']; since: Time; place: Place }>;
  /** Last rule that was decided, with what it saw. */
  decided?: string;
}

/** What was known of a copy when its reset was ordered: no reason for another one, however it was dated. */
export interface Answered {
  /** When it was ordered, and when that was done, by the clock of the host. */
  from: Time;
  to?: Time;
  /** Entries of the ledger. */
  pages: string[];
  /** Cells of the errors without an address, and of them those that no page explained. */
  unlocated: number[];
  unexplained: number[];
}

/** What became of a VM, and on which host. */
export interface Aftermath {
  what: Consequence;
  at: Time;
  /** Not in states of before. */
  host?: HostId;
  /** A reset has answered it. */
  answered?: true;
}

/** One place where a VM runs or may run. Only a proof says that it does not. */
export interface Copy {
  host: HostId;
  epoch: Epoch;
  state: VmState | 'starting';
  /** We have ordered it there: whatever else runs in its epoch, or in an older one, is a copy too many. */
  ordered?: true;
  /** It was seen running, or was ordered to: only a proof says that it does not. */
  ran: boolean;
  /** While a start was awaited, its host told of a process of an older epoch. */
  another?: boolean;
  /** What happened before is none of its business, by the clock of its host. */
  since: Time;
  /** When we have ordered it, by ours. */
  asked?: Time;
  place?: Place;
  pid?: string;
  /** How often the VM has had a process on that host before this one: behind its guest addresses is other memory each time. */
  life?: number;
  /** Of one that somebody else has started: when its host told of that process first, by its clock. */
  lifeFrom?: Time;
  autostart: boolean;
  proof?: StopProof;
  /** Where the proof stands in the story of the host: only what is newer can void it. */
  proofPlace?: Place;
  /** When it was taken, and the boot of the host that was known then. */
  provenAt?: Time;
  proofBoot?: string;
  /** Highest epoch that its agent is known to have. */
  told: Epoch;
  /** The epoch that its agent was last told of. */
  taught?: Epoch;
  /** What its last reset has answered. */
  answered?: Answered;
  /** Its VMM says that its memory is poisoned, whatever witnesses told: it is not migrated. */
  poisoned?: boolean;
  /** When it was first seen running beside another copy. */
  doubled?: Time;
}

type MoveStep = 'waiting' | 'working' | 'unproven' | 'no-target' | 'failed';

/** That something will be done with a VM, as its owner was told. */
export interface Announced {
  rung: Rung;
  incident: IncidentId;
  transition: string;
  /** Not before. */
  wait: Time;
}

/** What is being done with a VM: one thing at a time. */
export interface Move {
  rung: Rung;
  rule: string;
  incident: IncidentId;
  /** Who ordered it; empty for a policy's rule. */
  by: string;
  /** Not before. */
  wait: Time;
  step: MoveStep;
  /** Begun means that something was sent: it is carried to its end even if a rule would no longer ask for it. */
  begun: boolean;
  /** What was tried on a copy, by `host/epoch`. */
  tried: Map<string, ActKind[]>;
  /** When a copy may be looked at again. */
  again: Time;
  /** How often all that can be tried was tried. */
  rounds: number;
  /** Hosts on which a start has failed. */
  failed: HostId[];
  /** Hosts that were asked whether they have what it needs: when, and what is missing there. */
  checked?: Map<HostId, { at: Time; missing?: string }>;
  act?: ActionId;
  to?: HostId;
  /** What had become of the VM when its new copy, or its reset, was ordered. */
  before?: Aftermath[];
  /** Of a reset that was ordered. */
  answers?: Answered;
  /** Of a live migration: whether the VM is known to run at its target. */
  arrived?: boolean;
  /** What its owner was told of it: the transition of which incident. */
  announced?: Announced;
}

/** A witness that named no page, and the incident that it is in as long as no page fits better. */
export interface Loose {
  /** `source event`. */
  what: string;
  at: Time;
  count: number;
  in: IncidentId;
}

/** Errors of a VM on one host that came without an address. */
export interface Met {
  unlocated: Times;
  /** The newest of their witnesses. */
  loose: Loose[];
  /** Those of them in the VMM's own memory; a second error while one was handled; bad data that was used. */
  hypervisor: Times;
  recursive: Times;
  consumed: Times;
}

export interface Vm {
  id: VmId;
  name: string;
  vmm?: string;
  definition?: string;
  disks: string[];
  /** Files that its start needs: another host is asked for them before it is chosen. */
  needs?: string[];
  memoryBytes: number;
  cpuModel?: string;
  onCrash?: string;
  owner?: string;
  optedIn: boolean;
  canQuarantine: boolean;
  /** Highest epoch that was ordered or reported. */
  epoch: Epoch;
  /** Where it should be. */
  home?: HostId;
  copies: Copy[];
  /** What it met without an address, by host. */
  met: Map<HostId, Met>;
  /** What happened to it, whether after an error or not. */
  after: Aftermath[];
  /** What happened before it is history: it was restarted since, or somebody said that it is handled. */
  settled: Time;
  plannedStop?: Time;
  /** For words only: what its kernel said that it is, and remarks of its consoles. */
  guestKernel?: string;
  said: { at: Time; text: string }[];
  /** The customer was told that it is down. */
  down?: boolean;
  move?: Move;
  /** A rule wanted something of it while a move was under way: what was decided then is decided again at its end. */
  owed?: true;
  /** Rule, rung and numbers of the last decision: the same again is none. */
  decided?: string;
  noMigrate?: Time;
}

export interface Incident {
  id: IncidentId;
  host: HostId;
  /** `page`: of a page; `unlocated`: of a VM without an address; `predicted`: corrected errors; `host`: the host; `order`: a person's. */
  cause: 'page' | 'unlocated' | 'predicted' | 'host' | 'order';
  page?: string;
  vm?: VmId;
  /** Other VMs that share the page. */
  also?: VmId[];
  state: 'open' | 'closed' | 'absorbed';
  absorbedBy?: IncidentId;
  openedAt: Time;
  /** Times by the clock of the host. */
  first: Time;
  last: Time;
  /** Witnesses by `source event`: how often, first and last. */
  witnesses: Map<string, { count: number; first: Time; last: Time }>;
  consequence?: Consequence;
  /** For a person, from consoles too: nothing is decided on it. */
  remarks: string[];
  /** Transitions that were told. */
  told: string[];
}

export interface Doing {
  id: ActionId;
  kind: ActKind;
  host: HostId;
  vm?: VmId;
  epoch: Epoch;
  incident: IncidentId;
  deadline: Time;
  page?: string;
  to?: HostId;
  /** Of a look from another host: the host whose copy it is about. */
  of?: HostId;
  /** Of `ask-lease`: when it was asked for. */
  asked?: Time;
  state: 'intent' | 'sent' | (typeof RESULT_STATES)[number];
  reason?: string;
  /** What its agent saw, `running` of a VM above all. */
  seen?: string;
  /** When it was answered, by the clock of the host. */
  at?: Time;
  /** It ends a second copy: one of them at a time, ahead of all others. */
  urgent?: true;
  /** Who answered though it was not theirs to answer; noted once each. */
  strangers?: string[];
}

export interface State {
  schema: 1;
  /** The latest time that any input carried. */
  now: Time;
  policy: Policy;
  /** `name@version#hash`. */
  policyId: string;
  /** Who has set it, and when; by the configuration or by an order. Missing: nobody has. */
  policyBy?: { by: string; at: Time; site: boolean };
  /** The one that the configuration named last, in force or not. */
  sitePolicy?: string;
  paused?: { at: Time; by: string; reason: string };
  /** Hosts with a new error and when that came, the oldest first. */
  breaker: { open?: { at: Time; last: Time }; hosts: Map<HostId, Time> };
  hosts: Map<HostId, Host>;
  /** Those whose power the controller can switch and read back. */
  fences: readonly HostId[];
  vms: Map<VmId, Vm>;
  incidents: Map<IncidentId, Incident>;
  /** Incidents by what they are about. */
  byKey: Map<string, IncidentId>;
  lastIncident: number;
  acts: Map<ActionId, Doing>;
  /** VMs that are acted on, and acts whose outcome is awaited. */
  moving: VmId[];
  flying: ActionId[];
  /** VMs of which something is wanted that the budget had no room for, longest first; and hosts of whose pages it is. */
  held?: VmId[];
  heldHosts?: HostId[];
  /** Rows that were taken, by `host spool`: all up to one, and those beyond it. */
  taken: Map<string, { upTo: number; beyond: number[] }>;
  /** Alerts that stand, and how often each was raised. */
  alerts: Map<string, { raised: number; standing: boolean }>;
  decisions: { count: number; hash: string };
  /** That an address is known later is told: not so by the versions before. */
  locates?: true;
}

/** A core that knows nothing. Its policy does nothing until it is given one. */
export function newState(): State {
  return {
    schema: 1,
    now: 0,
    policy: NO_POLICY,
    policyId: 'none@0',
    breaker: { hosts: new Map() },
    hosts: new Map(),
    fences: [],
    vms: new Map(),
    incidents: new Map(),
    byKey: new Map(),
    lastIncident: 0,
    acts: new Map(),
    moving: [],
    flying: [],
    taken: new Map(),
    alerts: new Map(),
    decisions: { count: 0, hash: '' },
    locates: true,
  };
}

/** The state as JSON. {@link restore} makes the same state of it. */
export function snapshot(state: State): string {
  return JSON.stringify(state, (_key, v: unknown) => (v instanceof Map ? { '@map': [...v] } : v));
}

/** Makes the maps of a value anew that {@link snapshot} has written: in it, and faster than JSON.parse, which asks of each value. */
function mapped(v: unknown): unknown {
  if (typeof v !== 'object' || v === null) return v;
  if ('@map' in v) return new Map((v['@map'] as [unknown, unknown][]).map(([key, of]) => [key, mapped(of)]));
  const of = v as Record<string, unknown>;
  for (const key of Object.keys(of)) {
    const one = of[key];
    if (typeof one === 'object' && one !== null) of[key] = mapped(one);
  }
  return v;
}

/**
 * The state that {@link snapshot} wrote.
 * @throws Error (a SyntaxError) when the text is no JSON; an Error when it is of another schema.
 */
export function restore(text: string): State {
  const state = mapped(JSON.parse(text)) as State;
  if (state.schema !== 1) throw new Error(`a state of schema ${String(state.schema)}; this version reads schema 1`);
  // Not in those of before.
  state.fences ??= [];
  // Nor were these in their order.
  state.breaker.hosts = new Map([...state.breaker.hosts].toSorted(([, a], [, b]) => a - b));
  // Nor was an address told by itself: what was told then had it, where it was known.
  for (const { told, host, page } of state.incidents.values())
    for (const transition of told.filter(name => name.startsWith('poisoned'))) {
      const located = transition.replace('poisoned', 'located');
      const isKnown = state.hosts.get(host)?.pages.get(page ?? '')?.gpa !== undefined;
      if (state.locates !== true && isKnown && !told.includes(located)) told.push(located);
    }
  state.locates = true;
  return state;
}
