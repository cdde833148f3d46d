/** @module Whether a drill went as it has to, from what was seen: the ledger, the customer, /proc. */
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { pageOf } from '@syndrome/decode/registers/address.ts';
import type { CopiesLine } from './copies.ts';
import type { LedgerFacts } from './ledger.ts';
import type { Received } from './receiver.ts';
import type { DrillReport, Moment } from './report.ts';

/** Everything that was seen. */
interface Seen {
  pages: readonly bigint[];
  facts: LedgerFacts;
  notices: readonly Received[];
  copies: readonly CopiesLine[];
  timeline: Moment[];
  guestBootMs: number;
  refused: number;
  /** A process of the drill that ended by itself. */
  lost: string | undefined;
  seconds: number;
}

/** How long notice and restart took, as far as both ends were seen. */
interface Times {
  /** Of each event of QEMU, until its owner had the notice; an event without one is missing. */
  notices: number[];
  events: number;
  restartMs: number | undefined;
}

function timesOf({ facts, notices }: Seen): Times {
  const told = notices.filter(n => n.type.includes('memory.poisoned')).map(n => n.at);
  const events = facts.seen.filter(e => e.source === 'qmp' && e.event === 'vmm.memory-failure');
  const third = events[2]?.durable;
  const there = facts.running.find(r => r.host === 'b')?.at;
  return {
    // The first notice after each event is the one of its page.
    notices: events.flatMap(({ when }) => {
      const at = told.find(time => time >= when);
      return at === undefined ? [] : at - when;
    }),
    events: events.length,
    restartMs: third === undefined || there === undefined ? undefined : there - third,
  };
}

const NOTE =
  'QEMU’s monitor injects without an address of the host: the injector of the drill is itself a witness of each page (source drill); on real hardware that is the host’s kernel.';

/** The guest page that a notice names, as it came. */
function gpaOf({ lost }: Received['data']): unknown {
  return typeof lost === 'object' && lost !== null && 'gpa' in lost ? lost.gpa : undefined;
}

/** Which of what has to hold does not, in words. */
function faultsOf(seen: Seen, copiesMax: number, times: Times): string[] {
  const { pages, facts, notices, refused, lost } = seen;
  const ids = notices.map(n => n.id);
  const [proof] = facts.proofs;
  const epochs = facts.running.map(r => r.epoch);
  const rules: readonly (readonly [holds: boolean, fault: string])[] = [
    [facts.pages.length === pages.length, `${pages.length} pages were lost, the ledger has ${facts.pages.length}`],
    [
      facts.incidents.filter(i => i.cause === 'page').length === pages.length,
      'there is not one incident for each page',
    ],
    [
      facts.incidents.every(i => i.cause !== 'page' || i.witnesses.has('qmp vmm.memory-failure')),
      'a page lacks the event of QEMU’s monitor that was emitted for it',
    ],
    [proof !== undefined, 'no stop was proven'],
    [proof === undefined || proof.kind === 'process-gone', `the proof is ${proof?.kind}, not the end of the process`],
    [
      facts.running.map(r => r.host).join() === 'a,b',
      `the VM ran on ${facts.running.map(r => r.host).join(', ')}, not on a and then on b`,
    ],
    [epochs.every((e, i) => i === 0 || e > (epochs[i - 1] ?? 0)), `the epochs ${epochs.join(', ')} do not grow`],
    [copiesMax === 1, `${copiesMax} copies of the VM ran at one time`],
    [new Set(ids).size === ids.length, 'a notice came twice although its receiver had taken it'],
    [refused === 0, `${refused} requests were not signed`],
    [facts.replay === 'same', 'the ledger gives other decisions when it is replayed'],
    [
      times.notices.length === times.events && times.events > 0,
      `of ${times.events} events ${times.notices.length} were followed by a notice: how long one takes was not seen`,
    ],
    ...pages.map((page): readonly [boolean, string] => [
      notices.some(({ data }) => gpaOf(data) === hex64(pageOf(page))),
      `its owner was not told that it was page ${hex64(pageOf(page))}`,
    ]),
    [times.restartMs !== undefined, 'how long the restart took was not seen: its third event, or the new QEMU'],
    [lost === undefined, `a part of the supervisor ended by itself: ${lost}`],
  ];
  return rules.flatMap(([holds, fault]) => (holds ? [] : [fault]));
}

/** The report of what was seen. */
export function judge(drill: string, seen: Seen): DrillReport {
  const { facts, copies, guestBootMs, seconds } = seen;
  const copiesMax = Math.max(0, ...copies.map(line => line.copies.length));
  const times = timesOf(seen);
  const faults = faultsOf(seen, copiesMax, times);
  const [proof] = facts.proofs;
  const moments: Moment[] = [
    ...seen.timeline,
    ...facts.decisions.map(({ at, why }): Moment => ({ at, who: 'controller', what: why })),
    ...copies.map(
      ({ at, copies: now }): Moment => ({
        at,
        who: 'observer',
        what: `${now.length} ${now.length === 1 ? 'copy' : 'copies'} of the VM in /proc`,
      }),
    ),
  ];
  return {
    schemaVersion: 1,
    drill,
    verdict: faults.length === 0 ? 'pass' : 'fail',
    faults,
    incidents: facts.incidents.map(({ id, cause, state, page, witnesses }) => ({
      id,
      cause,
      state,
      ...(page === undefined ? {} : { page }),
      witnesses: [...witnesses.keys()],
    })),
    distinctPages: facts.pages.length,
    witnesses: [...new Set(facts.seen.map(e => e.source))].toSorted(),
    note: NOTE,
    ...(proof === undefined
      ? {}
      : { proof: { kind: proof.kind, host: proof.host, epoch: proof.epoch, evidence: proof.evidence } }),
    epochs: facts.running.map(r => r.epoch),
    copiesMax,
    ...(times.notices.length === 0 ? {} : { noticeMs: Math.max(...times.notices) }),
    ...(times.restartMs === undefined ? {} : { restartMs: times.restartMs }),
    guestBootMs,
    replay: facts.replay,
    seconds,
    timeline: moments.toSorted((x, y) => x.at - y.at),
  };
}
