/**
 * @module What the API takes and answers, as schemas with names: the document of the API, its client and its tests are made of them. Times
 * are ms UTC since 1970, 64-bit values `0x` and 16 hex digits, as on every wire of this program.
 */
import { z } from 'zod';
import { PROOF_KINDS } from '../core/act.ts';
import { orderAloneSchema } from '../wire/order.ts';
import { ROLES } from './roles.ts';

const time = z.int().describe('ms UTC since 1970');
const text = z.string();
const count = z.int().min(0);
const hex = z.string().regex(/^0x[0-9a-f]{16}$/);
const any = z.looseObject({});
const name = z
  .string()
  .min(1)
  .max(256)
  .regex(/^\P{Cc}+$/u);
const flag = z.boolean();

const problem = z.object({
  type: text.describe('about:blank: the title is that of the status'),
  title: text,
  status: z.int().min(400).max(599),
  detail: text,
  code: text.describe('stays the same; `syndrome decode --explain CODE` explains it'),
  hint: text.optional(),
});

const status = z.object({
  now: time,
  policy: text.describe('name@version#hash'),
  mode: z.enum(['observe', 'notify', 'act']),
  policyBy: z.object({ by: text, at: time, site: flag }).optional(),
  sitePolicy: text.optional(),
  sitePolicyInForce: flag.optional(),
  paused: z.object({ at: time, by: text, reason: text }).optional(),
  breakerOpen: flag,
  hosts: count,
  connected: count.describe('hosts whose agent is here'),
  vms: count,
  openIncidents: count,
  moving: z.array(text).describe('VMs that something is done with'),
  flying: z.array(text).describe('acts whose outcome is awaited'),
  alerts: z.array(text),
  decisions: z.object({ count, hash: text }),
  weak: z.array(text).describe('in what the site is weaker than it could be'),
  unserved: z.array(z.object({ target: text, waiting: count })),
  epoch: count.describe('of the lease of this controller'),
  inputs: count,
  clockJumps: z.object({ count, lastMs: z.number() }).describe('how often its own clock was set'),
});

const host = z.object({
  id: text,
  connected: flag,
  since: time,
  boot: text.optional(),
  arch: text.optional(),
  kernel: text.optional(),
  memoryBytes: z.number(),
  freeBytes: z.number(),
  cpuModels: z.array(text),
  storage: z.array(text),
  pages: count.describe('poisoned pages in the ledger'),
  notApplied: count.describe('of them, those that are not known to be out of use since its boot'),
  corrected: count.describe('parts with corrected errors'),
  suspect: text.optional(),
  draining: z.object({ at: time, by: text, evacuate: flag, told: flag.optional() }).optional(),
  repairedAt: time,
  sources: z.record(text, z.object({ state: text, since: time })),
  decided: text.optional(),
});

const copy = z.object({
  host: text,
  epoch: count,
  state: text,
  ordered: flag.optional(),
  ran: flag.describe('it was seen running, or was ordered to: only a proof says that it does not'),
  since: time,
  autostart: flag,
  proof: any.optional(),
  poisoned: flag.optional(),
});
const vm = z.object({
  id: text,
  name: text,
  vmm: text.optional(),
  disks: z.array(text),
  memoryBytes: z.number(),
  cpuModel: text.optional(),
  onCrash: text.optional(),
  owner: text.optional(),
  optedIn: flag,
  epoch: count,
  home: text.optional(),
  copies: z.array(copy),
  unlocated: count,
  plannedStop: time.optional(),
  guestKernel: text.optional().describe('as the guest says; believed about nothing'),
  down: flag.optional(),
  move: any.optional(),
});

const page = z.object({
  host: text,
  key: text.describe('the page frame, or VM/address of the guest'),
  pfn: hex.optional(),
  gpa: hex.optional(),
  vms: z.array(text),
  order: count.describe('log2 of the bytes that are lost'),
  hits: count.describe('witnesses, repeats among them'),
  consumed: flag.optional(),
  recursive: flag.optional(),
  process: text.optional(),
  kernel: z.object({ result: text, page: text }).optional(),
  dimm: text.optional(),
  applied: flag.describe('out of use since this boot of the host'),
  quarantined: flag.optional(),
  repaired: flag.optional(),
  first: time,
  last: time,
});

const incident = z.object({
  id: text,
  host: text,
  cause: z.enum(['page', 'unlocated', 'predicted', 'host', 'order']),
  page: text.optional(),
  vm: text.optional(),
  also: z.array(text).optional(),
  state: z.enum(['open', 'closed', 'absorbed']),
  absorbedBy: text.optional(),
  openedAt: time,
  first: time,
  last: time,
  witnesses: z.record(text, z.object({ count, first: time, last: time })),
  consequence: z.enum(['panicked', 'rebooted', 'died']).optional(),
  remarks: z.array(text),
  told: z.array(text),
});

const decision = z.object({
  number: count.optional().describe('its place in the ledger'),
  at: time,
  incident: text.optional(),
  host: text.optional(),
  vm: text.optional(),
  rule: text,
  policy: text,
  rung: text,
  inputs: z.record(text, z.union([text, z.number(), flag])),
  why: text,
});

const act = z.object({
  id: text,
  kind: text,
  host: text,
  vm: text.optional(),
  incident: text,
  epoch: count,
  deadline: time,
  to: text.optional(),
  of: text.optional(),
  pfn: hex.optional(),
  state: z.enum(['intent', 'sent', 'confirmed', 'failed', 'refused', 'unknown']),
  reason: text.optional(),
});

const proof = z.object({
  kind: z.enum(PROOF_KINDS),
  vm: text,
  host: text,
  epoch: count,
  at: time,
  evidence: z.record(text, text),
});

const notice = z.object({
  id: text,
  target: text,
  state: z.enum(['waiting', 'delivered']),
  attempts: count,
  due: time,
  done: time.optional(),
  error: text.optional(),
});

const explanation = z.object({
  incident: z.union([incident, z.object({ id: text, state: z.literal('forgotten') })]),
  guestKernel: text.optional(),
  decisions: z.array(decision),
  acts: z.array(act),
  notices: z.array(notice),
});

const alert = z.object({
  type: text,
  about: text,
  raised: z.int().min(1).describe('how often so far'),
  playbook: text,
});

/** Of a host what a page shows of all of them. */
const fleetHost = host.pick({
  id: true,
  connected: true,
  since: true,
  pages: true,
  notApplied: true,
  corrected: true,
  suspect: true,
  draining: true,
});
const fleetVm = vm.pick({ id: true, name: true, home: true, epoch: true, down: true }).extend({
  step: text.optional().describe('how far that is which is done with it'),
  rung: text.optional().describe('what is done with it'),
  incident: text.optional().describe('because of which'),
  unproven: z
    .array(z.object({ host: text, epoch: count, state: text, since: time }))
    .describe('copies that are not proven to have stopped, where something waits for that'),
});
const fleet = z.object({
  input: count.describe('the input of the ledger behind which this is known'),
  inputs: count.describe('the newest of them'),
  now: time.describe('of that input'),
  mode: z.enum(['observe', 'notify', 'act']),
  policy: text.describe('name@version#hash'),
  paused: z.object({ at: time, by: text, reason: text }).optional(),
  breakerOpen: flag,
  hosts: z.array(fleetHost),
  vms: count,
  troubled: z
    .array(fleetVm)
    .describe('VMs with an open incident or an alert, that are down, or that something is done with'),
  openIncidents: count,
  incidents: z.array(incident).describe('at most 500: open ones from the worst on, then others, the newest first'),
  poisoned: count.describe('poisoned pages in the ledger'),
  pages: z.array(page).describe('at most 500, the newest first'),
  alerts: z.array(alert).describe('the most severe first'),
  decisions: count.describe('in the ledger, up to that input'),
});

const policy = z.object({
  id: text.describe('name@version#hash'),
  by: text.optional(),
  at: time.optional(),
  site: flag.optional().describe('it is that of the site’s file'),
  sitePolicy: text.optional(),
  policy: any,
  text: text.describe('what it does, in sentences'),
});

const ordered = z.object({
  dryRun: flag.describe('nothing is changed; this would be decided'),
  decisions: z.array(decision),
  acts: z.array(act),
  notices: z.array(
    z.object({ id: text, type: text, severity: z.enum(['info', 'warning', 'critical']), at: time, summary: text }),
  ),
});

const words = z.string().min(1).max(4000);
const policyText = z.strictObject({
  policy: z
    .string()
    .max(256 * 1024)
    .describe('the text of a policy file (YAML)'),
});
const statement = z.strictObject({
  vm: name,
  host: name.describe('where the copy was'),
  epoch: count.max(Number.MAX_SAFE_INTEGER).describe('of the copy'),
  statement: words.describe('what you have seen'),
});
const confirmation = z.strictObject({ statement: words.describe('what you have seen yourself') });
const attestation = z.object({
  id: text,
  at: time,
  until: time.describe('it can be confirmed before this'),
  vm: text,
  host: text,
  epoch: count,
  statement: text,
  by: text,
  state: z.enum(['waiting', 'over', 'confirmed', 'refused']),
  confirmedBy: text.optional(),
  confirmation: text.optional(),
});

const auditEntry = z.object({
  number: count,
  at: time,
  seq: count.optional().describe('the input of the ledger that it is of'),
  actor: text,
  via: z.enum(['socket', 'api', 'controller']),
  action: text,
  outcome: z.enum(['done', 'refused', 'stated', 'denied']),
  about: any,
  hash: text.describe('of this entry and of the one before'),
});

const me = z.object({ name: text, roles: z.array(z.enum(ROLES)) });
const health = z.object({ live: z.literal(true) });
const ready = z.object({ ready: z.literal(true), epoch: count });

const pageOf = (item: z.ZodType) =>
  z.object({
    items: z.array(item),
    next: text.optional().describe('the cursor of the next page; none where this is the last'),
  });

/** By the name that the document has for each. */
export const SCHEMAS = {
  Problem: problem,
  Status: status,
  Host: host,
  HostPage: pageOf(host),
  Vm: vm,
  VmPage: pageOf(vm),
  PoisonedPage: page,
  PoisonedPagePage: pageOf(page),
  Incident: incident,
  IncidentPage: pageOf(incident),
  Explanation: explanation,
  Decision: decision,
  DecisionPage: pageOf(decision),
  Act: act,
  ActPage: pageOf(act),
  Proof: proof,
  ProofPage: pageOf(proof),
  Notice: notice,
  NoticePage: pageOf(notice),
  Alert: alert,
  FleetHost: fleetHost,
  FleetVm: fleetVm,
  Fleet: fleet,
  AlertPage: pageOf(alert),
  Policy: policy,
  Order: orderAloneSchema,
  Ordered: ordered,
  PolicyText: policyText,
  Statement: statement,
  Confirmation: confirmation,
  Attestation: attestation,
  AttestationPage: pageOf(attestation),
  AuditEntry: auditEntry,
  AuditPage: pageOf(auditEntry),
  Me: me,
  Live: health,
  Ready: ready,
  Document: any,
} as const satisfies Readonly<Record<string, z.ZodType>>;

export type SchemaName = keyof typeof SCHEMAS;

/**
 * What a schema of an object names of a value: the API has what its document has. Nothing is checked, so that no surprise hides a host.
 * A null of the store is a field that is missing.
 */
export function shown(name: SchemaName, value: unknown): Record<string, unknown> {
  const given = value as Readonly<Record<string, unknown>>;
  const { shape } = SCHEMAS[name] as unknown as { shape: Readonly<Record<string, unknown>> };
  return Object.fromEntries(
    Object.keys(shape).flatMap(key => (given[key] === undefined || given[key] === null ? [] : [[key, given[key]]])),
  );
}
