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

import type {
  Status,
  Host,
  HostPage,
  Vm,
  VmPage,
  PoisonedPagePage,
  IncidentPage,
  Explanation,
  DecisionPage,
  ActPage,
  ProofPage,
  NoticePage,
  Fleet,
  AlertPage,
  Policy,
  Order,
  Ordered,
  PolicyText,
  Statement,
  Confirmation,
  Attestation,
  AttestationPage,
  AuditPage,
  Me,
  Live,
  Ready,
  Document,
} from '../client/types.ts';

export type * from '../client/types.ts';

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

  /** The fleet at one glance, now or as it was known at an input of the ledger. Role: viewer. `GET /v1/fleet` */
  getFleet(query: { input?: number } = {}, options: CallOptions = {}): Promise<ApiAnswer<Fleet>> {
    return this.read(`/v1/fleet`, query, options);
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
