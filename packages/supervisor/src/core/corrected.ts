/**
 * @module Corrected errors of a host: counted for the page, row, bank and DIMM that they are said to be in, and for the host.
 *
 * Linux tells one in several ways: the machine check itself, the line of the memory controller's driver, and that driver's trace event. Those
 * of one address at one time are one error. Where an address is missing, or another (AMD's machine check has that of the controller, its
 * driver that of the system), nothing proves it, and each counts. What the driver has counted (ce_count of
 * Documentation/ABI/testing/sysfs-devices-edac) and nobody has told counts for the host alone.
 */
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { Time } from './ids.ts';
import { isFromBefore } from './places.ts';
import type { HostReport, SeenEvent } from './said.ts';
import type { Host, ToldCorrected } from './state.ts';
import { JOIN_MS, QUARTER_MS } from './times.ts';
import type { Turn } from './turn.ts';
import type { Finding } from './witness.ts';

/** Parts of a host whose corrected errors are counted, and quarters of an hour that are kept of each. */
const MAX_PARTS = 512;
const MAX_QUARTERS = 4 * 24 * 31;
/** The time of one line of a log, told by two runs of an agent, differs by no more. */
const SAME_MS = 1000;
/** Errors that others may tell, too. */
const MAX_TOLD = 256;
/** As in counters.ts: what one error is counted and told by comes from readers that look at different moments. */
const SETTLED_MS = 60_000;
const COUNTER = /^mc\d+\.ce_count$/;

type Corrected = Finding & { is: 'corrected' };

/** Takes a corrected error that was told. */
export function takeCorrected(t: Turn, host: Host, seen: SeenEvent, finding: Corrected, when: Time): void {
  // A log that is read anew tells of them once more; they are numbers, and would count twice.
  const before = host.correctedBefore?.get(seen.source);
  if (before !== undefined && isFromBefore(host, when) && when <= before + SAME_MS) return;
  host.correctedTo ??= new Map();
  host.correctedTo.set(seen.source, Math.max(when, host.correctedTo.get(seen.source) ?? 0));
  const count = finding.count * (seen.count ?? 1);
  const by = `${seen.source} ${finding.by}`;
  const known = toldBefore(host, finding.addr, by, when);
  const more = Math.max(0, count - (known?.count ?? 0));
  if (finding.by === 'driver' && known?.by.some(name => name.endsWith(' driver')) !== true)
    host.correctedByDriver = (host.correctedByDriver ?? 0) + count;
  const parts = partsOf(seen, finding);
  for (const [of, name] of parts) add(host, of, name, known?.parts.includes(name) === true ? more : count, when);
  if (known !== undefined) {
    known.by.push(by);
    known.count = Math.max(known.count, count);
    known.parts = [...new Set([...known.parts, ...parts.map(([, name]) => name)])];
  } else if (finding.addr !== undefined) {
    const told = { addr: hex64(finding.addr), at: when, count, by: [by], parts: parts.map(([, name]) => name) };
    host.correctedLately = [...(host.correctedLately ?? []), told].slice(-MAX_TOLD);
  }
  t.hosts.add(host.id);
}

/** The same error, as others have told it. */
function toldBefore(host: Host, addr: bigint | undefined, by: string, when: Time): ToldCorrected | undefined {
  if (addr === undefined) return undefined;
  const word = hex64(addr);
  return host.correctedLately?.find(
    told => told.addr === word && Math.abs(told.at - when) <= JOIN_MS && !told.by.includes(by),
  );
}

/** A bank or row of a DIMM that nobody names is none: those of all DIMMs would be one. */
function partsOf({ where = {} }: SeenEvent, { pfn }: Corrected): [of: string, name: string][] {
  const [dimm, bank, row] = [where.dimm, where.bank, where.row].map(name => name?.slice(0, 80));
  const parts: [of: string, name: string][] = [['host', 'host']];
  if (pfn !== undefined) parts.push(['page', hex64(pfn)]);
  if (dimm === undefined) return parts;
  parts.push(['dimm', dimm]);
  if (bank === undefined) return parts;
  parts.push(['bank', `${dimm} bank ${bank}`]);
  if (row !== undefined) parts.push(['row', `${dimm} bank ${bank} row ${row}`]);
  return parts;
}

function add(host: Host, by: string, name: string, count: number, when: Time): void {
  if (count <= 0) return;
  let part = host.corrected.get(name);
  if (part === undefined) {
    if (host.corrected.size >= MAX_PARTS) return;
    part = { by, counts: new Map() };
    host.corrected.set(name, part);
  }
  const quarter = Math.floor(when / QUARTER_MS);
  part.counts.set(quarter, (part.counts.get(quarter) ?? 0) + count);
  if (part.counts.size > MAX_QUARTERS) part.counts.delete(Math.min(...part.counts.keys()));
}

/** Takes what the drivers of a host have counted. */
export function noteCorrected(host: Host, { boot, counters }: HostReport, now: Time): void {
  const all = Object.entries(counters ?? {}).filter(([name]) => COUNTER.test(name));
  if (all.length === 0) {
    delete host.correctedCount;
    return;
  }
  const newest = { count: all.reduce((sum, [, n]) => sum + n, 0), at: now };
  const last = host.correctedCount;
  // A driver that is loaded anew begins at 0, as all do after a boot.
  if (last === undefined || last.boot !== boot || newest.count < last.newest.count)
    host.correctedCount = { boot, added: 0, newest, settling: newest };
  // What comes while the one before settles is looked at next.
  else if (newest.count > last.newest.count) Object.assign(last, { newest, settling: last.settling ?? newest });
}

/** Counts what was told by nobody, once it has settled. To be called as time passes, while all that could tell is read. */
export function checkCorrected(t: Turn, host: Host, clock: Time): void {
  const counted = host.correctedCount;
  const settling = counted?.settling;
  if (counted === undefined || settling === undefined || t.now - settling.at < SETTLED_MS) return;
  const { first, newest } = counted;
  const told = host.correctedByDriver ?? 0;
  if (newest.count > settling.count && first !== undefined) counted.settling = newest;
  else delete counted.settling;
  // How fast that has come which was counted before anybody looked is not known.
  if (first === undefined) {
    counted.first = { count: newest.count, told };
    return;
  }
  const untold = settling.count - first.count - counted.added - (told - first.told);
  if (untold <= 0) return;
  counted.added += untold;
  add(host, 'host', 'host', untold, clock);
  t.hosts.add(host.id);
}
