/**
 * @module One error as all who report it see it: a firmware record, a machine check, the line of a memory controller driver, what
 * Linux did with the page. They are joined where they name the same page at the same time, or where one of them says so itself
 * (reference.ts), never otherwise.
 */
import { dropBelow, pfnOf } from '../registers/address.ts';
import { Few, removeAt } from './few.ts';
import { isFoundAgain, isLost, isOfStop } from './left-over.ts';
import { isAnnounced, isOfSamePanic, isPartOf, isPrintedWithin, speaksOf } from './reference.ts';
import { isCorrected, isFirmwareBank, isOneLog, rankOf, secondsApart } from './witness.ts';
import type { JoinedBy, Witness } from './witness.ts';

export interface Incident {
  witnesses: Witness[];
  /** 4 KiB page frame that all of them name. */
  pfn: number | undefined;
  /** The physical address as the one that says it best says it. */
  address: bigint | undefined;
  /** The weakest of what joins its witnesses. */
  joinedBy: JoinedBy | undefined;
  /** The machine stopped for it, as a witness of another error says: one panic is for all that the exception found. */
  panic?: Witness;
  /** The page that Linux made of an address of which nobody knows that it is one of the system. */
  assumed?: number;
}

/** Witnesses of an incident that are kept; nobody reads more. */
const MAX_WITNESSES = 16;
/** Incidents that later lines may still belong to. */
const MAX_OPEN = 64;
/** How many of the last incidents a record may refer to without a page. */
const NEAR = 8;
/** Linux queues the handling of a page, and prints firmware records from a worker. */
const SECONDS = 10;
/** log2 of the bytes of a cache line: no reporter names less. */
const LINE = 6;
const PAGE = 12;

const WEAKNESS: Readonly<Record<JoinedBy, number>> = {
  copy: 0,
  report: 0,
  'one stop': 1,
  'bank and time': 1,
  'address and time': 1,
  'address and order': 2,
};

/** A page of one machine: its frame, or where it is within a device. */
export type PageKey = number | string;
export const pageKey = (machine: string, page: PageKey): PageKey => (machine === '' ? page : `${page} ${machine}`);

/** Joins records, in the order of the input, and hands on each incident when no later record can belong to it. */
export class Incidents {
  readonly #sink: (incident: Incident) => void;
  /** The oldest first. */
  readonly #open: Incident[] = [];
  /** The last that were opened, the newest first; some of them may be closed. */
  readonly #recent: Incident[] = [];
  readonly #byPage = new Few<PageKey, Incident>();
  readonly #byDevicePage = new Few<PageKey, Incident>();
  /** By the page frame of an address that is not known to be one of the system. */
  readonly #byRawPage = new Few<PageKey, Incident>();

  constructor(sink: (incident: Incident) => void) {
    this.#sink = sink;
  }

  take(witness: Witness): void {
    const { pfn, rawPfn, address } = witness;
    const referred = this.#referred(witness);
    if (referred !== undefined) {
      this.#join(referred, witness, 'report');
      this.#gather(referred, witness);
      return;
    }
    const stopped = this.#stopOf(witness);
    if (stopped !== undefined) {
      this.#join(stopped, witness, 'one stop');
      return;
    }
    const known = this.#at(witness);
    if (known !== undefined) {
      const joined = joins(known, witness);
      if (joined !== undefined) {
        this.#join(known, witness, joined);
        return;
      }
      this.#close(known);
    }
    const shared =
      witness.reporter === 'machine-check' ? this.#last(witness, other => isSameBank(other, witness)) : undefined;
    if (shared !== undefined) {
      this.#join(shared, witness, 'bank and time');
      return;
    }
    const named = pfn === undefined && rawPfn === undefined ? undefined : address;
    const incident: Incident = { witnesses: [witness], pfn: undefined, address: named, joinedBy: undefined };
    this.#open.push(incident);
    this.#recent.unshift(incident);
    if (this.#recent.length > NEAR) this.#recent.pop();
    this.#placed(incident, witness);
    if (this.#open.length <= MAX_OPEN) return;
    this.#close(this.#open[0] as Incident);
  }

  /** Takes a record that tells another again, by the number of that; of an error that is done with it says nothing new. */
  again(copy: Witness, original: number): void {
    const incident = this.#open.find(({ witnesses }) => witnesses.some(w => w.order === original));
    if (incident !== undefined) this.#join(incident, copy, 'copy');
  }

  end(): void {
    for (let first = this.#open[0]; first !== undefined; first = this.#open[0]) this.#close(first);
  }

  /** The incident of the page that a record names. */
  #at({ machine, pfn, deviceKey }: Witness): Incident | undefined {
    const known = pfn === undefined ? undefined : this.#byPage.get(pageKey(machine, pfn));
    return known ?? (deviceKey === undefined ? undefined : this.#byDevicePage.get(pageKey(machine, deviceKey)));
  }

  /** The incident that a record says it belongs to, by other things than a page that both name. */
  #referred(witness: Witness): Incident | undefined {
    const { reporter, record, machine, pfn, rawPfn } = witness;
    if (reporter === 'kernel') {
      if (pfn !== undefined) {
        const page = pageKey(machine, pfn);
        return this.#byPage.has(page) ? undefined : takenBy(witness, this.#byRawPage.get(page));
      }
      const of = speaksOf(witness);
      return of === undefined ? undefined : this.#last(witness, of);
    }
    if (reporter === 'driver') return this.#last(witness, isAround);
    // What firmware of a guest says of an exception; its reports are of errors of their own.
    if (reporter === 'firmware' && record.raw.kind === 'event') {
      return this.#last(witness, announces);
    }
    if (reporter !== 'machine-check') return undefined;
    if (record.raw.kind === 'x86-mca' && record.raw.within !== undefined) {
      const report = this.#last(witness, isReportOf);
      // A report may hold several banks, each with an error of its own.
      return report?.witnesses.some(w => w.reporter === 'machine-check') === true ? undefined : report;
    }
    const { firstLine = 0, lastLine = 0 } = record.source;
    const within = lastLine > firstLine + 1 ? this.#last(witness, isWithin) : undefined;
    const page = within === undefined && rawPfn !== undefined ? pageKey(machine, rawPfn) : undefined;
    const taken = page === undefined ? undefined : this.#byPage.get(page);
    if (taken?.witnesses.some(w => w.reporter === 'kernel') === true) return takenBy(witness, taken);
    if (within !== undefined || isCorrected(witness.severity)) return within;
    return this.#last(witness, announces);
  }

  /** The stop of the machine of which a record was left over. */
  #stopOf(witness: Witness): Incident | undefined {
    if (!isOfStop(witness)) return undefined;
    const live = this.#open.findLast(({ witnesses }) => witnesses.some(other => isFoundAgain(witness, other)));
    return live ?? this.#last(witness, isStopBefore);
  }

  /** The last incident near the end of which one witness is meant. */
  #last(witness: Witness, isMeant: Meant): Incident | undefined {
    // For every record: without a function made anew for each.
    for (let i = 0; i < this.#recent.length; i++) {
      const incident = this.#recent[i] as Incident;
      const { witnesses } = incident;
      for (let k = 0; k < witnesses.length; k++) {
        const other = witnesses[k] as Witness;
        if (!isMeant(other, witnesses, witness) || !isNear(other, witness)) continue;
        if (this.#open.includes(incident)) return incident;
        break;
      }
    }
    return undefined;
  }

  /** Takes the other banks of the machine check that a panic is about. */
  #gather(incident: Incident, panic: Witness): void {
    const others = this.#open.filter(({ witnesses }) =>
      witnesses.every(w => w === panic || (isOfSamePanic(w, panic) && isNear(w, panic))),
    );
    for (const other of others) {
      if (other === incident) continue;
      // Bad data at another page is another error; the machine stopped for both.
      if (other.pfn !== undefined && incident.pfn !== undefined && other.pfn !== incident.pfn) {
        other.panic = panic;
        continue;
      }
      this.#forget(other);
      for (const witness of other.witnesses) this.#join(incident, witness, 'report');
    }
  }

  #join(incident: Incident, witness: Witness, by: JoinedBy): void {
    witness.joinedBy = by;
    if (incident.witnesses.length < MAX_WITNESSES) incident.witnesses.push(witness);
    const before = incident.joinedBy;
    if (before === undefined || WEAKNESS[by] > WEAKNESS[before]) incident.joinedBy = by;
    this.#placed(incident, witness);
  }

  /** Takes the address of a witness, and keeps where later records find the incident. */
  #placed(incident: Incident, { machine, pfn, rawPfn, address, deviceKey }: Witness): void {
    if (deviceKey !== undefined) this.#byDevicePage.set(pageKey(machine, deviceKey), incident);
    if (rawPfn !== undefined) {
      if (incident.pfn === rawPfn) incident.assumed = rawPfn;
      const page = pageKey(machine, rawPfn);
      if (!this.#byRawPage.has(page)) this.#byRawPage.set(page, incident);
    }
    if (pfn === undefined) return;
    if (incident.pfn === undefined) {
      if (incident.witnesses.some(w => w.rawPfn === pfn)) incident.assumed = pfn;
      incident.pfn = pfn;
      this.#byPage.set(pageKey(machine, pfn), incident);
      incident.address = address;
      return;
    }
    const { address: named } = incident;
    // A page frame says less than an address within it.
    if (incident.pfn === pfn && (named === undefined || isPage(named))) incident.address = address ?? named;
  }

  #close(incident: Incident): void {
    this.#forget(incident);
    this.#sink(incident);
  }

  #forget(incident: Incident): void {
    removeAt(this.#open, this.#open.indexOf(incident));
    this.#byPage.drop(incident);
    this.#byDevicePage.drop(incident);
    this.#byRawPage.drop(incident);
  }
}

/** Whether of the witnesses of an incident this one is meant by a later record. */
type Meant = (other: Witness, all: readonly Witness[], witness: Witness) => boolean;

const isAround: Meant = (other, _all, witness) => isPrintedWithin(witness, other);
const isWithin: Meant = (other, _all, witness) => isPrintedWithin(other, witness);
const announces: Meant = (other, _all, witness) => isAnnounced(witness, other);
const isStopBefore: Meant = (other, _all, witness) => isOfStop(other) && isOneLog(other, witness);
const isReportOf: Meant = (other, _all, witness) => isPartOf(witness, other);

/** Of one machine, and not further apart than Linux takes for one error, as far as a clock says. */
const isNear = (a: Witness, b: Witness): boolean => a.machine === b.machine && (secondsApart(a, b) ?? 0) <= SECONDS;

/** The incident, where what Linux did with a page may be about this very record. */
function takenBy(witness: Witness, incident: Incident | undefined): Incident | undefined {
  return incident?.witnesses.every(w => isNear(w, witness)) === true ? incident : undefined;
}

/** Whether a witness that names the page of an incident speaks of the same error, and by what that is known. */
function joins({ witnesses, address: named }: Incident, witness: Witness): JoinedBy | undefined {
  if (elsewhere(named, witness.address)) return undefined;
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

/** Seconds within which all CPUs that share a bank report it: each reads it in the same exception, or firmware in one go. */
const AT_ONCE = 1;

/**
 * Whether two CPUs found one error in a bank that they share, as threads of a core and cores of a socket do, and never CPUs of two. What was corrected is one
 * only where threads of one core say so: another core may have the like of its own.
 */
function isSameBank(a: Witness, b: Witness): boolean {
  const [x, y] = [a.record.raw, b.record.raw];
  if (x.kind !== 'x86-mca' || y.kind !== 'x86-mca' || a.record.bank !== b.record.bank || !isOneLog(a, b)) return false;
  if (x.status !== y.status || x.addr !== y.addr || x.misc !== y.misc || x.within !== undefined) return false;
  if (a.record.cpu === b.record.cpu && x.apicId === y.apicId) return false;
  if (isOfOther(a.place?.socket, b.place?.socket) || isOfOther(a.place?.processor, b.place?.processor)) return false;
  const isThread = x.apicId !== undefined && y.apicId !== undefined && (x.apicId ^ y.apicId) === 1n;
  return (isThread || isLost(a.severity)) && (secondsApart(a, b) ?? Number.POSITIVE_INFINITY) <= AT_ONCE;
}

const isOfOther = <T>(a: T | undefined, b: T | undefined): boolean => a !== undefined && b !== undefined && a !== b;

const isPage = (address: bigint): boolean => dropBelow(address, PAGE) === address;

/** Both name an address within the page, and not the same. */
function elsewhere(a: bigint | undefined, b: bigint | undefined): boolean {
  if (a === undefined || b === undefined || isPage(a) || isPage(b)) return false;
  if (pfnOf(a) !== pfnOf(b)) return false;
  return dropBelow(a, LINE) !== dropBelow(b, LINE);
}

/** Whether two witnesses of one page at one time can speak of one error. */
function mayBeOne(a: Witness, b: Witness): boolean {
  if (a.reporter === 'kernel' || b.reporter === 'kernel')
    return !(isCorrected(a.severity) && isHandled(b)) && !(isCorrected(b.severity) && isHandled(a));
  if (isCorrected(a.severity) !== isCorrected(b.severity)) return false;
  const [x, y] = [a.count, b.count];
  if (x > 1 && y > 1 && x !== y) return false;
  if (a.reporter !== b.reporter) return true;
  if (a.reporter !== 'machine-check') return false;
  // The same bank as other CPUs see it; or another unit that met the same bad data, or what the firmware says of it.
  if (a.record.bank === b.record.bank) {
    if (a.record.registers['status'] !== b.record.registers['status']) return false;
    return a.record.cpu !== b.record.cpu;
  }
  return !isCorrected(a.severity) || isFirmwareBank(a.record) || isFirmwareBank(b.record);
}

/** What Linux does about data that is lost: it does nothing of it for a corrected error. */
const isHandled = ({ severity }: Witness): boolean => rankOf(severity) < rankOf('unknown');
