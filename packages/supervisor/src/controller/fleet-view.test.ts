/** What of a fleet a page is shown where there is more than it can show. */
import { expect, test } from 'vitest';
import { type Incident, newState, type State, type Vm } from '../core/state.ts';
import { fleetView } from './fleet-view.ts';

function put(s: State, id: string, last: number, more: Partial<Incident> = {}): void {
  s.incidents.set(id, {
    id,
    host: 'h',
    cause: 'page',
    state: 'open',
    openedAt: last,
    first: last,
    last,
    witnesses: new Map(),
    remarks: [],
    told: [],
    ...more,
  });
}
const idsOf = (s: State): string[] => (fleetView(s)['incidents'] as { id: string }[]).map(({ id }) => id);

test('of more open incidents than a page shows the worst are shown, however old', () => {
  const s = newState();
  put(s, 'inc-unproven', 1, { cause: 'predicted', vm: 'db' });
  put(s, 'inc-died', 2, { vm: 'x', consequence: 'died' });
  put(s, 'inc-panicked', 3, { vm: 'x', consequence: 'panicked' });
  put(s, 'inc-host', 4, { cause: 'host' });
  for (let n = 0; n < 600; n++) put(s, `inc-${n}`, 1000 + n, { vm: 'web' });
  for (let n = 0; n < 10; n++) put(s, `over-${n}`, 5000 + n, { state: 'closed', consequence: 'died' });
  const move = { step: 'unproven', incident: 'inc-unproven' } as unknown as Vm['move'];
  s.vms.set('db', { id: 'db', name: 'db', epoch: 0, copies: [], move } as unknown as Vm);
  const ids = idsOf(s);
  expect(ids.length).toBe(500);
  expect(ids.slice(0, 6)).toEqual(['inc-unproven', 'inc-died', 'inc-panicked', 'inc-host', 'inc-599', 'inc-598']);
  expect(fleetView(s)['openIncidents']).toBe(604);
});

test('what is over comes behind what is open, the newest first', () => {
  const s = newState();
  put(s, 'over-1', 9, { state: 'closed', consequence: 'died' });
  put(s, 'over-2', 10, { state: 'absorbed' });
  put(s, 'vm', 1, { vm: 'x' });
  put(s, 'rebooted', 1, { vm: 'x', consequence: 'rebooted' });
  put(s, 'none', 5);
  expect(idsOf(s)).toEqual(['rebooted', 'vm', 'none', 'over-2', 'over-1']);
});

test('alerts are shown the most severe first', () => {
  const s = newState();
  s.vms.set('db', { id: 'db', name: 'db', epoch: 0, copies: [] } as unknown as Vm);
  const raised = [
    'agent-silent h',
    'action-failed h page 0x10',
    'breaker-open fleet',
    'clock-ahead h',
    'action-failed db',
    'second-copy db',
  ];
  for (const key of raised) s.alerts.set(key, { raised: 1, standing: true });
  s.alerts.set('spool-full h kmsg', { raised: 1, standing: false });
  const alerts = fleetView(s)['alerts'] as { type: string; about: string }[];
  expect(alerts.map(({ type, about }) => `${type} ${about}`)).toEqual([
    'breaker-open fleet',
    'action-failed db',
    'second-copy db',
    'agent-silent h',
    'action-failed h page 0x10',
    'clock-ahead h',
  ]);
});
