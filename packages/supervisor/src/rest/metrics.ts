/**
 * @module What a controller is measured by, as Prometheus reads it (text format 0.0.4: prometheus.io/docs/instrumenting/exposition_formats). Names are
 * of base units, counters end in `_total`. A series names a VM only as long as that VM has errors or is not proven to have stopped.
 */
import { VERSION } from '@syndrome/decode/common/version.ts';
import type { Desk } from '../controller/desk.ts';
import type { Counter, Histogram } from '../controller/meters.ts';
import { waitingByTarget } from '../controller/views.ts';
import { unprovenCopies } from '../core/proof.ts';
import type { Host, Incident, State } from '../core/state.ts';
import { severityOf } from '../core/words.ts';
import type { Route, Standing } from './route.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number, labels?: Labels];

/** What a scrape reads: nothing of it grows with the ledger. */
interface Read extends Pick<Desk, 'epoch' | 'meters' | 'backlogs' | 'openActs'> {
  state: Readonly<State>;
  /** How many notices wait, by target. */
  waiting: Awaited<ReturnType<typeof waitingByTarget>>;
}

interface Metric {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  of: (read: Read) => Iterable<Sample>;
}

interface Distribution {
  name: string;
  help: string;
  of: (read: Read) => Histogram;
}

const counts = (counter: Counter): Sample[] => [...counter].map(({ labels, count }) => [count, labels]);

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

/** A page that is out of use on its host, one that has to be taken out again, or one whose memory was replaced. */
const pageState = ({ applied, repaired }: { applied: boolean; repaired?: boolean }): string =>
  repaired === true ? 'repaired' : applied ? 'applied' : 'unapplied';
const bytesOf = ({ pages }: Host): number =>
  [...pages.values()].reduce((sum, { order, repaired }) => (repaired === true ? sum : sum + 2 ** order), 0);
/** What an incident is about, and how severe it is: as its notices say. */
const aboutOf = ({ hosts }: Readonly<State>, incident: Incident): Labels => ({
  cause: incident.cause,
  severity: severityOf(hosts.get(incident.host)?.pages.get(incident.page ?? ''), incident),
});
/** Errors that VMs have met, by VM: pages of theirs, and those without an address. One pass over the pages of all hosts. */
function errorsByVm({ hosts, vms }: Readonly<State>): Sample[] {
  const found = new Map<string, number>();
  const add = (vm: string, errors: number): unknown => errors > 0 && found.set(vm, (found.get(vm) ?? 0) + errors);
  for (const { pages } of hosts.values()) for (const page of pages.values()) for (const vm of page.vms) add(vm, 1);
  for (const { id, met } of vms.values()) for (const { unlocated } of met.values()) add(id, unlocated.size);
  return [...found].map(([vm, errors]) => [errors, { vm }]);
}

/** Bytes of pages that VMs have lost, by VM and host. */
function lostByVm({ hosts }: Readonly<State>): Sample[] {
  const found: Sample[] = [];
  for (const { id: host, pages } of hosts.values()) {
    const lost = new Map<string, number>();
    for (const { vms, order, repaired } of pages.values())
      if (repaired !== true) for (const vm of vms) lost.set(vm, (lost.get(vm) ?? 0) + 2 ** order);
    for (const [vm, bytes] of lost) found.push([bytes, { vm, host }]);
  }
  return found;
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
    name: 'syndrome_vm_poisoned_bytes',
    type: 'gauge',
    help: 'Memory that a VM has lost with bad pages of a host, whose memory was not replaced since.',
    of: ({ state }) => lostByVm(state),
  },
  {
    name: 'syndrome_vm_unproven',
    type: 'gauge',
    help: '1 for each host on which nothing proves that the copy of a VM has stopped that is not started elsewhere.',
    of: ({ state }) =>
      [...state.vms.values()]
        .filter(({ move }) => move?.step === 'unproven')
        .flatMap(vm => unprovenCopies(vm).map(({ host }) => [1, { vm: vm.id, host }] as const)),
  },
  {
    name: 'syndrome_vm_incidents_open',
    type: 'gauge',
    help: 'Open incidents of a VM, by what they are about.',
    of: ({ state }) =>
      tally(
        [...state.incidents.values()].flatMap(({ state: is, vm, cause }) =>
          is === 'open' && vm !== undefined ? [{ vm, cause }] : [],
        ),
        labels => labels,
      ),
  },
  {
    name: 'syndrome_host_draining',
    type: 'gauge',
    help: '1 for a host that gets no VMs any more.',
    of: ({ state }) =>
      [...state.hosts.values()].map(({ id, draining }) => [draining === undefined ? 0 : 1, { host: id }]),
  },
  {
    name: 'syndrome_host_memory_failures',
    type: 'gauge',
    help: 'Errors that the kernel of a host has handled since its boot, of all its nodes (sysfs memory_failure/total).',
    of: ({ state }) =>
      [...state.hosts.values()].flatMap(({ id, counted }) =>
        counted?.handled === undefined ? [] : [[counted.handled, { host: id }] as const],
      ),
  },
  {
    name: 'syndrome_host_unseen_errors',
    type: 'gauge',
    help: 'Errors that the kernel of a host has counted since its boot and that nobody has told.',
    of: ({ state }) =>
      [...state.hosts.values()].flatMap(({ id, unseen }) =>
        unseen === undefined ? [] : [[unseen.count, { host: id }] as const],
      ),
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
    help: 'Open incidents, by what they are about and how severe they are for the owners of VMs.',
    of: ({ state }) =>
      tally(
        [...state.incidents.values()].filter(incident => incident.state === 'open'),
        incident => aboutOf(state, incident),
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
    name: 'syndrome_events_total',
    type: 'counter',
    help: "Errors as they were seen, repeats too, by who saw them; of QEMU's MEMORY_FAILURE by its recipient and action.",
    of: ({ meters }) => counts(meters.events),
  },
  {
    name: 'syndrome_events_duplicate_total',
    type: 'counter',
    help: 'Rows of agents that came again and were in the ledger already: they change nothing.',
    of: ({ meters }) => [[meters.again]],
  },
  {
    name: 'syndrome_spool_backlog',
    type: 'gauge',
    help: 'Rows in the spool of a host that are not in the ledger, as its agent said last.',
    of: ({ backlogs }) => [...backlogs()].map(([host, rows]) => [rows, { host }]),
  },
  {
    name: 'syndrome_actions_total',
    type: 'counter',
    help: 'Acts that are over, by kind and result.',
    of: ({ meters }) => counts(meters.acts),
  },
  {
    name: 'syndrome_actions_open',
    type: 'gauge',
    help: 'Acts that are under way.',
    of: ({ openActs }) => tally(openActs(), ({ act, state }) => ({ kind: act.kind, state })),
  },
  {
    name: 'syndrome_notices_total',
    type: 'counter',
    help: 'Notices that are over, by target and what became of them.',
    of: ({ meters }) => counts(meters.notices),
  },
  {
    name: 'syndrome_notices_waiting',
    type: 'gauge',
    help: 'Notices that wait for their target.',
    of: ({ waiting }) => waiting.map(({ target, waiting: count }) => [count, { target }]),
  },
];

const DISTRIBUTIONS: readonly Distribution[] = [
  {
    name: 'syndrome_action_duration_seconds',
    help: 'From the decision of an act until it is known what became of it.',
    of: ({ meters }) => meters.actSeconds,
  },
  {
    name: 'syndrome_detection_delay_seconds',
    help: 'From an event, by the clock of whoever wrote of it, until it is durable in the ledger.',
    of: ({ meters }) => meters.detectionSeconds,
  },
  {
    name: 'syndrome_notification_delay_seconds',
    help: 'From a notice being decided until its target has taken it.',
    of: ({ meters }) => meters.noticeSeconds,
  },
];

/** What is answered while this controller waits for its lease, too. */
const WORKS: Omit<Metric, 'of'> = {
  name: 'syndrome_controller_works',
  type: 'gauge',
  help: '1 for the controller that holds the lease; exactly one of a site.',
};
const FAILED: Omit<Metric, 'of'> = {
  name: 'syndrome_controller_failed',
  type: 'gauge',
  help: '1 while this controller cannot go on with the ledger of a shard; it goes on with the others, and tries that one again.',
};
const FAILURES: Omit<Metric, 'of'> = {
  name: 'syndrome_controller_failures_total',
  type: 'counter',
  help: 'How often this process could not go on with the ledger of a shard.',
};

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

const sampleLine = (name: string, value: number, labels: Labels = {}): string => {
  const named = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${named.length === 0 ? '' : `{${named.join(',')}}`} ${value}`;
};

function lines({ name, type, help }: Omit<Metric, 'of'>, samples: Iterable<Sample>): string[] {
  const said = [...samples].map(([value, labels]) => sampleLine(name, value, labels));
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...said];
}

/** A histogram: of each bound how many took no longer. */
function distributed({ name, help, of }: Distribution, read: Read): string[] {
  const histogram = of(read);
  const said = [...histogram].flatMap(({ labels, within, sum }) => {
    let upTo = 0;
    const buckets = within.map((count, i) => {
      upTo += count;
      return sampleLine(`${name}_bucket`, upTo, { ...labels, le: String(histogram.bounds[i] ?? '+Inf') });
    });
    return [...buckets, sampleLine(`${name}_sum`, sum, labels), sampleLine(`${name}_count`, upTo, labels)];
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...said];
}

/**
 * The metrics of a controller.
 * @param desk undefined while it does not work: then it says that alone, and how it stands
 * @throws StoreError
 */
async function metricsOf(desk: Desk | undefined, { failures, why }: Standing): Promise<string> {
  const said = [
    ...lines(WORKS, flag(desk !== undefined)),
    ...lines(FAILED, flag(why !== undefined)),
    ...lines(FAILURES, [[failures]]),
  ];
  if (desk !== undefined) {
    const read: Read = { ...desk, state: desk.state(), waiting: await waitingByTarget(desk.query) };
    for (const metric of METRICS) said.push(...lines(metric, metric.of(read)));
    for (const one of DISTRIBUTIONS) said.push(...distributed(one, read));
  }
  return `${said.join('\n')}\n`;
}

export const METRICS_ROUTE: Route = {
  method: 'GET',
  path: '/metrics',
  id: 'getMetrics',
  summary: 'Metrics for Prometheus; of a controller that does not work that alone, and whether it could not',
  role: 'viewer',
  params: {},
  query: {},
  kind: 'text',
  text: 'text/plain; version=0.0.4; charset=utf-8',
  what: 'the metrics',
  run: metricsOf,
};
