/**
 * @module The client of the API of a controller, made of its document by `npm run api:client`: whatever is changed here is lost.
 */
import { type ApiAnswer, ApiClient, type ApiEvent, type CallOptions, type OrderOptions } from './client-base.ts';

export {
  type ApiAnswer,
  type ApiEvent,
  ApiProblem,
  type CallOptions,
  type ClientOptions,
  type OrderOptions,
} from './client-base.ts';

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

/** Each operation of the document. An answer that is a problem is thrown as an `ApiProblem`. */
export class SyndromeClient extends ApiClient {
  /** The process answers. `GET /livez` */
  getLive(options: CallOptions = {}): Promise<ApiAnswer<Live>> {
    return this.read(`/livez`, {}, options);
  }

  /** This document: OpenAPI 3.1. `GET /openapi.json` */
  getDocument(options: CallOptions = {}): Promise<ApiAnswer<Document>> {
    return this.read(`/openapi.json`, {}, options);
  }

  /** This controller works: it holds the lease, and the ledger is read. `GET /readyz` */
  getReady(options: CallOptions = {}): Promise<ApiAnswer<Ready>> {
    return this.read(`/readyz`, {}, options);
  }

  /** Whose token this is, and its roles. Role: viewer. `GET /v1/me` */
  getMe(options: CallOptions = {}): Promise<ApiAnswer<Me>> {
    return this.read(`/v1/me`, {}, options);
  }

  /** Is it well: policy, agents, alerts, what is being done. Role: viewer. `GET /v1/status` */
  getStatus(options: CallOptions = {}): Promise<ApiAnswer<Status>> {
    return this.read(`/v1/status`, {}, options);
  }

  /** Hosts, by name. Role: viewer. `GET /v1/hosts` */
  listHosts(query: { limit?: number; after?: string } = {}, options: CallOptions = {}): Promise<ApiAnswer<HostPage>> {
    return this.read(`/v1/hosts`, query, options);
  }

  /** A host. Role: viewer. `GET /v1/hosts/{host}` */
  getHost(host: string, options: CallOptions = {}): Promise<ApiAnswer<Host>> {
    return this.read(`/v1/hosts/${encodeURIComponent(host)}`, {}, options);
  }

  /** VMs, by id. Role: viewer. `GET /v1/vms` */
  listVms(query: { limit?: number; after?: string } = {}, options: CallOptions = {}): Promise<ApiAnswer<VmPage>> {
    return this.read(`/v1/vms`, query, options);
  }

  /** A VM, with its copies. Role: viewer. `GET /v1/vms/{vm}` */
  getVm(vm: string, options: CallOptions = {}): Promise<ApiAnswer<Vm>> {
    return this.read(`/v1/vms/${encodeURIComponent(vm)}`, {}, options);
  }

  /** The ledger of poisoned pages, by host. Role: viewer. `GET /v1/pages` */
  listPages(
    query: { limit?: number; after?: string } = {},
    options: CallOptions = {},
  ): Promise<ApiAnswer<PoisonedPagePage>> {
    return this.read(`/v1/pages`, query, options);
  }

  /** Incidents, oldest first. Role: viewer. `GET /v1/incidents` */
  listIncidents(
    query: { limit?: number; after?: string; state?: 'open' | 'closed' | 'absorbed' } = {},
    options: CallOptions = {},
  ): Promise<ApiAnswer<IncidentPage>> {
    return this.read(`/v1/incidents`, query, options);
  }

  /** Why: an incident with its witnesses, decisions, acts and notices. Role: viewer. `GET /v1/incidents/{incident}` */
  explainIncident(incident: string, options: CallOptions = {}): Promise<ApiAnswer<Explanation>> {
    return this.read(`/v1/incidents/${encodeURIComponent(incident)}`, {}, options);
  }

  /** The ledger of decisions: which rule, on which facts, under which policy. Role: viewer. `GET /v1/decisions` */
  listDecisions(
    query: { limit?: number; after?: string; order?: 'asc' | 'desc' } = {},
    options: CallOptions = {},
  ): Promise<ApiAnswer<DecisionPage>> {
    return this.read(`/v1/decisions`, query, options);
  }

  /** Acts: what was ordered of agents, and what was seen afterwards. Role: viewer. `GET /v1/acts` */
  listActs(
    query: { limit?: number; after?: string; order?: 'asc' | 'desc' } = {},
    options: CallOptions = {},
  ): Promise<ApiAnswer<ActPage>> {
    return this.read(`/v1/acts`, query, options);
  }

  /** Proofs that a copy of a VM has stopped: without one it is started nowhere else. Role: viewer. `GET /v1/proofs` */
  listProofs(query: { limit?: number; after?: string } = {}, options: CallOptions = {}): Promise<ApiAnswer<ProofPage>> {
    return this.read(`/v1/proofs`, query, options);
  }

  /** Notices that are not delivered yet, by id: at most 1000 of them. Role: viewer. `GET /v1/notices` */
  listWaitingNotices(
    query: { limit?: number; after?: string } = {},
    options: CallOptions = {},
  ): Promise<ApiAnswer<NoticePage>> {
    return this.read(`/v1/notices`, query, options);
  }

  /** What stands that a person has to look at. Role: viewer. `GET /v1/alerts` */
  listAlerts(query: { limit?: number; after?: string } = {}, options: CallOptions = {}): Promise<ApiAnswer<AlertPage>> {
    return this.read(`/v1/alerts`, query, options);
  }

  /** The policy in force. Role: viewer. `GET /v1/policy` */
  getPolicy(options: CallOptions = {}): Promise<ApiAnswer<Policy>> {
    return this.read(`/v1/policy`, {}, options);
  }

  /** Judge by another policy: the text of a policy file, checked as `fleet policy check` does. Role: policy-admin. `PUT /v1/policy` */
  setPolicy(
    body: PolicyText,
    query: { dryRun?: boolean } = {},
    options: OrderOptions = {},
  ): Promise<ApiAnswer<Ordered>> {
    return this.send('PUT', `/v1/policy`, query, body, options);
  }

  /** Who has ordered what, and what came of it: a chain of hashes, which `syndrome audit verify` goes through. Role: viewer. `GET /v1/audit` */
  listAudit(
    query: { limit?: number; after?: string; order?: 'asc' | 'desc' } = {},
    options: CallOptions = {},
  ): Promise<ApiAnswer<AuditPage>> {
    return this.read(`/v1/audit`, query, options);
  }

  /** Decisions as they are made, as events with their numbers; resumed by Last-Event-ID, or `after`. Role: viewer. `GET /v1/events` */
  followDecisions(query: { after?: number } = {}, options: CallOptions = {}): AsyncGenerator<ApiEvent, void> {
    return this.events(`/v1/events`, query, options);
  }

  /** Order what `fleet` orders: pause, resume, drain, undrain, repaired, offline, restart, terminate, planned-stop, breaker-close, close. Role: operator. `POST /v1/orders` */
  order(body: Order, query: { dryRun?: boolean } = {}, options: OrderOptions = {}): Promise<ApiAnswer<Ordered>> {
    return this.send('POST', `/v1/orders`, query, body, options);
  }

  /** Statements that a copy of a VM has stopped: what one has stated waits for another. Role: viewer. `GET /v1/attestations` */
  listAttestations(
    query: { limit?: number; after?: string; order?: 'asc' | 'desc' } = {},
    options: CallOptions = {},
  ): Promise<ApiAnswer<AttestationPage>> {
    return this.read(`/v1/attestations`, query, options);
  }

  /** State that a copy of a VM has stopped, because you have seen it. Another fencer has to confirm it within an hour. Role: fencer. `POST /v1/attestations` */
  attest(body: Statement, options: OrderOptions = {}): Promise<ApiAnswer<Attestation>> {
    return this.send('POST', `/v1/attestations`, {}, body, options);
  }

  /** An attestation. Role: viewer. `GET /v1/attestations/{attestation}` */
  getAttestation(attestation: string, options: CallOptions = {}): Promise<ApiAnswer<Attestation>> {
    return this.read(`/v1/attestations/${encodeURIComponent(attestation)}`, {}, options);
  }

  /** Confirm what another fencer has stated, because you have seen it, too. Role: fencer. `POST /v1/attestations/{attestation}/confirmation` */
  confirmAttestation(
    attestation: string,
    body: Confirmation,
    options: OrderOptions = {},
  ): Promise<ApiAnswer<Attestation>> {
    return this.send('POST', `/v1/attestations/${encodeURIComponent(attestation)}/confirmation`, {}, body, options);
  }
}
