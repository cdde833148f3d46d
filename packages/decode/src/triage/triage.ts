/** @module What many records come to: how bad, which part, how often, what now. Memory does not grow with their number. */
import { addressOf, pfnOf } from '../registers/address.ts';
import { RECORD_ROWS } from '../events/records.ts';
import type { Reporter } from '../events/row.ts';
import { placeText } from '../decode/place.ts';
import type { DecodedPlace } from '../decode/place.ts';
import type { DecodedRecord, DecodedSeverity, DecodedSource } from '../decode/record.ts';
import type { DecodedTime } from '../decode/time.ts';
import { adviceOf, driverAddress, isOfEarlierBoot, isOtherPage, sentences } from './advice.ts';
import type { Advice } from './advice.ts';
import { fateOf, fateWords } from './fate.ts';
import { Course } from './left-over.ts';
import { Incidents, pageKey } from './incident.ts';
import type { Incident, PageKey } from './incident.ts';
import { Machines } from './machines.ts';
import { Part, addSums } from './part.ts';
import type { PartReport, Sum } from './part.ts';
import { Pointers, isPointer } from './pointers.ts';
import type { PointerReport } from './pointers.ts';
import { Retold } from './retold.ts';
import { TopCounter } from './top.ts';
import { isCorrected, isNoFailure, rankOf, witnessOf } from './witness.ts';
import type { JoinedBy, Witness } from './witness.ts';

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
  /** How it is known to be of the same error; missing of the first. */
  joinedBy?: JoinedBy;
}

export interface IncidentReport {
  severity: DecodedSeverity;
  /** It was found in this boot and is of the one before. */
  ofEarlierBoot?: true;
  /** Errors that it stands for: the largest count that a witness names. */
  errors: number;
  address?: bigint;
  /** 4 KiB page frame. */
  pfn?: bigint;
  part?: string;
  /** What came of it, in a few words each: `page still in use`, `SIGBUS to mysqld:812`. */
  fate: string[];
  /** The weakest of what joins its witnesses; missing of one witness. `address and order`: they have no clock in common. */
  joinedBy?: JoinedBy;
  /** In the order of the input. */
  witnesses: WitnessReport[];
  /** What is to be done because of all that the input says of it, the first first; */
  actions: string[];
  /** and the rules that say so. */
  because: string[];
  /** What the records advise beside that, as far as the input does not contradict it. */
  nextSteps: string[];
}

/** Another part, or another kind of error without one, that wants something done. */
export interface CauseReport {
  severity: DecodedSeverity;
  ofEarlierBoot?: true;
  part?: string;
  what: string;
  /** Errors of the part of this severity, or of this kind. */
  errors: number;
  first: DecodedSource;
  /** As of {@link IncidentReport}. */
  fate: string[];
  actions: string[];
  because: string[];
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

/** A page of 4 KiB that was met again: of the system, or by its address within a CXL device. */
export interface PageReport {
  pfn?: bigint;
  device?: string;
  dpa?: bigint;
  incidents: number;
}

export interface TriageReport {
  schemaVersion: number;
  /** Inputs with records. */
  inputs: number;
  records: number;
  incidents: number;
  bySeverity: Partial<Record<DecodedSeverity, Sum>>;
  worst?: IncidentReport;
  /** What is to be done beside the worst, one for each other part or kind; the worst first. */
  causes: CauseReport[];
  /** The worst first, then those with most errors. */
  parts: PartReport[];
  /** Pages of more than one incident. */
  pagesAgain: PageReport[];
  groups: GroupReport[];
  /** What says that an error happened whose record stands elsewhere. */
  pointers: PointerReport[];
  /** What of it is not exact, or not certain. */
  remarks: string[];
}

const MAX_PARTS = 256;
const MAX_GROUPS = 256;
const MAX_PAGES = 4096;
const TOP_PAGES = 8;
const MAX_CAUSES = 16;
/** Pages that are remembered as bad; what Linux says of one later is no error more. */
const MAX_BAD = 4096;
/** Incidents that are kept whole, to be shown in their order. */
const MAX_KEPT = 32;
/** Rules of advice for which corrected errors want something done. */
const ACTS_ON_CORRECTED: ReadonlySet<string> = new Set([
  'many-counted',
  'many-corrected',
  'pattern',
  'yellow',
  'page-not-moved',
]);
/** What is counted when there are more than are told apart. */
const OTHERS = 'others';

/** Members of a place that name a part, not a cell in it. */
const OF_PART: ReadonlySet<string> = new Set([
  'node',
  'processor',
  'socket',
  'controller',
  'card',
  'channel',
  'slot',
  'location',
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

/**
 * The error itself is told by the record that says most of it; of equally bad ones the first. A driver has two words for how bad it
 * is, so that others go before it.
 */
function worstOf(witnesses: readonly Witness[]): Witness {
  if (witnesses.length === 1) return witnesses[0] as Witness;
  const telling = witnesses.filter(w => w.reporter !== 'kernel');
  const others = telling.filter(w => w.reporter !== 'driver' && !isCorrected(w.severity));
  const [first, ...rest] = others.length > 0 ? others : telling.length > 0 ? telling : witnesses;
  return rest.reduce((a, b) => (rankOf(b.severity) < rankOf(a.severity) || saysMore(b, a) ? b : a), first as Witness);
}

/** A copy that has what the first telling of the record lacks. */
const saysMore = (copy: Witness, { record, severity }: Witness): boolean =>
  copy.joinedBy === 'copy' && copy.severity === severity && record.address === undefined && copy.address !== undefined;

/** The page of an error for which Linux handled another, as far as a driver knows it. */
function placeByDriver(incident: Incident): { pfn?: number; address?: bigint } {
  const address = driverAddress(incident);
  return address === undefined ? {} : { pfn: Number(pfnOf(address)), address };
}

/** Whether it is an error at all. */
const isTold = (severity: DecodedSeverity): boolean => severity !== 'info' && severity !== 'none';

/**
 * As bad as its worst witness says. A memory controller driver has two words only, and a page that Linux took away need not have been
 * used: where a bank says that an error was deferred, neither makes it worse.
 */
function severityOf(all: readonly Witness[], isOtherPage: boolean): DecodedSeverity {
  // What Linux did with another page says nothing of the error.
  const witnesses = isOtherPage ? all.filter(w => !w.record.class.startsWith('memory-failure')) : all;
  const [first] = witnesses;
  if (first !== undefined && witnesses.length === 1) return first.severity;
  const deferred = witnesses.some(w => w.reporter === 'machine-check' && w.severity === 'deferred');
  const saysNoMore = (w: Witness): boolean =>
    (w.reporter === 'driver' && w.severity === 'uncorrected') ||
    (w.record.class === 'memory-failure' && w.severity === 'uncorrected-recoverable');
  let worst: DecodedSeverity | undefined;
  for (const w of witnesses) {
    const severity = deferred && saysNoMore(w) ? 'deferred' : w.severity;
    if (worst === undefined || rankOf(severity) < rankOf(worst)) worst = severity;
  }
  return worst ?? 'unknown';
}

/** The order of the input; a record that is whole late began before what stands in it. */
function inOrder(witnesses: readonly Witness[]): Witness[] {
  const at = ({ record: { source } }: Witness): number => source.firstLine ?? source.firstByte ?? 0;
  const isOne = witnesses.every(w => w.record.source.input === witnesses[0]?.record.source.input);
  return isOne ? witnesses.toSorted((a, b) => at(a) - at(b)) : [...witnesses];
}

/** One text of what is to be done. */
function nextStepOf(actions: readonly string[], steps: readonly string[]): string {
  const said = actions.map(action => `${action.charAt(0).toUpperCase()}${action.slice(1)}.`);
  return [...said, ...steps].join(' ');
}

/** Labels of a part, the best first. */
function labelsOf(witnesses: readonly Witness[]): string[] {
  if (witnesses.length === 1) return witnesses[0]?.place?.label === undefined ? [] : [witnesses[0].place.label];
  const labels = witnesses
    .filter(w => w.place?.label !== undefined)
    .toSorted((a, b) => LABELS[a.reporter] - LABELS[b.reporter])
    .flatMap(w => w.place?.label ?? []);
  return [...new Set(labels)];
}

/** Which processor it is of, where more than the unit is said. */
function ofProcessor(place: DecodedPlace | undefined): string | undefined {
  if (place?.processor !== undefined) return `processor ${place.processor}`;
  return place?.socket === undefined ? undefined : `socket ${place.socket}`;
}

/** What a record without a label calls the part; undefined where it names none. */
function unlabelled({ place, record: { component, kind, raw } }: Witness): string | undefined {
  // Of a firmware record the component is the kind of its section, with the place.
  // A unit without a channel says less than a place that has one.
  const isVague = component?.area === 'memory' && place?.channel !== undefined && !/channel/.test(component.name);
  const isUnit = component !== undefined && component.area !== 'unknown' && kind !== 'cper' && !isVague;
  // The component has the rest of the place in its name.
  if (isUnit && place?.fru === undefined) {
    // Of a bank that a program names in words it says the chip select apart.
    const isSaid = raw.kind === 'x86-mca' && raw.unit !== undefined && place?.chipSelect !== undefined;
    const unit = isSaid ? `${component.name}, chip select ${place.chipSelect}` : component.name;
    const of = ofProcessor(place);
    return of === undefined ? unit : `${unit}, ${of}`;
  }
  const where = place === undefined ? '' : placeText(place, member => OF_PART.has(member));
  if (place?.fru !== undefined) return `FRU ${place.fru}${where === '' ? '' : `, ${where}`}`;
  return where === '' ? undefined : where;
}

/** What the witnesses call the part: by the best label, else by the one that tells most, else by any. */
function nameOf(witnesses: readonly Witness[], labels = labelsOf(witnesses)): string | undefined {
  const [label] = labels;
  if (label !== undefined) return label;
  const telling = unlabelled(worstOf(witnesses));
  return telling ?? (witnesses.length === 1 ? undefined : witnesses.map(unlabelled).find(name => name !== undefined));
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

/** A record, with what came of its error and what is to be done, in the light of all that the input says. */
interface Told {
  record: DecodedRecord;
  nextStep?: string;
  /** As of {@link IncidentReport}. */
  fate?: string[];
}

/** An incident with what its witnesses together say. */
interface Judged {
  incident: Incident;
  severity: DecodedSeverity;
  errors: number;
  ofEarlierBoot: boolean;
  /** Told by what came of it alone, or a second time. */
  isConsequence: boolean;
  /** Known to be no failure: an erratum, a walk of the GART. */
  isBogus: boolean;
  /** The name of the part, where it has one. */
  part?: string;
}

/**
 * Where the running machine stands with it: what another boot left behind is worse than what was corrected, and no more; a
 * consequence of which nobody says how bad it is says less than any error.
 */
function weightOf({ severity, ofEarlierBoot, isConsequence, isBogus }: Judged): number {
  const corrected = rankOf('corrected');
  if (isBogus || (isConsequence && severity === 'unknown')) return corrected + 0.5;
  return ofEarlierBoot ? Math.max(rankOf(severity), corrected - 0.5) : rankOf(severity);
}

/** Whether nothing is known of it but how many there were in all. */
const isCounter = (witnesses: readonly Witness[]): boolean => witnesses.every(w => w.isTotal);

/**
 * The worse first; of equally bad ones that of most errors, then that of most witnesses.
 * @param sumOf errors of the part in the whole input: what is corrected is judged by it, no matter in how many lines
 */
function byWeight(a: Judged, b: Judged, sumOf: (judged: Judged) => number = () => 0): number {
  const size = ({ incident: { witnesses } }: Judged): number => witnesses.length;
  // A counter has no cell and no page.
  const total = ({ incident }: Judged): number => Number(isCounter(incident.witnesses));
  return (
    weightOf(a) - weightOf(b) || sumOf(b) - sumOf(a) || total(a) - total(b) || b.errors - a.errors || size(b) - size(a)
  );
}

interface Group extends GroupReport {
  /** The number of incidents before the first. */
  order: number;
  worst: Judged;
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
  readonly #pages = new TopCounter<PageKey>(MAX_PAGES);
  readonly #devicePages = new TopCounter<string>(MAX_PAGES);
  readonly #groups = new Map<string, Group>();
  readonly #sums = new Map<DecodedSeverity, Sum>();
  readonly #pointers = new Pointers();
  readonly #retold = new Retold();
  readonly #machines = new Machines();
  readonly #course = new Course();
  /** Pages with lost data: what is said of them again is no error more. */
  readonly #bad = new Set<PageKey>();
  #input: string | undefined;
  #inputs = 0;
  #records = 0;
  #count = 0;
  /** Of equally bad ones that of most errors, then that of most witnesses, then the first. */
  #worst: Judged | undefined;
  /** All incidents, as long as they are few; undefined beyond that. */
  #kept: Judged[] | undefined = [];
  #withoutAddress = 0;
  #byOrder = 0;
  /** Records that tell what came of an error, and not of which, or that tell of a known one again. */
  #consequences = 0;
  #bogus = 0;
  /** Records that stand in the input again. */
  #copies = 0;
  #partsLost = 0;

  add(record: DecodedRecord): void {
    this.#records++;
    const { input } = record.source;
    // Inputs come one behind another.
    if (input !== this.#input) {
      this.#inputs++;
      this.#input = input;
    }
    const witness = witnessOf(record);
    witness.order = this.#records;
    witness.machine = this.#machines.of(record);
    const original = this.#retold.of(witness, this.#records);
    if (original !== undefined) {
      this.#copies++;
      this.#course.again(witness, original);
      this.#incidents.again(witness, original);
      return;
    }
    this.#course.take(witness);
    this.#pointers.take(witness);
    if (!isPointer(record)) this.#incidents.take(witness);
  }

  /** The record that says most of the worst error, with what is to be done about it. */
  worst(): Told | undefined {
    this.#end();
    return this.#worst === undefined ? undefined : this.#told(this.#worst);
  }

  /** Ends the incidents that are open. The part with the most corrected errors in all is known only then. */
  #end(): void {
    this.#incidents.end();
    for (const { worst } of this.#groups.values()) {
      if (this.#worst !== undefined && isTold(worst.severity) && this.#worse(worst, this.#worst) < 0)
        this.#worst = worst;
    }
  }

  /** As {@link byWeight}, with what a part corrected in all. */
  readonly #worse = (a: Judged, b: Judged): number => byWeight(a, b, this.#sumOf);

  readonly #sumOf = ({ severity, part }: Judged): number =>
    part === undefined || !isCorrected(severity) ? 0 : (this.#partNamed(part)?.corrected().corrected ?? 0);

  /** The part that has a name, also under another. */
  #partNamed(name: string): Part | undefined {
    return this.#parts.get(this.#names.get(name) ?? name);
  }

  /**
   * The incidents, the worst first, each with its records: the telling one, then the others in the order of the input. What only
   * points elsewhere is in the report. Undefined where there are too many to be kept.
   */
  incidents(): Told[][] | undefined {
    this.#end();
    return this.#kept?.toSorted(this.#worse).map(judged => {
      const { witnesses } = judged.incident;
      const telling = worstOf(witnesses);
      return [this.#told(judged), ...inOrder(witnesses.filter(w => w !== telling)).map(({ record }) => ({ record }))];
    });
  }

  /** Ends the incidents that are open, and says what there was. */
  report(): TriageReport {
    this.#end();
    let sums: ReadonlyMap<DecodedSeverity, Sum> = this.#sums;
    for (const part of this.#parts.values()) sums = addSums(sums, part.unseen());
    return {
      schemaVersion: TRIAGE_SCHEMA_VERSION,
      inputs: this.#inputs,
      records: this.#records,
      incidents: [...sums.values()].reduce((n, sum) => n + sum.incidents, 0),
      bySeverity: Object.fromEntries([...sums].toSorted(([a], [b]) => rankOf(a) - rankOf(b))),
      ...(this.#worst === undefined ? {} : { worst: this.#worstReport(this.#worst) }),
      causes: this.#causes(),
      parts: [...this.#parts.values()].map(p => p.report()).toSorted((a, b) => worse(a.bySeverity, b.bySeverity)),
      pagesAgain: this.#pagesAgain(),
      groups: [...this.#groups.values()]
        .toSorted((a, b) => rankOf(a.severity) - rankOf(b.severity) || b.errors - a.errors || a.order - b.order)
        .map(({ order: _order, worst: _worst, ...group }) => group),
      pointers: this.#pointers.report(),
      remarks: this.#remarks(),
    };
  }

  /** What each part or kind but that of the worst error wants done; what is corrected only where its sum or its page says so. */
  #causes(): CauseReport[] {
    const keyOf = ({ part, class: name }: GroupReport): string => part ?? `\n${name}`;
    const groups = [...this.#groups.values()].toSorted((a, b) => this.#worse(a.worst, b.worst) || a.order - b.order);
    const seen = new Set(groups.filter(({ worst }) => worst === this.#worst).map(keyOf));
    const out: CauseReport[] = [];
    const said = new Set(this.#worst === undefined ? [] : this.#sentences(this.#worst));
    for (const group of groups) {
      const { severity, ofEarlierBoot, isConsequence, isBogus, incident } = group.worst;
      if (out.length >= MAX_CAUSES || isConsequence || isBogus || !isTold(severity) || seen.has(keyOf(group))) continue;
      seen.add(keyOf(group));
      const { actions, because, steps } = this.#advice(group.worst, worstOf(incident.witnesses));
      if (isCorrected(severity) && !because.some(rule => ACTS_ON_CORRECTED.has(rule))) continue;
      out.push({
        severity,
        ...(ofEarlierBoot ? { ofEarlierBoot } : {}),
        ...(group.part === undefined ? {} : { part: group.part }),
        what: group.what,
        errors: group.errors,
        first: group.first,
        fate: fateWords(fateOf(incident), isOtherPage(incident)),
        actions,
        because,
        // What is said of the worst holds for the others too.
        nextSteps: steps.flatMap(
          step =>
            sentences(step)
              .filter(sentence => !said.has(sentence))
              .join(' ') || [],
        ),
      });
    }
    return out;
  }

  #sentences(judged: Judged): string[] {
    return this.#advice(judged, worstOf(judged.incident.witnesses)).steps.flatMap(sentences);
  }

  #pagesAgain(): PageReport[] {
    const pages = this.#pages.top(TOP_PAGES, 2).map(({ key, times }) => ({ pfn: frameOf(key), incidents: times }));
    const devices = this.#devicePages.top(TOP_PAGES, 2).map(({ key, times }) => {
      const [page = '0', device = ''] = key.split('\n');
      return { device, dpa: addressOf(BigInt(page)), incidents: times };
    });
    return [...pages, ...devices];
  }

  #told(judged: Judged): Told {
    const { incident, severity } = judged;
    const telling = worstOf(incident.witnesses);
    if (!isTold(severity)) return { record: telling.record };
    const { actions, steps } = this.#advice(judged, telling);
    const fate = fateWords(fateOf(incident), isOtherPage(incident));
    return { record: telling.record, nextStep: nextStepOf(actions, steps), fate };
  }

  #few(judged: Judged): void {
    if (this.#kept === undefined) return;
    if (this.#kept.length < MAX_KEPT) this.#kept.push(judged);
    else this.#kept = undefined;
  }

  #closed(incident: Incident): void {
    const { witnesses } = incident;
    const other = isOtherPage(incident);
    const { pfn } = other ? placeByDriver(incident) : incident;
    const [first] = witnesses as [Witness];
    const severity = severityOf(witnesses, other);
    let errors = first.count;
    for (const w of witnesses) errors = Math.max(errors, w.count);
    if (incident.joinedBy === 'address and order') this.#byOrder++;
    const isBad = rankOf(severity) < rankOf('corrected');
    const ofEarlierBoot = isBad && isOfEarlierBoot(incident);
    const page = pfn === undefined ? undefined : pageKey(first.machine, pfn);
    const isKnown = page !== undefined && this.#bad.has(page);
    const isConsequence =
      (isKnown && ofEarlierBoot) || (witnesses.every(w => w.reporter === 'kernel') && (isKnown || pfn === undefined));
    const isBogus = isBad && witnesses.some(isNoFailure);
    const part = isConsequence ? undefined : this.#partOf(witnesses, pfn, severity, errors)?.name;
    const named = part === undefined ? {} : { part };
    const judged: Judged = { incident, severity, errors, ofEarlierBoot, isConsequence, isBogus, ...named };
    this.#few(judged);
    if (isBogus) this.#bogus++;
    this.#group(judged, part);
    // What is no error is told, and counted as none.
    if (!isTold(severity)) return;
    if (this.#worst === undefined || byWeight(judged, this.#worst) < 0) this.#worst = judged;
    if (part !== undefined && isCounter(witnesses)) return;
    if (isConsequence) {
      this.#consequences += witnesses.length;
      return;
    }
    const inDevice = witnesses.find(w => w.devicePage !== undefined);
    if (inDevice !== undefined) {
      this.#devicePages.add(`${inDevice.devicePage ?? 0}\n${part ?? inDevice.place?.label ?? ''}`);
    }
    if (page === undefined) this.#withoutAddress++;
    else {
      this.#pages.add(page);
      if (isBad && this.#bad.size < MAX_BAD) this.#bad.add(page);
    }
    this.#count++;
    let sum = this.#sums.get(severity);
    if (sum === undefined) this.#sums.set(severity, (sum = { incidents: 0, errors: 0 }));
    sum.incidents++;
    sum.errors += errors;
  }

  #partOf(
    witnesses: readonly Witness[],
    pfn: number | undefined,
    severity: DecodedSeverity,
    errors: number,
  ): Part | undefined {
    const labels = labelsOf(witnesses);
    const name = nameOf(witnesses, labels);
    if (name === undefined || severity === 'info' || severity === 'none') return undefined;
    const part = this.#part(name);
    if (isCounter(witnesses)) {
      part.counted(severity, errors);
      return part;
    }
    for (const other of labels.slice(1)) this.#same(part, other);
    part.add({
      severity,
      errors,
      records: witnesses.length,
      page: witnesses.find(w => w.devicePage !== undefined)?.devicePage ?? pfn,
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

  #group(judged: Judged, part: string | undefined): void {
    const { incident, severity, errors } = judged;
    const { witnesses } = incident;
    const { record } = worstOf(witnesses);
    const counted = isCounter(witnesses);
    const key = `${severity}\n${record.class}\n${record.mcacod?.value ?? ''}\n${part ?? ''}\n${counted}`;
    const isLess = !this.#groups.has(key) && this.#groups.size >= MAX_GROUPS;
    const { source } = record;
    const group = this.#groups.get(isLess ? OTHERS : key);
    if (group !== undefined) {
      group.incidents++;
      group.errors += errors;
      group.last = source;
      if (rankOf(severity) < rankOf(group.severity)) group.severity = severity;
      if (byWeight(judged, group.worst) < 0) group.worst = judged;
      return;
    }
    this.#groups.set(isLess ? OTHERS : key, {
      severity,
      class: isLess ? OTHERS : record.class,
      what: isLess ? 'others, of more kinds than are told apart' : whatOf(record) + (counted ? ', counted in all' : ''),
      ...(part === undefined || isLess ? {} : { part }),
      incidents: 1,
      errors,
      first: source,
      last: source,
      order: this.#groups.size,
      worst: judged,
    });
  }

  #worstReport(judged: Judged): IncidentReport {
    const { incident, severity, errors, ofEarlierBoot, isBogus } = judged;
    const { witnesses, joinedBy } = incident;
    const other = isOtherPage(incident);
    const { pfn, address } = other ? placeByDriver(incident) : incident;
    const { part, actions, because, steps } = this.#advice(judged, worstOf(witnesses));
    return {
      severity,
      ...(ofEarlierBoot ? { ofEarlierBoot } : {}),
      errors,
      ...(address === undefined ? {} : { address }),
      ...(pfn === undefined ? {} : { pfn: BigInt(pfn) }),
      ...(part === undefined ? {} : { part }),
      fate: [...(isBogus ? ['no failure'] : []), ...fateWords(fateOf(incident), other)],
      ...(joinedBy === undefined ? {} : { joinedBy }),
      witnesses: inOrder(witnesses).map(({ reporter, record, severity: own, time, joinedBy: by }) => ({
        reporter,
        severity: own,
        class: record.class,
        headline: record.headline,
        source: record.source,
        ...(time === undefined ? {} : { time }),
        ...(by === undefined ? {} : { joinedBy: by }),
      })),
      actions,
      because,
      nextSteps: steps,
    };
  }

  #advice({ incident, severity }: Judged, telling: Witness): Advice & { part: string | undefined } {
    const name = nameOf(incident.witnesses);
    const part = name === undefined ? undefined : (this.#names.get(name) ?? name);
    const known = part === undefined ? undefined : this.#partNamed(part);
    const of = part === undefined ? {} : { part, ...known?.corrected(), ...known?.lost(), pattern: known?.pattern };
    return { ...adviceOf(incident, telling, severity, { ...of, after: this.#course.after(telling) }), part };
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
    if (this.#bogus > 0)
      out.push(`${this.#bogus} of the errors ${this.#bogus === 1 ? 'is' : 'are'} known to be no failure.`);
    if (this.#byOrder > 0) {
      out.push(
        `${this.#byOrder} of the errors have records without a common clock: they were joined because they name the same page near each other.`,
      );
    }
    if (this.#copies > 0) {
      const { byOrder } = this.#retold;
      const clock = byOrder === 0 ? '' : `, ${byOrder} of them by their words alone, without a clock in common`;
      out.push(
        `${this.#copies} ${this.#copies === 1 ? 'record stands' : 'records stand'} in the input a second time: counted once${clock}.`,
      );
    }
    const { byHour } = this.#retold;
    if (byHour > 0) {
      out.push(`${byHour} of the records may be copies, or of an hour that summer time doubled: counted.`);
    }
    if (this.#consequences > 0) {
      const many = this.#consequences === 1 ? '1 record tells' : `${this.#consequences} records tell`;
      out.push(
        `${many} what came of an error without saying of which, or more of one that was counted before: not counted as an error more.`,
      );
    }
    if (this.#withoutAddress > 0 && this.#count > 1) {
      out.push(
        `${this.#withoutAddress} ${this.#withoutAddress === 1 ? 'report names' : 'reports name'} no physical address and could not be joined with another: an error may be among them a second time.`,
      );
    }
    return out;
  }
}

/** The page frame that a key begins with. */
const frameOf = (page: PageKey): bigint => BigInt(typeof page === 'number' ? page : page.slice(0, page.indexOf(' ')));

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
