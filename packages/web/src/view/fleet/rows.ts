/** @module What a fleet needs a person for: the worst first. All texts may come from anybody, and are safe to show. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Fleet } from '@syndrome/supervisor/client/types.ts';
import { ageWords } from '../listing.ts';

/** What is listed: VMs of which nobody knows whether they run, alerts, incidents. */
export interface FleetRow {
  /** Stays the same while it is the same thing. */
  key: string;
  kind: 'unproven' | 'alert' | 'incident' | 'closed';
  /** A mark beside the colour. */
  mark: string;
  title: string;
  about: string;
  age: string;
  /** Of which there is more to be told; undefined where it belongs to none. */
  incident: string | undefined;
}

type Incident = Fleet['incidents'][number];

const CAUSE_WORDS: Readonly<Record<Incident['cause'], string>> = {
  page: 'poisoned page',
  unlocated: 'errors without an address',
  predicted: 'corrected errors that foretell worse',
  host: 'the host’s own memory',
  order: 'ordered by a person',
};

const CLOSED: Readonly<Record<string, string>> = { closed: 'closed', absorbed: 'part of another one' };

function incidentRow(incident: Incident, now: number): FleetRow {
  const { id, host, cause, page, vm, also = [], state, consequence, witnesses, last } = incident;
  const hits = Object.values(witnesses).reduce((sum, { count }) => sum + count, 0);
  const about = [
    cause === 'page' ? `${CAUSE_WORDS.page} ${page ?? ''}`.trim() : CAUSE_WORDS[cause],
    ...(consequence === undefined ? [] : [`VM ${consequence}`]),
    ...(also.length === 0 ? [] : [`${also.length} more VMs share it`]),
    ...(hits === 0 ? [] : [`${hits} ${hits === 1 ? 'witness' : 'witnesses'}`]),
    ...(state === 'open' ? [] : [CLOSED[state] ?? state]),
  ];
  return {
    key: `incident ${id}`,
    kind: state === 'open' ? 'incident' : 'closed',
    mark: state !== 'open' ? '✓' : consequence === undefined ? '▲' : '◆',
    title: safeText(`${vm === undefined ? '' : `${vm} on `}${host}`, 120),
    about: safeText(`${id}: ${about.join(', ')}`, 300),
    age: ageWords(now - last),
    incident: id,
  };
}

/** Rows of a fleet: what is unproven, other alerts, open incidents, both from the worst on as the controller has them, then those that are over. */
export function fleetRows(fleet: Fleet): FleetRow[] {
  const { now, troubled, alerts, incidents } = fleet;
  const unproven = troubled.flatMap(({ id, name, step, incident, unproven: copies }): FleetRow[] => {
    if (copies.length === 0 && step !== 'unproven') return [];
    const where = copies.map(({ host, epoch, state }) => `${state}, epoch ${epoch}, on ${host}`).join('; ');
    const since = Math.max(...copies.map(copy => copy.since), 0);
    return [
      {
        key: `unproven ${id}`,
        kind: 'unproven',
        mark: '!',
        title: safeText(`${name} has no proof that it stopped`, 160),
        about: safeText(`started nowhere else until a copy is proven to have stopped: ${where}`, 300),
        age: since === 0 ? '' : ageWords(now - since),
        incident,
      },
    ];
  });
  const told = new Set(unproven.map(({ key }) => key));
  const others = alerts.flatMap(({ type, about, raised, playbook }): FleetRow[] =>
    told.has(`${type} ${about}`)
      ? []
      : [
          {
            key: `alert ${type} ${about}`,
            kind: 'alert',
            mark: '!',
            title: safeText(`${type}: ${about}`, 160),
            about: safeText(`${raised === 1 ? 'told once' : `told ${raised} times`}; playbook ${playbook}`, 300),
            age: '',
            incident: troubled.find(({ id }) => id === about)?.incident,
          },
        ],
  );
  const [open, over] = [
    incidents.filter(({ state }) => state === 'open'),
    incidents.filter(({ state }) => state !== 'open'),
  ];
  return [
    ...unproven,
    ...others,
    ...open.map(i => incidentRow(i, now)),
    ...over.toSorted((a, b) => b.last - a.last).map(i => incidentRow(i, now)),
  ];
}

/** How many open incidents there are beside those that a fleet has with it. */
export const leftOut = ({ openIncidents, incidents }: Fleet): number =>
  Math.max(0, openIncidents - incidents.filter(({ state }) => state === 'open').length);

/** Rows that hold all words of a text, in any case. */
export function foundRows(rows: readonly FleetRow[], find: string): FleetRow[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(({ kind, title, about }) => {
    const text = `${kind} ${title} ${about}`.toLowerCase();
    return words.every(word => text.includes(word));
  });
}

/** How it stands with a host: `ok` only where its agent is heard and nothing is known against it. */
type HostState = 'silent' | 'suspect' | 'draining' | 'marked' | 'ok';
interface HostSquare {
  id: string;
  state: HostState;
  mark: string;
  words: string;
}
const HOST_MARKS: Readonly<Record<HostState, string>> = {
  silent: '?',
  suspect: '✗',
  draining: '↓',
  marked: '•',
  ok: '',
};
const HOST_ORDER = Object.keys(HOST_MARKS) as HostState[];

/** The hosts, those that need a look first. */
export function hostSquares({ hosts, now }: Fleet): HostSquare[] {
  const squares = hosts.map(({ id, connected, since, pages, notApplied, corrected, suspect, draining }): HostSquare => {
    const state: HostState = !connected
      ? 'silent'
      : suspect !== undefined
        ? 'suspect'
        : draining !== undefined
          ? 'draining'
          : pages + corrected > 0
            ? 'marked'
            : 'ok';
    const words = [
      connected ? state : `its agent has not been heard for ${ageWords(now - since)}`,
      ...(suspect === undefined ? [] : [suspect]),
      ...(draining === undefined ? [] : [`draining by ${draining.by}`]),
      ...(pages === 0 ? [] : [`${pages} poisoned ${pages === 1 ? 'page' : 'pages'}, ${notApplied} not yet out of use`]),
      ...(corrected === 0 ? [] : [`${corrected} parts with corrected errors`]),
    ];
    return { id: safeText(id, 80), state, mark: HOST_MARKS[state], words: safeText(words.join('; '), 300) };
  });
  return squares.toSorted(
    (a, b) => HOST_ORDER.indexOf(a.state) - HOST_ORDER.indexOf(b.state) || (a.id < b.id ? -1 : Number(a.id > b.id)),
  );
}

/** How many hosts are how, in words, without what there is none of. */
export function hostCounts(squares: readonly HostSquare[]): string {
  const words: Readonly<Record<HostState, string>> = {
    silent: 'silent',
    suspect: 'suspect',
    draining: 'draining',
    marked: 'with errors',
    ok: 'ok',
  };
  return HOST_ORDER.toReversed()
    .map(state => [squares.filter(square => square.state === state).length, words[state]] as const)
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(' · ');
}

const MODES: Readonly<Record<Fleet['mode'], string>> = {
  observe: 'observes only',
  notify: 'tells, does nothing',
  act: 'acts',
};

/** What the controller is allowed to do now. */
export const modeWords = ({ mode, paused, breakerOpen }: Fleet): string =>
  safeText(paused ? `paused by ${paused.by}` : breakerOpen && mode === 'act' ? 'acts; circuit open' : MODES[mode], 120);
