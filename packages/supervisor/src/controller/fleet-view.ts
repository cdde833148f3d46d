/** @module A fleet at one glance, of a state: what a page shows, and no more of it than a page can show. */
import { alertSeverity, type AlertType } from '../core/notice.ts';
import { unprovenCopies } from '../core/proof.ts';
import type { Incident, State, Vm } from '../core/state.ts';
import { alertsView, hostsView, incidentsView, pagesView } from './views.ts';

/** Incidents and pages. */
const MOST = 500;

type Item = Readonly<Record<string, unknown>>;
type Shown = Pick<Incident, 'id' | 'state' | 'cause' | 'consequence' | 'vm' | 'also' | 'last'>;
const newest = <T>(items: readonly T[]): T[] =>
  items.toSorted((a, b) => Number((b as Item)['last']) - Number((a as Item)['last']));

/** How bad an incident is, from the worst on: by what became of the VM, then by its cause. */
const CONSEQUENCES = ['died', 'panicked', 'rebooted'] as const satisfies Incident['consequence'][];
const CAUSES = ['host', 'page', 'unlocated', 'predicted', 'order'] as const satisfies Incident['cause'][];
const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** The worst first: those of a VM without a proof that it stopped, then by what became of it, then by the cause; the newest of them. */
function worst(open: readonly Shown[], s: Readonly<State>): Shown[] {
  const unproven = [...s.vms.values()].filter(vm => isUnproven(s, vm));
  const vms = new Set(unproven.map(({ id }) => id));
  const because = new Set(unproven.map(({ move }) => move?.incident));
  const rankOf = ({ id, vm, cause, consequence }: Shown): number => {
    if (because.has(id) || (vm !== undefined && vms.has(vm))) return -1;
    if (consequence !== undefined) return CONSEQUENCES.indexOf(consequence);
    return CONSEQUENCES.length + CAUSES.indexOf(cause) * 2 + (vm === undefined ? 1 : 0);
  };
  return open.toSorted((a, b) => rankOf(a) - rankOf(b) || b.last - a.last);
}

/** Alerts, the most severe first, and of them the first. */
const severest = (s: Readonly<State>): { about: string }[] => {
  const rankOf = ({ type, about }: { type: AlertType; about: string }): number =>
    SEVERITIES.indexOf(alertSeverity(type, s.vms.has(about)));
  return (alertsView(s) as { type: AlertType; about: string }[]).toSorted((a, b) => rankOf(a) - rankOf(b));
};

const isUnproven = (s: Readonly<State>, vm: Vm): boolean =>
  vm.move?.step === 'unproven' || s.alerts.get(`unproven ${vm.id}`)?.standing === true;

/** A VM that something is the matter with, or that something is done with. */
function troubledVm(s: Readonly<State>, vm: Vm): Item {
  const copies = isUnproven(s, vm) ? unprovenCopies(vm) : [];
  return {
    id: vm.id,
    name: vm.name,
    home: vm.home,
    epoch: vm.epoch,
    down: vm.down,
    ...(vm.move === undefined ? {} : { step: vm.move.step, rung: vm.move.rung, incident: vm.move.incident }),
    unproven: copies.map(({ host, epoch, state, since }) => ({ host, epoch, state, since })),
  };
}

/** What a state knows of its fleet. */
export function fleetView(s: Readonly<State>): Item {
  const incidents = incidentsView(s) as Shown[];
  const open = incidents.filter(({ state }) => state === 'open');
  const named = new Set(open.flatMap(({ vm, also = [] }) => [vm, ...also]));
  const alerts = severest(s);
  for (const { about } of alerts) named.add(about);
  const pages = pagesView(s);
  return {
    now: s.now,
    mode: s.policy.mode,
    policy: s.policyId,
    paused: s.paused,
    breakerOpen: s.breaker.open !== undefined,
    hosts: hostsView(s),
    vms: s.vms.size,
    troubled: [...s.vms.values()]
      .filter(vm => vm.move !== undefined || vm.down === true || named.has(vm.id))
      .map(vm => troubledVm(s, vm)),
    openIncidents: open.length,
    incidents: [...worst(open, s), ...newest(incidents.filter(({ state }) => state !== 'open'))].slice(0, MOST),
    poisoned: pages.length,
    pages: newest(pages).slice(0, MOST),
    alerts,
    decisions: s.decisions.count,
  };
}
