/** @module What a person may read of the core and the store: plain data, for text and JSON alike. */
import type { Query, SqlRow } from '@syndrome/base/store/store.ts';
import type { StopProof } from '../core/act.ts';
import type { Decision } from '../core/input.ts';
import { ALERT_PLAYBOOK, type AlertType } from '../core/notice.ts';
import type { Host, Incident, State, Vm } from '../core/state.ts';
import { ControllerError } from './errors.ts';

/** Rows of the store that one answer holds. */
const MAX_ROWS = 1000;

const plain = (map: ReadonlyMap<string, unknown>): Record<string, unknown> => Object.fromEntries(map);

export function statusView(s: Readonly<State>): Record<string, unknown> {
  const open = [...s.incidents.values()].filter(i => i.state === 'open').length;
  return {
    now: s.now,
    policy: s.policyId,
    mode: s.policy.mode,
    ...(s.policyBy === undefined ? {} : { policyBy: s.policyBy }),
    ...(s.sitePolicy === undefined ? {} : { sitePolicy: s.sitePolicy, sitePolicyInForce: s.sitePolicy === s.policyId }),
    paused: s.paused,
    breakerOpen: s.breaker.open !== undefined,
    hosts: s.hosts.size,
    connected: [...s.hosts.values()].filter(h => h.connected).length,
    vms: s.vms.size,
    openIncidents: open,
    moving: s.moving,
    flying: s.flying,
    alerts: [...s.alerts].filter(([, { standing }]) => standing).map(([key]) => key),
    decisions: s.decisions,
  };
}

export const hostsView = (s: Readonly<State>): unknown[] =>
  [...s.hosts.values()].map(({ pages, corrected, correctedLately: _c, sources, ...host }: Host) => ({
    ...host,
    pages: pages.size,
    notApplied: [...pages.values()].filter(p => !p.applied && p.repaired !== true).length,
    corrected: corrected.size,
    sources: Object.fromEntries([...sources].map(([name, { state, since }]) => [name, { state, since }])),
  }));

export const vmsView = (s: Readonly<State>): unknown[] =>
  [...s.vms.values()].map(({ met, definition: _d, said: _s, move, ...vm }: Vm) => ({
    ...vm,
    unlocated: [...met.values()].reduce((sum, { unlocated }) => sum + unlocated.size, 0),
    ...(move === undefined ? {} : { move: { ...move, tried: plain(move.tried) } }),
  }));

export const pagesView = (s: Readonly<State>): unknown[] =>
  [...s.hosts.values()].flatMap(host =>
    [...host.pages.values()].map(({ times, ...page }) => {
      const seen = [...times.values()].flat();
      return { host: host.id, ...page, first: Math.min(...seen), last: Math.max(...seen) };
    }),
  );

const incidentView = ({ witnesses, ...incident }: Incident): Record<string, unknown> => ({
  ...incident,
  witnesses: plain(witnesses),
});

export const incidentsView = (s: Readonly<State>): unknown[] => [...s.incidents.values()].map(incidentView);

const actColumns = 'id, host, vm, incident, kind, state, reason, body';
/**
 * Acts that are under way, and of which the state knows nothing: it has read again what another version wrote, and decided otherwise.
 * They are never sent, and nothing ends them.
 */
const STRAY = {
  state: 'unknown',
  reason: 'another version of the controller wanted it, and may have had it done; this one goes on without it',
};
const actViews = (s: Readonly<State>, rows: readonly SqlRow[]): Record<string, unknown>[] =>
  rows.map(row => {
    const isOpen = row['state'] === 'intent' || row['state'] === 'sent';
    const stray = isOpen && !s.acts.has(String(row['id'])) ? STRAY : {};
    return { ...row, ...stray, body: JSON.parse(String(row['body'])) as unknown };
  });

/** The last acts, newest first. */
export async function actionsView(s: Readonly<State>, query: Query): Promise<unknown[]> {
  return actViews(s, await query(`select ${actColumns} from act order by seq desc, id limit $1`, [MAX_ROWS]));
}

/** Alerts that stand: of what kind, about what. */
export const alertsView = (s: Readonly<State>): unknown[] =>
  [...s.alerts].flatMap(([key, { raised, standing }]) => {
    if (!standing) return [];
    const type = key.slice(0, key.indexOf(' '));
    return [{ type, about: key.slice(type.length + 1), raised, playbook: ALERT_PLAYBOOK[type as AlertType] }];
  });

/** The policy in force, and who has set it. */
export const policyView = (s: Readonly<State>) => ({
  id: s.policyId,
  ...s.policyBy,
  sitePolicy: s.sitePolicy,
  policy: s.policy,
});

/** Of each copy of a VM that is proven to have stopped: the proof. */
export const proofsView = (s: Readonly<State>): StopProof[] =>
  [...s.vms.values()].flatMap(({ copies }) => copies.flatMap(({ proof }) => (proof === undefined ? [] : [proof])));

/** In which order rows of the store are read, and after which one: it has the last place of the page before. */
export interface PageOf<K> {
  after?: K | undefined;
  newestFirst: boolean;
  limit: number;
}

/** Decisions with their numbers, from one on. */
export async function decisionsPage(
  query: Query,
  { after, newestFirst, limit }: PageOf<number>,
): Promise<(Decision & { number: number })[]> {
  const [than, order] = newestFirst ? ['<', 'desc'] : ['>', 'asc'];
  const rows = await query(
    `select number, body from decision where number ${than} $1 order by number ${order} limit $2`,
    [after ?? (newestFirst ? Number.MAX_SAFE_INTEGER : 0), limit],
  );
  return rows.map(row => ({ number: Number(row['number']), ...(JSON.parse(String(row['body'])) as Decision) }));
}

/** Acts, each with the input that it came of: the place of an act is that and its id. */
export async function actsPage(
  s: Readonly<State>,
  query: Query,
  { after, newestFirst, limit }: PageOf<{ seq: number; id: string }>,
): Promise<Record<string, unknown>[]> {
  const [than, order] = newestFirst ? ['<', 'desc'] : ['>', 'asc'];
  const where = after === undefined ? '' : `where (seq, id) ${than} ($2, $3)`;
  const rows = await query(`select seq, ${actColumns} from act ${where} order by seq ${order}, id ${order} limit $1`, [
    limit,
    ...(after === undefined ? [] : [after.seq, after.id]),
  ]);
  return actViews(s, rows);
}

const outboxColumns = 'id, target, state, attempts, due, done, error';
const deliveryView = (row: SqlRow): Record<string, unknown> => ({
  ...row,
  attempts: Number(row['attempts']),
  due: Number(row['due']),
  done: row['done'] === null ? null : Number(row['done']),
});

/** What waits to be delivered, the longest waiting first. */
export async function waitingView(query: Query): Promise<unknown[]> {
  const rows = await query(`select ${outboxColumns} from outbox where state = 'waiting' order by seq, id limit $1`, [
    MAX_ROWS,
  ]);
  return rows.map(deliveryView);
}

/** How many notices wait, by target. It reads those that wait alone, by an index. @throws StoreError */
export async function waitingByTarget(query: Query): Promise<{ target: string; waiting: number }[]> {
  const rows = await query(
    `select target, count(*) as waiting from outbox where state = 'waiting' group by target order by target limit $1`,
    [MAX_ROWS],
  );
  return rows.map(row => ({ target: String(row['target']), waiting: Number(row['waiting']) }));
}

/**
 * Notices that wait for a target that nobody serves, since the configuration names it no more.
 * @param targets those that it names
 */
export const unservedView = async (query: Query, targets: readonly string[]): ReturnType<typeof waitingByTarget> =>
  (await waitingByTarget(query)).filter(({ target }) => !targets.includes(target));

/** A host or a VM as it is now, and the last of what was decided, done and told about it, oldest first. */
async function explainSubject(s: Readonly<State>, query: Query, id: string): Promise<unknown> {
  const host = hostsView(s).find(view => (view as Host).id === id);
  const vm = vmsView(s).find(view => (view as Vm).id === id);
  const decisions = await query('select body from decision where host = $1 or vm = $1 order by number desc limit $2', [
    id,
    MAX_ROWS,
  ]);
  const acts = await query(`select ${actColumns} from act where host = $1 or vm = $1 order by seq desc, id limit $2`, [
    id,
    MAX_ROWS,
  ]);
  return {
    ...(host === undefined ? {} : { host }),
    ...(vm === undefined ? {} : { vm }),
    decisions: decisions.toReversed().map(row => JSON.parse(String(row['body'])) as Decision),
    acts: actViews(s, acts.toReversed()),
    notices: [],
  };
}

/**
 * All that is known of a host or a VM; of an incident, or of the incident of an action: what was decided, and why; what was done, what was told.
 * @throws ControllerError E_CONTROLLER_ASK when there is none of that name
 */
export async function explainView(s: Readonly<State>, query: Query, id: string): Promise<unknown> {
  if (!s.incidents.has(id) && (s.hosts.has(id) || s.vms.has(id))) return explainSubject(s, query, id);
  const [act] = await query(`select ${actColumns} from act where id = $1`, [id]);
  const of = act === undefined ? id : String(act['incident']);
  const decisions = await query('select body from decision where incident = $1 order by number limit $2', [
    of,
    MAX_ROWS,
  ]);
  const incident = s.incidents.get(of);
  if (incident === undefined && decisions.length === 0)
    throw new ControllerError('E_CONTROLLER_ASK', `there is no incident or action ${id}`, {
      hint: 'The lists of incidents and actions have their names.',
    });
  const acts = await query(`select ${actColumns} from act where incident = $1 order by seq, id limit $2`, [
    of,
    MAX_ROWS,
  ]);
  const notices = await query(
    `select ${outboxColumns}, body from outbox where incident = $1 order by seq, id, target limit $2`,
    [of, MAX_ROWS],
  );
  const guestKernel = s.vms.get(incident?.vm ?? '')?.guestKernel;
  return {
    ...(guestKernel === undefined ? {} : { guestKernel }),
    incident: incident === undefined ? { id: of, state: 'forgotten' } : incidentView(incident),
    decisions: decisions.map(row => JSON.parse(String(row['body'])) as Decision),
    acts: actViews(s, acts),
    notices: notices.map(row => ({ ...deliveryView(row), body: JSON.parse(String(row['body'])) as unknown })),
  };
}
