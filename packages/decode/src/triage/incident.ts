/**
 * @module One error as all who report it see it: a firmware record, a machine check, the line of a memory controller driver, what
 * Linux did with the page. They are joined where they name the same page at the same time, never otherwise.
 */
import { RECORD_ROWS } from '../events/records.ts';
import type { Reporter } from '../events/row.ts';
import { dropBelow } from '../registers/address.ts';
import type { DecodedRecord, DecodedSeverity } from '../decode/record.ts';
import type { DecodedPlace } from '../decode/place.ts';
import type { DecodedTime } from '../decode/time.ts';

/** From the worst down. */
export const SEVERITIES: readonly DecodedSeverity[] = [
  'fatal',
  'uncorrected',
  'uncorrected-recoverable',
  'deferred',
  'unknown',
  'corrected',
  'none',
  'info',
];
const RANK = new Map(SEVERITIES.map((severity, i) => [severity, i]));

/** The smaller, the worse. */
export function rankOf(severity: DecodedSeverity): number {
  return RANK.get(severity) ?? SEVERITIES.length;
}

export interface Witness {
  reporter: Reporter;
  record: DecodedRecord;
  severity: DecodedSeverity;
  place: DecodedPlace | undefined;
  /** Errors that the record stands for. */
  count: number;
  time: DecodedTime | undefined;
}

export interface Incident {
  witnesses: Witness[];
  /** 4 KiB page frame that all of them name. */
  pfn: number | undefined;
  /** The physical address as the one that says it best says it. */
  address: bigint | undefined;
  /** `order`: the witnesses have no clock in common, and stand near each other. */
  joinedBy: 'address and time' | 'address and order' | undefined;
}

/** Witnesses of an incident that are kept; nobody reads more. */
const MAX_WITNESSES = 16;
/** Incidents that later lines may still belong to. */
const MAX_OPEN = 32;
/** Linux queues the handling of a page, and prints firmware records from a worker. */
const SECONDS = 10;
/** log2 of the bytes of a cache line: no reporter names less. */
const LINE = 6;
const PAGE = 12;

function reporterOf({ kind, class: name }: DecodedRecord): Reporter {
  if (kind === 'cper') return 'firmware';
  if (kind === 'x86-mca') return 'machine-check';
  if (kind === 'arm-sea' || kind === 'arm-serror') return 'arm';
  // An event that is not in the catalogue is what somebody wrote as JSON.
  return RECORD_ROWS.get(name)?.reporter ?? 'kernel';
}

const isCorrected = (severity: DecodedSeverity): boolean => severity === 'corrected' || severity === 'none';

/** Joins records, in the order of the input, and hands on each incident when no later record can belong to it. */
export class Incidents {
  readonly #sink: (incident: Incident) => void;
  /** By page, the oldest first. */
  readonly #open = new Map<number, Incident>();

  constructor(sink: (incident: Incident) => void) {
    this.#sink = sink;
  }

  take(record: DecodedRecord): void {
    const { address, severity } = record;
    const witness: Witness = {
      reporter: reporterOf(record),
      record,
      severity,
      place: record.place,
      count: record.count ?? 1,
      time: record.lineTime ?? record.time,
    };
    const pfn = address?.space === 'physical' && address.pfn !== undefined ? Number(address.pfn) : undefined;
    const incident: Incident = { witnesses: [witness], pfn, address: address?.value, joinedBy: undefined };
    if (pfn === undefined) {
      this.#sink(incident);
      return;
    }
    const open = this.#open.get(pfn);
    if (open !== undefined) {
      const joined = joins(open, witness, incident.address);
      if (joined !== undefined) {
        if (open.witnesses.length < MAX_WITNESSES) open.witnesses.push(witness);
        if (joined === 'address and order' || open.joinedBy === undefined) open.joinedBy = joined;
        const { address: named } = open;
        // A page frame says less than an address within it.
        if (named === undefined || isPage(named)) open.address = incident.address ?? named;
        return;
      }
      this.#close(pfn, open);
    }
    this.#open.set(pfn, incident);
    if (this.#open.size <= MAX_OPEN) return;
    for (const [oldest, first] of this.#open) {
      this.#close(oldest, first);
      break;
    }
  }

  end(): void {
    for (const [pfn, incident] of this.#open) this.#close(pfn, incident);
  }

  #close(pfn: number, incident: Incident): void {
    this.#open.delete(pfn);
    this.#sink(incident);
  }
}

/** Whether a witness that names the page of an incident speaks of the same error, and by what that is known. */
function joins(
  { witnesses, address: named }: Incident,
  witness: Witness,
  address: bigint | undefined,
): Incident['joinedBy'] {
  if (elsewhere(named, address)) return undefined;
  let clock = false;
  for (const other of witnesses) {
    if (!mayBeOne(other, witness)) return undefined;
    const apart = secondsApart(other, witness);
    if (apart === undefined) continue;
    if (apart > SECONDS) return undefined;
    clock = true;
  }
  return clock ? 'address and time' : 'address and order';
}

const isPage = (address: bigint): boolean => dropBelow(address, PAGE) === address;

/** Both name an address within the page, and not the same. */
function elsewhere(a: bigint | undefined, b: bigint | undefined): boolean {
  if (a === undefined || b === undefined || isPage(a) || isPage(b)) return false;
  return dropBelow(a, LINE) !== dropBelow(b, LINE);
}

function secondsApart(a: Witness, b: Witness): number | undefined {
  if (a.time !== undefined && a.time.clock === b.time?.clock) return Math.abs(a.time.seconds - b.time.seconds);
  const [x, y] = [a.record.time, b.record.time];
  return x !== undefined && x.clock === y?.clock ? Math.abs(x.seconds - y.seconds) : undefined;
}

/** Whether two witnesses of one page at one time can speak of one error. */
function mayBeOne(a: Witness, b: Witness): boolean {
  if (a.reporter === 'kernel' || b.reporter === 'kernel') return true;
  if (isCorrected(a.severity) !== isCorrected(b.severity)) return false;
  const [x, y] = [a.count, b.count];
  if (x > 1 && y > 1 && x !== y) return false;
  if (a.reporter !== b.reporter) return true;
  if (a.reporter !== 'machine-check') return false;
  // The same bank as other CPUs see it; or another unit that met the same bad data.
  if (a.record.bank === b.record.bank) {
    return a.record.cpu !== b.record.cpu && a.record.registers['status'] === b.record.registers['status'];
  }
  return !isCorrected(a.severity);
}
