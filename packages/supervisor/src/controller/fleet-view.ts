/** @module A fleet at one glance, of a state: what a page shows, and no more of it than a page can show. */
import type { State, Vm } from '../core/state.ts';
import { unprovenCopies } from '../core/proof.ts';
import { alertsView, hostsView, incidentsView, pagesView } from './views.ts';

/** Incidents and pages, the newest. */
const MOST = 500;

type Item = Readonly<Record<string, unknown>>;
const newest = (items: readonly unknown[]): Item[] =>
  (items as Item[]).toSorted((a, b) => Number(b['last']) - Number(a['last'])).slice(0, MOST);

/** A VM that something is the matter with, or that something is done with. */
function troubledVm(s: Readonly<State>, vm: Vm): Item {
  const isUnproven = vm.move?.step === 'unproven' || s.alerts.get(`unproven ${vm.id}`)?.standing === true;
  const copies = isUnproven ? unprovenCopies(vm) : [];
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
  const incidents = incidentsView(s) as Item[];
  const open = incidents.filter(({ state }) => state === 'open');
  const named = new Set(open.flatMap(({ vm, also = [] }) => [vm, ...(also as unknown[])]));
  const alerts = alertsView(s) as { about: string }[];
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
    incidents: [...newest(open), ...newest(incidents.filter(({ state }) => state !== 'open'))].slice(0, MOST),
    poisoned: pages.length,
    pages: newest(pages),
    alerts,
    decisions: s.decisions.count,
  };
}
