/**
 * @module What a controller is measured by, as Prometheus reads it (text format 0.0.4: prometheus.io/docs/instrumenting/exposition_formats). Names are
 * of base units, counters end in `_total`. A series names a VM only as long as that VM has errors or is not proven to have stopped.
 */
import type { Query } from '@syndrome/base/store/store.ts';
import { VERSION } from '@syndrome/decode/common/version.ts';
import type { Desk } from '../controller/desk.ts';
import { RESULT_STATES } from '../core/act.ts';
import type { Host, State } from '../core/state.ts';
import type { Route } from './route.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number, labels?: Labels];

/** What a scrape reads: the state, and what only the store counts. */
interface Read {
  state: Readonly<State>;
  epoch: number;
  /** Acts by kind and state, notices by target and state: rows of the store. */
  acts: readonly Counted[];
  notices: readonly Counted[];
}

interface Counted {
  what: string;
  state: string;
  count: number;
}

interface Metric {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  of: (read: Read) => Iterable<Sample>;
}

/** How often each value comes. */
function tally<T>(all: Iterable<T>, labelsOf: (item: T) => Labels): Sample[] {
  const found = new Map<string, { count: number; labels: Labels }>();
  for (const item of all) {
    const labels = labelsOf(item);
    const key = JSON.stringify(labels);
    const known = found.get(key);
    if (known === undefined) found.set(key, { count: 1, labels });
    else known.count++;
  }
  return [...found.values()].map(({ count, labels }) => [count, labels]);
}

const flag = (is: boolean): Sample[] => [[is ? 1 : 0]];
const OVER: ReadonlySet<string> = new Set(RESULT_STATES);

/** A page that is out of use on its host, one that has to be taken out again, or one whose memory was replaced. */
const pageState = ({ applied, repaired }: { applied: boolean; repaired?: boolean }): string =>
  repaired === true ? 'repaired' : applied ? 'applied' : 'unapplied';
const bytesOf = ({ pages }: Host): number =>
  [...pages.values()].reduce((sum, { order, repaired }) => (repaired === true ? sum : sum + 2 ** order), 0);
/** Errors that VMs have met, by VM: pages of theirs, and those without an address. One pass over the pages of all hosts. */
function errorsByVm({ hosts, vms }: Readonly<State>): Sample[] {
  const found = new Map<string, number>();
  const add = (vm: string, errors: number): unknown => errors > 0 && found.set(vm, (found.get(vm) ?? 0) + errors);
  for (const { pages } of hosts.values()) for (const page of pages.values()) for (const vm of page.vms) add(vm, 1);
  for (const { id, met } of vms.values()) for (const { unlocated } of met.values()) add(id, unlocated.size);
  return [...found].map(([vm, errors]) => [errors, { vm }]);
}

const METRICS: readonly Metric[] = [
  {
    name: 'syndrome_build_info',
    type: 'gauge',
    help: 'The version of this controller.',
    of: () => [[1, { version: VERSION }]],
  },
  {
    name: 'syndrome_lease_epoch',
    type: 'gauge',
    help: 'Epoch of the lease that this controller works under. It grows with each change of owner.',
    of: ({ epoch }) => [[epoch]],
  },
  {
    name: 'syndrome_policy_info',
    type: 'gauge',
    help: 'The policy in force: name, version and hash, and its mode.',
    of: ({ state }) => [[1, { policy: state.policyId, mode: state.policy.mode }]],
  },
  {
    name: 'syndrome_paused',
    type: 'gauge',
    help: '1 while a person has paused all acts.',
    of: ({ state }) => flag(state.paused !== undefined),
  },
  {
    name: 'syndrome_circuit_open',
    type: 'gauge',
    help: '1 while the breaker is open: too many hosts have errors at once, and nothing is moved.',
    of: ({ state }) => flag(state.breaker.open !== undefined),
  },
  {
    name: 'syndrome_hosts',
    type: 'gauge',
    help: 'Hosts, by whether their agent is connected.',
    of: ({ state }) => tally(state.hosts.values(), ({ connected }) => ({ agent: connected ? 'connected' : 'silent' })),
  },
  {
    name: 'syndrome_hosts_draining',
    type: 'gauge',
    help: 'Hosts that get no VMs any more.',
    of: ({ state }) => [[[...state.hosts.values()].filter(({ draining }) => draining !== undefined).length]],
  },
  {
    name: 'syndrome_agent_connected',
    type: 'gauge',
    help: '1 while the agent of a host is connected.',
    of: ({ state }) => [...state.hosts.values()].map(({ id, connected }) => [connected ? 1 : 0, { host: id }]),
  },
  {
    name: 'syndrome_vms',
    type: 'gauge',
    help: 'VMs that are known.',
    of: ({ state }) => [[state.vms.size]],
  },
  {
    name: 'syndrome_poisoned_pages',
    type: 'gauge',
    help: 'Bad pages of a host: out of use, not (yet) out of use since its boot, or with memory that was replaced.',
    of: ({ state }) =>
      [...state.hosts.values()].flatMap(({ id, pages }) =>
        tally(pages.values(), page => ({ host: id, state: pageState(page) })),
      ),
  },
  {
    name: 'syndrome_poisoned_bytes',
    type: 'gauge',
    help: 'Memory of a host that is lost with its bad pages.',
    of: ({ state }) =>
      [...state.hosts.values()].flatMap(host =>
        host.pages.size === 0 ? [] : [[bytesOf(host), { host: host.id }] as const],
      ),
  },
  {
    name: 'syndrome_vm_distinct_errors',
    type: 'gauge',
    help: 'Distinct errors that are known of a VM: pages of the ledger that it has lost, and errors without an address.',
    of: ({ state }) => errorsByVm(state),
  },
  {
    name: 'syndrome_fence_unproven_vms',
    type: 'gauge',
    help: 'VMs that are not started elsewhere, since nothing proves that their copy has stopped.',
    of: ({ state }) => [[[...state.vms.values()].filter(({ move }) => move?.step === 'unproven').length]],
  },
  {
    name: 'syndrome_incidents_open',
    type: 'gauge',
    help: 'Open incidents, by what they are about.',
    of: ({ state }) =>
      tally(
        [...state.incidents.values()].filter(incident => incident.state === 'open'),
        ({ cause }) => ({ cause }),
      ),
  },
  {
    name: 'syndrome_incidents_total',
    type: 'counter',
    help: 'Incidents that were opened, over the whole ledger.',
    of: ({ state }) => [[state.lastIncident]],
  },
  {
    name: 'syndrome_decisions_total',
    type: 'counter',
    help: 'Decisions of the ledger.',
    of: ({ state }) => [[state.decisions.count]],
  },
  {
    name: 'syndrome_alerts',
    type: 'gauge',
    help: 'Alerts that stand: a person has to look.',
    of: ({ state }) =>
      tally(
        [...state.alerts].filter(([, { standing }]) => standing),
        ([key]) => ({ type: key.slice(0, key.indexOf(' ')) }),
      ),
  },
  {
    name: 'syndrome_actions_total',
    type: 'counter',
    help: 'Acts that are over, by kind and result.',
    of: ({ acts }) =>
      acts.flatMap(({ what, state, count }) =>
        OVER.has(state) ? [[count, { kind: what, result: state }] as const] : [],
      ),
  },
  {
    name: 'syndrome_actions_open',
    type: 'gauge',
    help: 'Acts that are under way.',
    of: ({ acts }) =>
      acts.flatMap(({ what, state, count }) => (OVER.has(state) ? [] : [[count, { kind: what, state }] as const])),
  },
  {
    name: 'syndrome_notices_total',
    type: 'counter',
    help: 'Notices that are over, by target and what became of them.',
    of: ({ notices }) =>
      notices.flatMap(({ what, state, count }) =>
        state === 'waiting' ? [] : [[count, { target: what, result: state }] as const],
      ),
  },
  {
    name: 'syndrome_notices_waiting',
    type: 'gauge',
    help: 'Notices that wait for their target.',
    of: ({ notices }) =>
      notices.flatMap(({ what, state, count }) => (state === 'waiting' ? [[count, { target: what }] as const] : [])),
  },
];

/** What is answered while this controller waits for its lease, too. */
const WORKS: Omit<Metric, 'of'> = {
  name: 'syndrome_controller_works',
  type: 'gauge',
  help: '1 for the controller that holds the lease; exactly one of a site.',
};

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

function lines({ name, type, help }: Omit<Metric, 'of'>, samples: Iterable<Sample>): string[] {
  const said = [...samples].map(([value, labels = {}]) => {
    const named = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${named.length === 0 ? '' : `{${named.join(',')}}`} ${value}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...said];
}

async function counted(query: Query, table: 'act' | 'outbox', by: 'kind' | 'target'): Promise<Counted[]> {
  const rows = await query(
    `select ${by} as what, state, count(*) as count from ${table} group by ${by}, state order by 1, 2`,
  );
  return rows.map(({ what, state, count }) => ({ what: String(what), state: String(state), count: Number(count) }));
}

/**
 * The metrics of a controller.
 * @param desk undefined while it waits for its lease: then it says that alone
 * @throws StoreError
 */
async function metricsOf(desk: Desk | undefined): Promise<string> {
  const said = lines(WORKS, flag(desk !== undefined));
  if (desk !== undefined) {
    const { query, epoch } = desk;
    const acts = await counted(query, 'act', 'kind');
    const notices = await counted(query, 'outbox', 'target');
    const read: Read = { state: desk.state(), epoch, acts, notices };
    for (const metric of METRICS) said.push(...lines(metric, metric.of(read)));
  }
  return `${said.join('\n')}\n`;
}

export const METRICS_ROUTE: Route = {
  method: 'GET',
  path: '/metrics',
  id: 'getMetrics',
  summary: 'Metrics for Prometheus; of a controller that waits for its lease that alone',
  role: 'viewer',
  params: {},
  query: {},
  kind: 'text',
  text: 'text/plain; version=0.0.4; charset=utf-8',
  what: 'the metrics',
  run: metricsOf,
};
