/** @module What one part of the machine did: how often, when, and where in it. */
import { PLACE_WORDS } from '../decode/place.ts';
import type { DecodedPlace } from '../decode/place.ts';
import type { DecodedSeverity } from '../decode/record.ts';
import type { DecodedTime } from '../decode/time.ts';
import { DistinctCounter, hashOf } from './distinct.ts';
import { isLost } from './left-over.ts';

/** Errors and incidents of one severity: an incident of corrected errors may stand for many. */
export interface Sum {
  incidents: number;
  errors: number;
}

/** How the errors of a DIMM lie, as far as their rows and columns are known. */
export type Pattern = 'one cell' | 'one row' | 'one column' | 'one bank' | 'one rank, several banks' | 'several ranks';

export interface PartReport {
  /** As the best of its records names it. */
  name: string;
  /** Other names of the same part, by records of the same error. */
  aliases: string[];
  records: number;
  bySeverity: Partial<Record<DecodedSeverity, Sum>>;
  /** How many of these errors a counter says, and no record. */
  onlyCounted?: number;
  first?: DecodedTime;
  last?: DecodedTime;
  /** Seconds from the first to the last; missing where there is no one clock, and of one moment. */
  seconds?: number;
  /**
   * Errors an hour in that time; missing where it is less than an hour, or there are less than three reports: nobody knows how it went
   * on.
   */
  perHour?: number;
  threshold?: 'green' | 'yellow';
  /** Members that are the same in all records that have them. */
  place: DecodedPlace;
  distinct: { pages: number; rows: number; banks: number; columns: number; ranks: number };
  /** The numbers of `distinct` are estimates. */
  approximate: boolean;
  pattern?: { is: Pattern; incidents: number };
}

/** Hashes that are kept to count different pages, rows, … */
const LIMIT = 256;
const NOT_SAID = -1;
const DIFFERS = Symbol('differs');
const HOUR = 3600;
/** Reports of which a rate can be told. */
const MANY = 3;
/** Milliseconds of a second: no clock of a log says more that counts. */
const MS = 1000;

/** Both added up, by severity. */
export function addSums(
  a: ReadonlyMap<DecodedSeverity, Sum>,
  b: ReadonlyMap<DecodedSeverity, Sum>,
): Map<DecodedSeverity, Sum> {
  const out = new Map([...a].map(([severity, sum]) => [severity, { ...sum }]));
  for (const [severity, { incidents, errors }] of b) {
    const sum = out.get(severity);
    out.set(severity, { incidents: (sum?.incidents ?? 0) + incidents, errors: (sum?.errors ?? 0) + errors });
  }
  return out;
}

export class Part {
  readonly name: string;
  readonly aliases = new Set<string>();
  readonly #sums = new Map<DecodedSeverity, Sum>();
  /** What counters of all errors of it say, the largest of each. */
  readonly #totals = new Map<DecodedSeverity, number>();
  readonly #pages = new DistinctCounter(LIMIT);
  readonly #rows = new DistinctCounter(LIMIT);
  readonly #banks = new DistinctCounter(LIMIT);
  readonly #columns = new DistinctCounter(LIMIT);
  readonly #ranks = new DistinctCounter(LIMIT);
  /** By member of a place; `DIFFERS` for one that does. */
  readonly #common: Record<string, string | number | typeof DIFFERS> = {};
  #records = 0;
  #cells = 0;
  #first: DecodedTime | undefined;
  #last: DecodedTime | undefined;
  #clocks = true;
  #threshold: 'green' | 'yellow' | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** @param place the cell as its witnesses together name it */
  add(incident: {
    severity: DecodedSeverity;
    errors: number;
    records: number;
    page: number | undefined;
    place: DecodedPlace;
    times: readonly DecodedTime[];
    threshold: 'green' | 'yellow' | undefined;
  }): void {
    const { severity, errors, page, place } = incident;
    this.#records += incident.records;
    this.#count(severity, 1, errors);
    if (page !== undefined) this.#pages.add(hashOf([page]));
    if (incident.threshold !== undefined && this.#threshold !== 'yellow') this.#threshold = incident.threshold;
    for (const time of incident.times) this.#at(time);
    for (const member in place) {
      const value = place[member as keyof DecodedPlace];
      if (this.#common[member] === value) continue;
      if (value !== undefined) this.#share(member, value);
    }
    if (place.row === undefined || place.column === undefined) return;
    this.#cells++;
    const rank = place.rank ?? place.chipSelect ?? NOT_SAID;
    const bank = [rank, place.subRank ?? NOT_SAID, place.bankGroup ?? NOT_SAID, place.bank ?? NOT_SAID];
    this.#ranks.add(hashOf([rank]));
    this.#banks.add(hashOf(bank));
    this.#rows.add(hashOf([...bank, place.row]));
    this.#columns.add(hashOf([...bank, place.column]));
  }

  /** A counter says how many errors there were in all. */
  counted(severity: DecodedSeverity, errors: number): void {
    this.#records++;
    this.#totals.set(severity, Math.max(this.#totals.get(severity) ?? 0, errors));
  }

  /** Errors that are counted and have no record. */
  unseen(): Map<DecodedSeverity, Sum> {
    const out = new Map<DecodedSeverity, Sum>();
    for (const [severity, total] of this.#totals) {
      const seen = this.#sums.get(severity);
      const errors = total - (seen?.errors ?? 0);
      if (errors > 0) out.set(severity, { incidents: seen === undefined ? 1 : 0, errors });
    }
    return out;
  }

  /** Takes what another name of the part did. */
  merge(other: Part): void {
    this.#records += other.#records;
    this.#cells += other.#cells;
    for (const [severity, { incidents, errors }] of other.#sums) this.#count(severity, incidents, errors);
    for (const [severity, total] of other.#totals) {
      this.#totals.set(severity, Math.max(this.#totals.get(severity) ?? 0, total));
    }
    this.#pages.merge(other.#pages);
    this.#rows.merge(other.#rows);
    this.#banks.merge(other.#banks);
    this.#columns.merge(other.#columns);
    this.#ranks.merge(other.#ranks);
    for (const [member, value] of Object.entries(other.#common)) this.#share(member, value);
    for (const time of [other.#first, other.#last]) if (time !== undefined) this.#at(time);
    this.#clocks &&= other.#clocks;
    if (other.#threshold !== undefined && this.#threshold !== 'yellow') this.#threshold = other.#threshold;
    for (const alias of other.aliases) this.aliases.add(alias);
    this.aliases.delete(this.name);
  }

  /** How many it corrected, and in how many hours where a clock says. */
  corrected(): { corrected: number; hours?: number } {
    const corrected = Math.max(this.#sums.get('corrected')?.errors ?? 0, this.#totals.get('corrected') ?? 0);
    const isCounted = corrected > (this.#sums.get('corrected')?.errors ?? 0);
    // Of what is only counted nobody says when.
    const { first, last } = this.#times();
    if (isCounted || first === undefined || last === undefined) return { corrected };
    const span = last - first;
    // How long a single count took to come together nobody says.
    return span === 0 ? { corrected } : { corrected, hours: span / HOUR };
  }

  /** How many errors lost data or stopped the machine, and in how many hours where a clock says. */
  lost(): { lost: number; lostHours?: number } {
    let lost = 0;
    for (const [severity, { incidents }] of this.#sums) if (isLost(severity)) lost += incidents;
    const { first, last } = this.#times();
    return first === undefined || last === undefined ? { lost } : { lost, lostHours: (last - first) / HOUR };
  }

  report(): PartReport {
    const errors = [...this.#sums.values()].reduce((sum, s) => sum + s.errors, 0);
    const incidents = [...this.#sums.values()].reduce((sum, s) => sum + s.incidents, 0);
    const unseen = [...this.unseen().values()].reduce((sum, s) => sum + s.errors, 0);
    const span =
      this.#first === undefined || this.#last === undefined
        ? 0
        : Math.round((this.#last.seconds - this.#first.seconds) * MS) / MS;
    const place: Record<string, string | number> = {};
    for (const [member] of PLACE_WORDS) {
      const value = this.#common[member];
      if (value !== undefined && value !== DIFFERS && member !== 'label') place[member] = value;
    }
    const { pattern } = this;
    const counters = [this.#pages, this.#rows, this.#banks, this.#columns, this.#ranks];
    return {
      name: this.name,
      aliases: [...this.aliases].toSorted(),
      records: this.#records,
      bySeverity: Object.fromEntries(addSums(this.#sums, this.unseen())),
      ...(unseen === 0 ? {} : { onlyCounted: unseen }),
      ...(this.#first === undefined || !this.#clocks ? {} : { first: this.#first }),
      ...(this.#last === undefined || !this.#clocks ? {} : { last: this.#last }),
      ...(this.#clocks && span > 0 ? { seconds: span } : {}),
      ...(this.#clocks && span >= HOUR && incidents >= MANY ? { perHour: (errors * HOUR) / span } : {}),
      ...(this.#threshold === undefined ? {} : { threshold: this.#threshold }),
      place: place as DecodedPlace,
      distinct: {
        pages: this.#pages.count,
        rows: this.#rows.count,
        banks: this.#banks.count,
        columns: this.#columns.count,
        ranks: this.#ranks.count,
      },
      approximate: counters.some(c => c.approximate),
      ...(pattern === undefined ? {} : { pattern }),
    };
  }

  /** Seconds of the first and the last, where all have one clock. */
  #times(): { first?: number | undefined; last?: number | undefined } {
    return this.#clocks ? { first: this.#first?.seconds, last: this.#last?.seconds } : {};
  }

  /** How its errors lie, and how many they are; two at least make a pattern. */
  get pattern(): { is: Pattern; incidents: number } | undefined {
    const is = this.#pattern();
    return is === undefined ? undefined : { is, incidents: this.#cells };
  }

  #pattern(): Pattern | undefined {
    if (this.#cells < 2) return undefined;
    if (this.#ranks.count > 1) return 'several ranks';
    if (this.#banks.count > 1) return 'one rank, several banks';
    const [rows, columns] = [this.#rows.count, this.#columns.count];
    if (rows === 1) return columns === 1 ? 'one cell' : 'one row';
    return columns === 1 ? 'one column' : 'one bank';
  }

  #count(severity: DecodedSeverity, incidents: number, errors: number): void {
    const sum = this.#sums.get(severity);
    if (sum === undefined) this.#sums.set(severity, { incidents, errors });
    else {
      sum.incidents += incidents;
      sum.errors += errors;
    }
  }

  #share(member: string, value: string | number | typeof DIFFERS): void {
    const before = this.#common[member];
    if (before !== value) this.#common[member] = before === undefined ? value : DIFFERS;
  }

  #at(time: DecodedTime): void {
    if (this.#first !== undefined && this.#first.clock !== time.clock) this.#clocks = false;
    if (this.#first === undefined || time.seconds < this.#first.seconds) this.#first = time;
    if (this.#last === undefined || time.seconds > this.#last.seconds) this.#last = time;
  }
}
