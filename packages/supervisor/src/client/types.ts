/**
 * @module What the API of a controller answers with, made of its document by `npm run api:client`: whatever is changed here is lost.
 */
export interface Problem {
  /** about:blank: the title is that of the status */
  type: string;
  title: string;
  status: number;
  detail: string;
  /** stays the same; `syndrome decode --explain CODE` explains it */
  code: string;
  hint?: string;
}

export interface Status {
  /** ms UTC since 1970 */
  now: number;
  /** name@version#hash */
  policy: string;
  mode: 'observe' | 'notify' | 'act';
  policyBy?: {
    by: string;
    /** ms UTC since 1970 */
    at: number;
    site: boolean;
  };
  sitePolicy?: string;
  sitePolicyInForce?: boolean;
  paused?: {
    /** ms UTC since 1970 */
    at: number;
    by: string;
    reason: string;
  };
  breakerOpen: boolean;
  hosts: number;
  /** hosts whose agent is here */
  connected: number;
  vms: number;
  openIncidents: number;
  /** VMs that something is done with */
  moving: string[];
  /** acts whose outcome is awaited */
  flying: string[];
  alerts: string[];
  decisions: {
    count: number;
    hash: string;
  };
  /** in what the site is weaker than it could be */
  weak: string[];
  unserved: {
    target: string;
    waiting: number;
  }[];
  /** of the lease of this controller */
  epoch: number;
  inputs: number;
  /** how often its own clock was set */
  clockJumps: {
    count: number;
    lastMs: number;
  };
}

export interface Host {
  id: string;
  connected: boolean;
  /** ms UTC since 1970 */
  since: number;
  boot?: string;
  arch?: string;
  kernel?: string;
  memoryBytes: number;
  freeBytes: number;
  cpuModels: string[];
  storage: string[];
  /** poisoned pages in the ledger */
  pages: number;
  /** of them, those that are not known to be out of use since its boot */
  notApplied: number;
  /** parts with corrected errors */
  corrected: number;
  suspect?: string;
  draining?: {
    /** ms UTC since 1970 */
    at: number;
    by: string;
    evacuate: boolean;
    told?: boolean;
  };
  /** ms UTC since 1970 */
  repairedAt: number;
  sources: Record<
    string,
    {
      state: string;
      /** ms UTC since 1970 */
      since: number;
    }
  >;
  decided?: string;
}

export interface HostPage {
  items: Host[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Vm {
  id: string;
  name: string;
  vmm?: string;
  disks: string[];
  memoryBytes: number;
  cpuModel?: string;
  onCrash?: string;
  owner?: string;
  optedIn: boolean;
  epoch: number;
  home?: string;
  copies: {
    host: string;
    epoch: number;
    state: string;
    ordered?: boolean;
    /** it was seen running, or was ordered to: only a proof says that it does not */
    ran: boolean;
    /** ms UTC since 1970 */
    since: number;
    autostart: boolean;
    proof?: Document;
    poisoned?: boolean;
  }[];
  unlocated: number;
  /** ms UTC since 1970 */
  plannedStop?: number;
  /** as the guest says; believed about nothing */
  guestKernel?: string;
  down?: boolean;
  move?: Document;
}

export interface VmPage {
  items: Vm[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface PoisonedPage {
  host: string;
  /** the page frame, or VM/address of the guest */
  key: string;
  pfn?: string;
  gpa?: string;
  vms: string[];
  /** log2 of the bytes that are lost */
  order: number;
  /** witnesses, repeats among them */
  hits: number;
  consumed?: boolean;
  recursive?: boolean;
  process?: string;
  kernel?: {
    result: string;
    page: string;
  };
  dimm?: string;
  /** out of use since this boot of the host */
  applied: boolean;
  quarantined?: boolean;
  repaired?: boolean;
  /** ms UTC since 1970 */
  first: number;
  /** ms UTC since 1970 */
  last: number;
}

export interface PoisonedPagePage {
  items: PoisonedPage[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Incident {
  id: string;
  host: string;
  cause: 'page' | 'unlocated' | 'predicted' | 'host' | 'order';
  page?: string;
  vm?: string;
  also?: string[];
  state: 'open' | 'closed' | 'absorbed';
  absorbedBy?: string;
  /** ms UTC since 1970 */
  openedAt: number;
  /** ms UTC since 1970 */
  first: number;
  /** ms UTC since 1970 */
  last: number;
  witnesses: Record<
    string,
    {
      count: number;
      /** ms UTC since 1970 */
      first: number;
      /** ms UTC since 1970 */
      last: number;
    }
  >;
  consequence?: 'panicked' | 'rebooted' | 'died';
  remarks: string[];
  told: string[];
}

export interface IncidentPage {
  items: Incident[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Explanation {
  incident:
    | Incident
    | {
        id: string;
        state: 'forgotten';
      };
  guestKernel?: string;
  decisions: Decision[];
  acts: Act[];
  notices: Notice[];
}

export interface Decision {
  /** its place in the ledger */
  number?: number;
  /** ms UTC since 1970 */
  at: number;
  incident?: string;
  host?: string;
  vm?: string;
  rule: string;
  policy: string;
  rung: string;
  inputs: Record<string, unknown>;
  why: string;
}

export interface DecisionPage {
  items: Decision[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Act {
  id: string;
  kind: string;
  host: string;
  vm?: string;
  incident: string;
  epoch: number;
  /** ms UTC since 1970 */
  deadline: number;
  to?: string;
  of?: string;
  pfn?: string;
  state: 'intent' | 'sent' | 'confirmed' | 'failed' | 'refused' | 'unknown';
  reason?: string;
}

export interface ActPage {
  items: Act[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Proof {
  kind: 'process-gone' | 'domain-destroyed' | 'power-off' | 'image-lock' | 'sanlock' | 'attested';
  vm: string;
  host: string;
  epoch: number;
  /** ms UTC since 1970 */
  at: number;
  evidence: Record<string, string>;
}

export interface ProofPage {
  items: Proof[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Notice {
  id: string;
  target: string;
  state: 'waiting' | 'delivered';
  attempts: number;
  /** ms UTC since 1970 */
  due: number;
  /** ms UTC since 1970 */
  done?: number;
  error?: string;
}

export interface NoticePage {
  items: Notice[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Alert {
  type: string;
  about: string;
  /** how often so far */
  raised: number;
  playbook: string;
}

export interface FleetHost {
  id: string;
  connected: boolean;
  /** ms UTC since 1970 */
  since: number;
  /** poisoned pages in the ledger */
  pages: number;
  /** of them, those that are not known to be out of use since its boot */
  notApplied: number;
  /** parts with corrected errors */
  corrected: number;
  suspect?: string;
  draining?: {
    /** ms UTC since 1970 */
    at: number;
    by: string;
    evacuate: boolean;
    told?: boolean;
  };
}

export interface FleetVm {
  id: string;
  name: string;
  home?: string;
  epoch: number;
  down?: boolean;
  /** how far that is which is done with it */
  step?: string;
  /** what is done with it */
  rung?: string;
  /** because of which */
  incident?: string;
  /** copies that are not proven to have stopped, where something waits for that */
  unproven: {
    host: string;
    epoch: number;
    state: string;
    /** ms UTC since 1970 */
    since: number;
  }[];
}

export interface Fleet {
  /** the input of the ledger behind which this is known */
  input: number;
  /** the newest of them */
  inputs: number;
  /** of that input */
  now: number;
  mode: 'observe' | 'notify' | 'act';
  /** name@version#hash */
  policy: string;
  paused?: {
    /** ms UTC since 1970 */
    at: number;
    by: string;
    reason: string;
  };
  breakerOpen: boolean;
  hosts: FleetHost[];
  vms: number;
  /** VMs with an open incident or an alert, that are down, or that something is done with */
  troubled: FleetVm[];
  openIncidents: number;
  /** at most 500: open ones from the worst on, then others, the newest first */
  incidents: Incident[];
  /** poisoned pages in the ledger */
  poisoned: number;
  /** at most 500, the newest first */
  pages: PoisonedPage[];
  /** the most severe first */
  alerts: Alert[];
  /** in the ledger, up to that input */
  decisions: number;
}

export interface AlertPage {
  items: Alert[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Policy {
  /** name@version#hash */
  id: string;
  by?: string;
  /** ms UTC since 1970 */
  at?: number;
  /** it is that of the site’s file */
  site?: boolean;
  sitePolicy?: string;
  policy: Document;
  /** what it does, in sentences */
  text: string;
}

export type Order =
  | {
      order: 'pause';
      reason?: string;
    }
  | {
      order: 'resume';
    }
  | {
      order: 'drain';
      host: string;
      reason?: string;
    }
  | {
      order: 'undrain';
      host: string;
      reason?: string;
    }
  | {
      order: 'repaired';
      host: string;
    }
  | {
      order: 'offline';
      host: string;
      page: string;
      hard?: boolean;
    }
  | {
      order: 'restart';
      vm: string;
      reason?: string;
    }
  | {
      order: 'terminate';
      vm: string;
      reason?: string;
    }
  | {
      order: 'planned-stop';
      vm: string;
    }
  | {
      order: 'breaker-close';
    }
  | {
      order: 'close';
      incident: string;
      reason?: string;
    };

export interface Ordered {
  /** nothing is changed; this would be decided */
  dryRun: boolean;
  decisions: Decision[];
  acts: Act[];
  notices: {
    id: string;
    type: string;
    severity: 'info' | 'warning' | 'critical';
    /** ms UTC since 1970 */
    at: number;
    summary: string;
  }[];
}

export interface PolicyText {
  /** the text of a policy file (YAML) */
  policy: string;
}

export interface Statement {
  vm: string;
  /** where the copy was */
  host: string;
  /** of the copy */
  epoch: number;
  /** what you have seen */
  statement: string;
}

export interface Confirmation {
  /** what you have seen yourself */
  statement: string;
}

export interface Attestation {
  id: string;
  /** ms UTC since 1970 */
  at: number;
  /** it can be confirmed before this */
  until: number;
  vm: string;
  host: string;
  epoch: number;
  statement: string;
  by: string;
  state: 'waiting' | 'over' | 'confirmed' | 'refused';
  confirmedBy?: string;
  confirmation?: string;
}

export interface AttestationPage {
  items: Attestation[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface AuditEntry {
  number: number;
  /** ms UTC since 1970 */
  at: number;
  /** the input of the ledger that it is of */
  seq?: number;
  actor: string;
  via: 'socket' | 'api' | 'controller';
  action: string;
  outcome: 'done' | 'refused' | 'stated' | 'denied';
  about: Document;
  /** of this entry and of the one before */
  hash: string;
}

export interface AuditPage {
  items: AuditEntry[];
  /** the cursor of the next page; none where this is the last */
  next?: string;
}

export interface Me {
  name: string;
  roles: ('viewer' | 'operator' | 'policy-admin' | 'fencer')[];
}

export interface Live {
  live: true;
}

export interface Ready {
  ready: true;
  epoch: number;
}

export type Document = Record<string, unknown>;
