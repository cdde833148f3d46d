import { expect, test } from 'vitest';
import type { Explanation, Fleet } from '@syndrome/supervisor/client/types.ts';
import { sceneOf } from '../scene.ts';
import { fleetRows, foundRows, hostCounts, hostSquares, leftOut, modeWords } from './rows.ts';
import { incidentRun } from './timeline.ts';

const NOW = 1_796_000_000_000;
const minutes = (n: number): number => NOW - n * 60_000;

type Incident = Fleet['incidents'][number];
const incident = (id: string, more: Partial<Incident> = {}): Incident => ({
  id,
  host: 'h1',
  cause: 'page',
  state: 'open',
  openedAt: minutes(30),
  first: minutes(30),
  last: minutes(20),
  witnesses: { 'kmsg host.sigbus-sent': { count: 2, first: minutes(30), last: minutes(20) } },
  remarks: [],
  told: [],
  ...more,
});
const host = (id: string, more: Partial<Fleet['hosts'][number]> = {}): Fleet['hosts'][number] => ({
  id,
  connected: true,
  since: minutes(60),
  pages: 0,
  notApplied: 0,
  corrected: 0,
  ...more,
});
const fleet = (more: Partial<Fleet>): Fleet => ({
  input: 9,
  inputs: 9,
  now: NOW,
  mode: 'observe',
  policy: 'p@1#0',
  breakerOpen: false,
  hosts: [],
  vms: 0,
  troubled: [],
  openIncidents: 0,
  incidents: [],
  poisoned: 0,
  pages: [],
  alerts: [],
  decisions: 0,
  ...more,
});

test('unproven first, then alerts, then incidents as the controller ranks them, then those that are over', () => {
  const rows = fleetRows(
    fleet({
      troubled: [
        {
          id: 'db',
          name: 'database',
          epoch: 0,
          step: 'unproven',
          incident: 'inc-2',
          unproven: [{ host: 'h2', epoch: 0, state: 'running', since: minutes(2) }],
        },
        { id: 'web', name: 'web', epoch: 1, unproven: [] },
      ],
      alerts: [
        { type: 'unproven', about: 'db', raised: 1, playbook: 'unproven.md' },
        { type: 'agent-silent', about: 'h3', raised: 2, playbook: 'not-seen.md' },
      ],
      incidents: [
        incident('inc-7', { vm: 'x', consequence: 'died' }),
        incident('inc-4', { vm: 'web', last: minutes(1) }),
        incident('inc-1', { state: 'closed', consequence: 'died' }),
        incident('inc-8', { state: 'closed', last: minutes(2) }),
        incident('inc-3', { vm: 'web', last: minutes(5) }),
        incident('inc-2', { cause: 'predicted' }),
      ],
    }),
  );
  expect(rows.map(({ key }) => key)).toEqual([
    'unproven db',
    'alert agent-silent h3',
    ...[7, 4, 3, 2, 8, 1].map(n => `incident inc-${n}`),
  ]);
  expect(rows[0]).toMatchObject({
    kind: 'unproven',
    title: 'database has no proof that it stopped',
    age: '2 min',
    incident: 'inc-2',
  });
  expect(rows.at(-1)?.kind).toBe('closed');
  expect(foundRows(rows, 'WEB h1').map(({ key }) => key)).toEqual(['incident inc-4', 'incident inc-3']);
  expect(foundRows(rows, ' ')).toEqual(rows);
});

test('how many open incidents were left out is told', () => {
  const incidents = [incident('inc-1'), incident('inc-2', { state: 'closed' })];
  expect(leftOut(fleet({ openIncidents: 700, incidents }))).toBe(699);
  expect(leftOut(fleet({ openIncidents: 1, incidents }))).toBe(0);
});

test('a host is well only where its agent is heard and nothing is known against it', () => {
  const squares = hostSquares(
    fleet({
      hosts: [
        host('a'),
        host('b', { connected: false }),
        host('c', { pages: 2, notApplied: 1 }),
        host('d', { suspect: 'a page of its own kernel' }),
        host('e', { draining: { at: NOW, by: 'otto', evacuate: true } }),
        // Of the two the one that is not known counts.
        host('f', { connected: false, suspect: 'x' }),
      ],
    }),
  );
  expect(squares.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'b silent',
    'f silent',
    'd suspect',
    'e draining',
    'c marked',
    'a ok',
  ]);
  expect(hostCounts(squares)).toBe('1 ok · 1 with errors · 1 draining · 1 suspect · 2 silent');
  expect(squares.find(({ id }) => id === 'c')?.words).toContain('2 poisoned pages, 1 not yet out of use');
});

test('what the controller may do', () => {
  expect(modeWords(fleet({}))).toBe('observes only');
  expect(modeWords(fleet({ mode: 'act', breakerOpen: true }))).toBe('acts; circuit open');
  expect(modeWords(fleet({ mode: 'act', paused: { at: NOW, by: 'otto', reason: '' } }))).toBe('paused by otto');
});

test('what anybody wrote stays one line of text', () => {
  const evil = '\u202e<img src=x onerror=alert(1)>\n\u001b[31m';
  const rows = fleetRows(
    fleet({
      troubled: [{ id: evil, name: evil, epoch: 0, step: 'unproven', unproven: [] }],
      alerts: [{ type: 'agent-silent', about: evil, raised: 1, playbook: evil }],
      incidents: [incident(evil, { host: evil, vm: evil, page: evil })],
    }),
  );
  const squares = hostSquares(fleet({ hosts: [host(evil, { suspect: evil })] }));
  const shown = [
    ...rows.flatMap(({ title, about }) => [title, about]),
    ...squares.flatMap(({ id, words }) => [id, words]),
  ];
  for (const text of shown) expect(text).not.toMatch(/[\u0000-\u001f\u202e]/);
});

const explained = (more: Partial<Explanation> = {}): Explanation => ({
  incident: incident('inc-2', {
    witnesses: {
      'kmsg host.sigbus-sent': { count: 2, first: minutes(30), last: minutes(20) },
      'qmp vmm.memory-failure': { count: 1, first: minutes(29), last: minutes(29) },
    },
  }),
  decisions: [
    { at: minutes(28), rule: 'any', policy: 'p', rung: 'tell', inputs: {}, why: 'an error' },
    { at: minutes(10), rule: 'core/never-twice', policy: 'p', rung: 'hold', inputs: {}, why: 'no proof' },
  ],
  acts: [],
  notices: [],
  ...more,
});

test('an incident is drawn as a run is: witnesses in the lanes of their layers, decisions in that of the controller', () => {
  const run = incidentRun(explained());
  if (run === undefined) throw new Error('there is no run');
  const scene = sceneOf({
    runs: [run],
    from: -60e9,
    to: 25 * 60e9,
    width: 900,
    measure: text => text.length * 6,
    steps: true,
  });
  expect(scene.lanes.map(({ name }) => name)).toEqual(['host', 'vmm', 'controller']);
  expect(scene.marks.map(({ layer, weight }) => `${layer} ${weight}`)).toEqual([
    'host injection',
    'vmm plain',
    'lab plain',
    'host plain',
    'lab evidence',
  ]);
  expect(scene.marks.map(({ broke }) => broke)).toEqual([false, false, false, false, true]);
  expect(scene.labels.map(({ text }) => text)).toContain('hold (core/never-twice): no proof');
  expect(scene.marks.map(({ x }) => x)).toEqual(scene.marks.map(({ x }) => x).toSorted((a, b) => a - b));
});

test('of an incident that is forgotten, and of which nothing is left, there is no time line', () => {
  const none = { incident: { id: 'inc-9', state: 'forgotten' as const }, decisions: [] };
  expect(incidentRun(explained(none))).toBe(undefined);
  expect(incidentRun(explained({ incident: none.incident }))?.lanes).toEqual(['lab']);
});
