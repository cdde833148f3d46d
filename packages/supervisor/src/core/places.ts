/**
 * @module The order of what a host says. Rows of one spool are in the order of their numbers. A host may have another spool: its agent
 * has gone on under another name, and wrote again what was not confirmed; or all that it had written down is lost, and it began anew,
 * maybe with its clock set back. Then what the new one says is the newer, whatever its clock says.
 */
import type { HostId, Time } from './ids.ts';
import { hostOf } from './ledger.ts';
import type { Row } from './said.ts';
import type { Host, Place, State } from './state.ts';

/** Spools of a host that are known by name; one that has a thousand rows is no other. */
const MAX_SPOOLS = 64;

/** An agent's first words after it was started; in a spool that was lost they are its first row. */
const isBegin = ({ said }: Row): boolean =>
  said.kind === 'source' && said.source === 'agent' && said.vm === undefined && said.state === 'reading';

/**
 * Notes the spool of a row.
 * @returns whether the host's agent has lost what it had written down: another spool begins with its first words
 */
export function noteSpool(s: State, row: Row): boolean {
  const host = hostOf(s, row.host);
  host.spools ??= new Map();
  const known = host.spools.get(row.spool);
  const [first] = host.spools.keys();
  // Its other rows may have come before its first one.
  const lost = row.seq === 1 && isBegin(row) && first !== undefined && first !== row.spool;
  if (lost) {
    host.life = (host.life ?? 0) + 1;
    host.begun = row.at;
  }
  if (known === undefined || lost) {
    host.spools.set(row.spool, host.life ?? 0);
    const [oldest] = host.spools.keys();
    if (host.spools.size > MAX_SPOOLS && oldest !== undefined) host.spools.delete(oldest);
  }
  return lost;
}

/** How far a host's clock is off has to be learnt anew. */
export function forgetClock(host: Host): void {
  delete host.behind;
  delete host.clock;
}

/** A host's clock was set back: what it says from now on is newer than all that was placed by that clock, and its time is learnt anew. */
export function turnBack(host: Host, spool: string): void {
  host.life = (host.life ?? 0) + 1;
  host.spools ??= new Map();
  host.spools.set(spool, host.life);
  forgetClock(host);
}

/** Where a row stands in the story of its host. */
export function placeOf(s: State, { host, spool, seq, at }: Row): Place {
  const life = s.hosts.get(host)?.spools?.get(spool) ?? 0;
  return { spool, seq, at, ...(life === 0 ? {} : { life }) };
}

/** Where in the story of a host something stands that its agent has not written, said at a time of its clock. */
export function placeBeside(s: State, host: HostId, at: Time): Place {
  const life = s.hosts.get(host)?.life ?? 0;
  return { spool: '', seq: 0, at, ...(life === 0 ? {} : { life }) };
}

/** Whether an event happened before the agent of its host began anew: an earlier agent may have told it already. */
export function isFromBefore(host: Host, when: Time): boolean {
  return host.begun !== undefined && when < host.begun;
}
