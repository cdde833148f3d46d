/** @module The routes that read. Each shows what `fleet` shows, of the same views. */
import {
  actsPage,
  alertsView,
  decisionsPage,
  incidentsView,
  hostsView,
  pagesView,
  policyView,
  proofsView,
  vmsView,
} from '../controller/views.ts';
import { auditPage } from '../controller/audit.ts';
import type { Desk } from '../controller/desk.ts';
import { z } from 'zod';
import { explainPolicy } from '../policy/explain.ts';
import { type Page, pageOfAll, pageOfRead, placeOf } from './cursor.ts';
import { refuse } from './errors.ts';
import { follow } from './follow.ts';
import { name, ordered, paging, reads, type Route } from './route.ts';
import { type SchemaName, shown } from './schemas.ts';

type Item = Readonly<Record<string, unknown>>;

const showAll = (schema: SchemaName, page: Page): Page => ({
  ...page,
  items: page.items.map(item => shown(schema, item)),
});

/** The one item that is asked for. */
function oneOf(schema: SchemaName, all: readonly unknown[], what: string, id: string): Item {
  const found = (all as Item[]).find(item => item['id'] === id);
  if (found === undefined) throw refuse(404, 'E_API_NONE', `there is no ${what} of this name`);
  return shown(schema, found);
}

const id = (item: unknown): string => String((item as Item)['id']);
/** Incidents by the number in their names. */
const byNumber = (item: unknown): string => id(item).replace(/\d+$/, digits => digits.padStart(16, '0'));
/** Of several texts, so that they are ordered by the first, then by the second, … */
const keyOf =
  (...names: string[]) =>
  (item: unknown): string =>
    names.map(n => String((item as Item)[n])).join('\0');

/** An act with what its body says of it, and without what is started by it. */
const actShown = (row: Item): Item => shown('Act', { ...(row['body'] as Item), ...row });

/** The policy in force, as it is answered: its tag is that of what a change replaces. */
export function policyShown(desk: Pick<Desk, 'state'>): Item {
  const view = policyView(desk.state());
  return shown('Policy', { ...view, text: explainPolicy(view.policy) });
}

const NONE = { 404: 'there is none of this name' };

export const READS: readonly Route[] = [
  reads({
    path: '/v1/me',
    id: 'getMe',
    summary: 'Whose token this is, and its roles',
    answer: 'Me',
    what: 'the caller',
    run: ({ caller }) => ({ name: caller.name, roles: caller.roles }),
  }),
  reads({
    path: '/v1/status',
    id: 'getStatus',
    summary: 'Is it well: policy, agents, alerts, what is being done',
    answer: 'Status',
    what: 'the status',
    run: async ({ desk }) => shown('Status', await desk.list('status')),
  }),
  reads({
    path: '/v1/hosts',
    id: 'listHosts',
    summary: 'Hosts, by name',
    query: paging,
    answer: 'HostPage',
    what: 'a page of hosts',
    run: ({ desk, query }) => showAll('Host', pageOfAll('hosts', hostsView(desk.state()), query, id)),
  }),
  reads({
    path: '/v1/hosts/{host}',
    id: 'getHost',
    summary: 'A host',
    params: { host: name },
    answer: 'Host',
    what: 'the host',
    problems: NONE,
    run: ({ desk, params }) => oneOf('Host', hostsView(desk.state()), 'host', params.host),
  }),
  reads({
    path: '/v1/vms',
    id: 'listVms',
    summary: 'VMs, by id',
    query: paging,
    answer: 'VmPage',
    what: 'a page of VMs',
    run: ({ desk, query }) => showAll('Vm', pageOfAll('vms', vmsView(desk.state()), query, id)),
  }),
  reads({
    path: '/v1/vms/{vm}',
    id: 'getVm',
    summary: 'A VM, with its copies',
    params: { vm: name },
    answer: 'Vm',
    what: 'the VM',
    problems: NONE,
    run: ({ desk, params }) => oneOf('Vm', vmsView(desk.state()), 'VM', params.vm),
  }),
  reads({
    path: '/v1/pages',
    id: 'listPages',
    summary: 'The ledger of poisoned pages, by host',
    query: paging,
    answer: 'PoisonedPagePage',
    what: 'a page of poisoned pages',
    run: ({ desk, query }) =>
      showAll('PoisonedPage', pageOfAll('pages', pagesView(desk.state()), query, keyOf('host', 'key'))),
  }),
  reads({
    path: '/v1/incidents',
    id: 'listIncidents',
    summary: 'Incidents, oldest first',
    query: { ...paging, state: z.enum(['open', 'closed', 'absorbed']).optional().describe('only those') },
    answer: 'IncidentPage',
    what: 'a page of incidents',
    run: ({ desk, query }) => {
      const all = incidentsView(desk.state()).filter(
        item => query.state === undefined || (item as Item)['state'] === query.state,
      );
      return showAll('Incident', pageOfAll('incidents', all, query, byNumber));
    },
  }),
  reads({
    path: '/v1/incidents/{incident}',
    id: 'explainIncident',
    summary: 'Why: an incident with its witnesses, decisions, acts and notices',
    params: { incident: name },
    answer: 'Explanation',
    what: 'all that is known of it',
    problems: NONE,
    run: async ({ desk, params }) => {
      const said = (await desk.explain(params.incident)) as Item;
      const { incident } = said as { incident?: Item };
      // Of a host or a VM there is an explanation, too: those have routes of their own.
      if (incident === undefined) throw refuse(404, 'E_API_NONE', 'there is no incident of this name');
      const all = (schema: SchemaName, list: unknown): unknown[] => (list as Item[]).map(item => shown(schema, item));
      return {
        ...shown('Explanation', said),
        incident: incident['state'] === 'forgotten' ? incident : shown('Incident', incident),
        decisions: all('Decision', said['decisions']),
        acts: (said['acts'] as Item[]).map(actShown),
        notices: all('Notice', said['notices']),
      };
    },
  }),
  reads({
    path: '/v1/decisions',
    id: 'listDecisions',
    summary: 'The ledger of decisions: which rule, on which facts, under which policy',
    query: ordered,
    answer: 'DecisionPage',
    what: 'a page of decisions',
    run: async ({ desk, query }) => {
      const { limit, order } = query;
      const list = `decisions ${order}`;
      const [after] = query.after === undefined ? [] : placeOf(list, query.after, ['number']);
      const read = await decisionsPage(desk.query, {
        after: after as number | undefined,
        newestFirst: order === 'desc',
        limit: limit + 1,
      });
      return showAll(
        'Decision',
        pageOfRead(list, read, limit, d => [d.number]),
      );
    },
  }),
  reads({
    path: '/v1/acts',
    id: 'listActs',
    summary: 'Acts: what was ordered of agents, and what was seen afterwards',
    query: ordered,
    answer: 'ActPage',
    what: 'a page of acts',
    run: async ({ desk, query }) => {
      const { limit, order } = query;
      const list = `acts ${order}`;
      const after = query.after === undefined ? undefined : placeOf(list, query.after, ['number', 'string']);
      const read = await actsPage(desk.state(), desk.query, {
        after: after && { seq: Number(after[0]), id: String(after[1]) },
        newestFirst: order === 'desc',
        limit: limit + 1,
      });
      const page = pageOfRead(list, read, limit, row => [Number(row['seq']), String(row['id'])]);
      return { ...page, items: (page.items as Item[]).map(actShown) };
    },
  }),
  reads({
    path: '/v1/proofs',
    id: 'listProofs',
    summary: 'Proofs that a copy of a VM has stopped: without one it is started nowhere else',
    query: paging,
    answer: 'ProofPage',
    what: 'a page of proofs',
    run: ({ desk, query }) =>
      showAll('Proof', pageOfAll('proofs', proofsView(desk.state()), query, keyOf('vm', 'host', 'epoch'))),
  }),
  reads({
    path: '/v1/notices',
    id: 'listWaitingNotices',
    summary: 'Notices that are not delivered yet, by id: at most 1000 of them',
    query: paging,
    answer: 'NoticePage',
    what: 'a page of notices',
    run: async ({ desk, query }) => {
      const all = (await desk.list('outbox')) as unknown[];
      return showAll('Notice', pageOfAll('notices', all, query, keyOf('id', 'target')));
    },
  }),
  reads({
    path: '/v1/alerts',
    id: 'listAlerts',
    summary: 'What stands that a person has to look at',
    query: paging,
    answer: 'AlertPage',
    what: 'a page of alerts',
    run: ({ desk, query }) =>
      showAll('Alert', pageOfAll('alerts', alertsView(desk.state()), query, keyOf('type', 'about'))),
  }),
  reads({
    path: '/v1/policy',
    id: 'getPolicy',
    summary: 'The policy in force',
    answer: 'Policy',
    what: 'the policy, with what it does in sentences',
    run: ({ desk }) => policyShown(desk),
  }),
  reads({
    path: '/v1/audit',
    id: 'listAudit',
    summary: 'Who has ordered what, and what came of it: a chain of hashes, which `syndrome audit verify` goes through',
    query: ordered,
    answer: 'AuditPage',
    what: 'a page of the audit',
    run: async ({ desk, query }) => {
      const { limit, order } = query;
      const list = `audit ${order}`;
      const [after] = query.after === undefined ? [] : placeOf(list, query.after, ['number']);
      const read = await auditPage(desk.query, {
        after: after as number | undefined,
        newestFirst: order === 'desc',
        limit: limit + 1,
      });
      return pageOfRead(list, read, limit, entry => [entry.number]);
    },
  }),
  {
    method: 'GET',
    path: '/v1/events',
    id: 'followDecisions',
    summary: 'Decisions as they are made, as events with their numbers; resumed by Last-Event-ID, or `after`',
    role: 'viewer',
    params: {},
    query: {
      after: z
        .int()
        .min(0)
        .optional()
        .describe('the number of the last decision that is known; without it from now on'),
    },
    events:
      'a `decision` for each, its number as id; `reset` where the ledger has fewer than are known; `beat` while there is none',
    kind: 'events',
    follow,
  },
];
