/** @module What many records come to: how bad, which part, how often, what now. Memory does not grow with their number. */
import { RECORD_ROWS } from '../events/records.ts';
import type { Reporter } from '../events/row.ts';
import { placeText } from '../decode/place.ts';
import type { DecodedPlace } from '../decode/place.ts';
import type { DecodedRecord, DecodedSeverity, DecodedSource } from '../decode/record.ts';
import type { DecodedTime } from '../decode/time.ts';
import { Incidents, rankOf } from './incident.ts';
import type { Incident, Witness } from './incident.ts';
import { Part } from './part.ts';
import type { PartReport, Sum } from './part.ts';
import { TopCounter } from './top.ts';

/** Version of the report as it is written to JSON. It changes when a member goes away or changes its meaning. */
const TRIAGE_SCHEMA_VERSION = 1;

/** One record of an incident, in short. */
interface WitnessReport {
  reporter: Reporter;
  severity: DecodedSeverity;
  class: string;
  headline: string;
  source: DecodedSource;
  time?: DecodedTime;
}

export interface IncidentReport {
  severity: DecodedSeverity;
  /** Errors that it stands for: the largest count that a witness names. */
  errors: number;
  address?: bigint;
  /** 4 KiB page frame. */
  pfn?: bigint;
  part?: string;
  /** Missing of one witness; `address and order`: they have no clock in common. */
  joinedBy?: 'address and time' | 'address and order';
  witnesses: WitnessReport[];
  nextSteps: string[];
}

/** Incidents that say the same of the same part. */
export interface GroupReport extends Sum {
  severity: DecodedSeverity;
  class: string;
  what: string;
  part?: string;
  first: DecodedSource;
  last: DecodedSource;
}

export interface TriageReport {
  schemaVersion: number;
  records: number;
  incidents: number;
  bySeverity: Partial<Record<DecodedSeverity, Sum>>;
  worst?: IncidentReport;
  /** The worst first, then those with most errors. */
  parts: PartReport[];
  /** Pages of more than one incident, by 4 KiB page frame. */
  pagesAgain: { pfn: bigint; incidents: number }[];
  groups: GroupReport[];
  /** What of it is not exact, or not certain. */
  remarks: string[];
}

const MAX_PARTS = 256;
const MAX_GROUPS = 256;
const MAX_PAGES = 4096;
const TOP_PAGES = 8;
/** What is counted when there are more than are told apart. */
const OTHERS = 'others';

/** Members of a place that name a part, not a cell in it. */
const OF_PART: ReadonlySet<string> = new Set([
  'node',
  'socket',
  'controller',
  'card',
  'channel',
  'slot',
  'module',
  'chipSelect',
]);
/** Whose word for a part is the better one: the smaller. */
const LABELS: Readonly<Record<Reporter, number>> = {
  controller: 0,
  firmware: 1,
  driver: 2,
  'machine-check': 3,
  arm: 4,
  device: 5,
  windows: 6,
  kernel: 7,
};
/** Whose word for a cell is: the greater. */
const PLACES: Readonly<Record<Reporter, number>> = {
  kernel: 0,
  windows: 1,
  arm: 2,
  controller: 3,
  firmware: 4,
  device: 5,
  'machine-check': 6,
  driver: 7,
};

/** The error itself is told by the record that says most of it; of equally bad ones the first. */
function worstOf(witnesses: readonly Witness[]): Witness {
  if (witnesses.length === 1) return witnesses[0] as Witness;
  const telling = witnesses.filter(w => w.reporter !== 'kernel');
  const [first, ...rest] = telling.length > 0 ? telling : witnesses;
  return rest.reduce((a, b) => (rankOf(b.severity) < rankOf(a.severity) ? b : a), first as Witness);
}

/** Labels of a part, the best first. */
function labelsOf(witnesses: readonly Witness[]): string[] {
  if (witnesses.length === 1) return witnesses[0]?.place?.label === undefined ? [] : [witnesses[0].place.label];
  const labels = witnesses
    .toSorted((a, b) => LABELS[a.reporter] - LABELS[b.reporter])
    .flatMap(w => w.place?.label ?? []);
  return [...new Set(labels)];
}

/** What a record without a label calls the part; undefined where it names none. */
function unlabelled({ place, record: { component } }: Witness): string | undefined {
  const unit = component === undefined || component.area === 'unknown' ? '' : component.name;
  // The component has the rest of the place in its name.
  if (unit !== '' && place?.fru === undefined)
    return place?.socket === undefined ? unit : `${unit}, socket ${place.socket}`;
  const where = place === undefined ? '' : placeText(place, member => OF_PART.has(member));
  if (place?.fru !== undefined) return `FRU ${place.fru}${where === '' ? '' : `, ${where}`}`;
  return where === '' ? undefined : where;
}

/** All that the witnesses say of the place, of two that differ the better one. */
function placeOf(witnesses: readonly Witness[]): DecodedPlace {
  if (witnesses.length === 1) return witnesses[0]?.place ?? {};
  let place: DecodedPlace = {};
  for (const w of witnesses.toSorted((a, b) => PLACES[a.reporter] - PLACES[b.reporter]))
    place = { ...place, ...w.place };
  return place;
}

/** What a record is, without what is its own. */
function whatOf({ raw, title, class: name }: DecodedRecord): string {
  if (raw.kind === 'event') return RECORD_ROWS.get(name)?.headline ?? name;
  return title.replace(/ at 0x[0-9a-f]{16}$/, '');
}

interface Worst {
  incident: Incident;
  severity: DecodedSeverity;
  errors: number;
}

interface Group extends GroupReport {
  /** The number of incidents before the first. */
  order: number;
}

/**
 * Takes records in the order of the input and says what they come to. One error that is reported by several is counted once.
 *
 * @example
 * const triage = new Triage();
 * const log = 'EDAC MC0: 128 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x10 offset:0x40)\n';
 * decode(log, { input: 'kern.log' }).records.forEach(record => triage.add(record));
 * triage.report().parts.map(part => part.name) // ['DIMM_A1']
 */
export class Triage {
  readonly #incidents = new Incidents(incident => this.#closed(incident));
  readonly #parts = new Map<string, Part>();
  /** Names that records of one error gave the same part. */
  readonly #names = new Map<string, string>();
  readonly #pages = new TopCounter<number>(MAX_PAGES);
  readonly #groups = new Map<string, Group>();
  readonly #sums = new Map<DecodedSeverity, Sum>();
  #records = 0;
  #count = 0;
  /** Of equally bad ones that of most errors, then that of most witnesses, then the first. */
  #worst: Worst | undefined;
  #withoutAddress = 0;
  #byOrder = 0;
  /** Lines of the kernel that tell what came of an error, and not of which. */
  #consequences = 0;
  #partsLost = 0;

  add(record: DecodedRecord): void {
    this.#records++;
    this.#incidents.take(record);
  }

  /** The record that says most of the worst error. */
  get worstRecord(): DecodedRecord | undefined {
    return this.#worst === undefined ? undefined : worstOf(this.#worst.incident.witnesses).record;
  }

  /** Ends the incidents that are open, and says what there was. */
  report(): TriageReport {
    this.#incidents.end();
    const pagesAgain = this.#pages.top(TOP_PAGES, 2).map(({ key, times }) => ({ pfn: BigInt(key), incidents: times }));
    return {
      schemaVersion: TRIAGE_SCHEMA_VERSION,
      records: this.#records,
      incidents: this.#count,
      bySeverity: Object.fromEntries([...this.#sums].toSorted(([a], [b]) => rankOf(a) - rankOf(b))),
      ...(this.#worst === undefined ? {} : { worst: this.#worstReport(this.#worst) }),
      parts: [...this.#parts.values()].map(p => p.report()).toSorted((a, b) => worse(a.bySeverity, b.bySeverity)),
      pagesAgain,
      groups: [...this.#groups.values()]
        .toSorted((a, b) => rankOf(a.severity) - rankOf(b.severity) || b.errors - a.errors || a.order - b.order)
        .map(({ order: _order, ...group }) => group),
      remarks: this.#remarks(),
    };
  }

  #closed(incident: Incident): void {
    const { witnesses, pfn } = incident;
    const [first] = witnesses as [Witness];
    let { severity, count: errors } = first;
    for (const w of witnesses) {
      if (rankOf(w.severity) < rankOf(severity)) severity = w.severity;
      errors = Math.max(errors, w.count);
    }
    if (incident.joinedBy === 'address and order') this.#byOrder++;
    this.#group(witnesses, severity, errors, this.#partOf(incident, severity, errors)?.name);
    // What is no error is told, and counted as none.
    if (severity === 'info' || severity === 'none') return;
    this.#isWorse({ incident, severity, errors });
    if (pfn === undefined && first.reporter === 'kernel') {
      this.#consequences++;
      return;
    }
    if (pfn === undefined) this.#withoutAddress++;
    else this.#pages.add(pfn);
    this.#count++;
    let sum = this.#sums.get(severity);
    if (sum === undefined) this.#sums.set(severity, (sum = { incidents: 0, errors: 0 }));
    sum.incidents++;
    sum.errors += errors;
  }

  #isWorse(one: Worst): void {
    const worst = this.#worst;
    const size = ({ incident }: Worst): number => incident.witnesses.length;
    const order =
      worst === undefined
        ? -1
        : rankOf(one.severity) - rankOf(worst.severity) || worst.errors - one.errors || size(worst) - size(one);
    if (order < 0) this.#worst = one;
  }

  #partOf({ witnesses, pfn }: Incident, severity: DecodedSeverity, errors: number): Part | undefined {
    const labels = labelsOf(witnesses);
    const name = labels[0] ?? unlabelled(worstOf(witnesses));
    if (name === undefined || severity === 'info' || severity === 'none') return undefined;
    const part = this.#part(name);
    for (const other of labels.slice(1)) this.#same(part, other);
    part.add({
      severity,
      errors,
      records: witnesses.length,
      pfn,
      place: placeOf(witnesses),
      times: witnesses.flatMap(w => w.time ?? []).slice(0, 1),
      threshold: witnesses.find(w => w.record.threshold !== undefined)?.record.threshold,
    });
    return part;
  }

  #part(name: string): Part {
    const known = this.#names.get(name) ?? name;
    let part = this.#parts.get(known);
    if (part !== undefined) return part;
    if (this.#parts.size >= MAX_PARTS) {
      this.#partsLost++;
      part = this.#parts.get(OTHERS);
      if (part !== undefined) return part;
      this.#parts.set(OTHERS, (part = new Part(OTHERS)));
      return part;
    }
    this.#parts.set(known, (part = new Part(known)));
    return part;
  }

  /** Two records of one error gave the part two names: what was counted under the other is its too. */
  #same(part: Part, other: string): void {
    if (part.name === OTHERS || this.#names.get(other) === part.name || other === part.name) return;
    const known = this.#names.get(other) ?? other;
    const before = this.#parts.get(known);
    if (before !== undefined && before !== part) {
      part.merge(before);
      this.#parts.delete(known);
      part.aliases.add(known);
      for (const [name, of] of this.#names) if (of === known) this.#names.set(name, part.name);
      for (const group of this.#groups.values()) if (group.part === known) group.part = part.name;
    }
    this.#names.set(other, part.name);
    part.aliases.add(other);
  }

  #group(witnesses: readonly Witness[], severity: DecodedSeverity, errors: number, part: string | undefined): void {
    const { record } = worstOf(witnesses);
    const key = `${severity}\n${record.class}\n${record.mcacod?.value ?? ''}\n${part ?? ''}`;
    const isLess = !this.#groups.has(key) && this.#groups.size >= MAX_GROUPS;
    const { source } = record;
    const group = this.#groups.get(isLess ? OTHERS : key);
    if (group !== undefined) {
      group.incidents++;
      group.errors += errors;
      group.last = source;
      if (rankOf(severity) < rankOf(group.severity)) group.severity = severity;
      return;
    }
    this.#groups.set(isLess ? OTHERS : key, {
      severity,
      class: isLess ? OTHERS : record.class,
      what: isLess ? 'others, of more kinds than are told apart' : whatOf(record),
      ...(part === undefined || isLess ? {} : { part }),
      incidents: 1,
      errors,
      first: source,
      last: source,
      order: this.#groups.size,
    });
  }

  #worstReport({ incident, severity, errors }: Worst): IncidentReport {
    const { witnesses, pfn, address, joinedBy } = incident;
    const worst = worstOf(witnesses);
    const name = labelsOf(witnesses)[0] ?? unlabelled(worst);
    const part = name === undefined ? undefined : (this.#names.get(name) ?? name);
    // What Linux did with the page changes what is to be done.
    const steps = [worst, ...witnesses.filter(w => w.reporter === 'kernel' && w.severity !== 'info')];
    return {
      severity,
      errors,
      ...(address === undefined ? {} : { address }),
      ...(pfn === undefined ? {} : { pfn: BigInt(pfn) }),
      ...(part === undefined ? {} : { part }),
      ...(joinedBy === undefined ? {} : { joinedBy }),
      witnesses: witnesses.map(({ reporter, record, severity: own, time }) => ({
        reporter,
        severity: own,
        class: record.class,
        headline: record.headline,
        source: record.source,
        ...(time === undefined ? {} : { time }),
      })),
      nextSteps: [...new Set(steps.map(w => w.record.nextStep))],
    };
  }

  #remarks(): string[] {
    const out: string[] = [];
    const { missing } = this.#pages;
    if (missing > 0) {
      out.push(
        `More pages than are told apart: a page may have been met up to ${missing} times more often than is said.`,
      );
    }
    if (this.#partsLost > 0) out.push('More parts than are told apart: those beyond the bound are counted as others.');
    if (this.#byOrder > 0) {
      out.push(
        `${this.#byOrder} of the errors have records without a common clock: they were joined because they name the same page near each other.`,
      );
    }
    if (this.#consequences > 0) {
      const lines =
        this.#consequences === 1 ? '1 line of the kernel tells' : `${this.#consequences} lines of the kernel tell`;
      out.push(`${lines} what came of an error without the page of it: not counted as an error more.`);
    }
    if (this.#withoutAddress > 0 && this.#records > 1) {
      out.push(
        `${this.#withoutAddress} ${this.#withoutAddress === 1 ? 'report names' : 'reports name'} no physical address and could not be joined with another: an error may be among them a second time.`,
      );
    }
    return out;
  }
}

/** By the worst severity, then by how many of it. */
function worse(a: PartReport['bySeverity'], b: PartReport['bySeverity']): number {
  const worst = (sums: PartReport['bySeverity']): [number, number] => {
    const all = Object.entries(sums) as [DecodedSeverity, Sum][];
    const [severity, sum] = all.toSorted(([x], [y]) => rankOf(x) - rankOf(y))[0] ?? ['info', { errors: 0 }];
    return [rankOf(severity), sum.errors];
  };
  const [x, y] = [worst(a), worst(b)];
  return x[0] - y[0] || y[1] - x[1];
}
