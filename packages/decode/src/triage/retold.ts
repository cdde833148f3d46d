/**
 * @module A record that stands in one input a second time: the ring buffer of the kernel beside syslog, what syslogd writes to every
 * terminal, one log of a controller by two tools, one machine check by two programs, a part that somebody pasted again. Two records are
 * one where they say the same, stand differently or behind a later one, and where no clock contradicts. Of each record only numbers are
 * kept.
 */
import type { FieldValue } from '../events/row.ts';
import { hashOf, hashOfText } from './distinct.ts';
import { Distances } from './distances.ts';
import { Rows } from './rows.ts';
import type { Marks, Moment } from './rows.ts';
import { fieldsOf, stampOf } from './witness.ts';
import type { Witness } from './witness.ts';

/** Records that a later one may tell again. */
const MAX_KEPT = 4096;
/** The kernel stamps a line once; the first line of a block need not be the same in two logs. */
const STAMP = 0.05;
/** Seconds that syslog, the journal and a record itself may give one event apart. */
const SECONDS = 2;
/** Seconds of a moment by which records are found, where the clocks of two have to be compared. */
const MOMENT = 5;
/** Lines within which a copy stands that has no clock in common. */
const NEAR_LINES = 64;
/** Zones that a tool may have added to the time of a controller. */
const ZONE = 900;
const MAX_ZONE = 14 * 3600;
const HOUR = 3600;
/** Hours that a zone has twice on the day when summer time ends there: 1 to 3 in most, 23 or 0 in some (the tz database, RULES). */
const DOUBLED: ReadonlySet<number> = new Set([23, 0, 1, 2, 3]);

/** What is kept of a record: NaN of what it does not say. The clocks come first. */
const COLUMNS = [
  'utc',
  'local',
  'local-no-year',
  'boot',
  'cpu',
  'address',
  'misc',
  'apicId',
  'tsc',
  'key',
  'way',
  'order',
  'line',
  'input',
  'entry',
] as const;
type Column = (typeof COLUMNS)[number];
const AT = Object.fromEntries(COLUMNS.map((name, i) => [name, i])) as Readonly<Record<Column, number>>;
const WIDTH = COLUMNS.length;
const CLOCKS = COLUMNS.slice(0, AT.cpu).map((_name, clock) => clock);
/** Clocks that no summer time sets back. */
const STEADY: readonly number[] = [AT.utc, AT.boot];
/** Two tellings of one record may lack some of these, and do not differ in them. */
const SAID: readonly number[] = [AT.cpu, AT.address, AT.misc, AT.apicId, AT.tsc];
const NO_ADDRESS = -1;
/** Moments that are no clock of a row: the stamp of the kernel as exactly as it is compared. */
const EXACT_BOOT = WIDTH;

/** What tells ways of one form apart. */
const MARKS = ['kernel: [', ' kernel:[', ' | '] as const;
/** More ways than these are not told apart. */
const MAX_WAYS = 31;

/** How a record stands in the input: its form, its clock, and what its line begins with. */
function wayOf({ record, time }: Witness): string {
  const { raw, source } = record;
  const stamp = stampOf(record);
  // The decoder for AMD prints no time stamp counter.
  const form = raw.kind === 'x86-mca' && raw.tsc === undefined ? `${source.from} text` : source.from;
  if (typeof stamp !== 'string') return stamp === undefined ? form : `${form} boot [`;
  const first = stamp.charCodeAt(0);
  const kind = first < 0x30 || (first > 0x39 && first < 0x41) ? stamp[0] : first < 0x3a ? '0' : 'a';
  let way = `${form} ${time?.clock ?? ''} ${kind ?? ''}`;
  for (const mark of MARKS) if (stamp.includes(mark)) way += mark;
  return way;
}

const text = (value: FieldValue | undefined): string => String(value ?? '');

/** A hash of what two tellings of one record have in common, and hardly others; of all but machine checks. */
function keyOf(witness: Witness): number {
  const { record, reporter, place, count, severity } = witness;
  const { raw } = record;
  if (raw.kind === 'arm-sea') return hashOf([2, Number(raw.esr)]);
  if (raw.kind === 'cper') {
    const types = raw.sections.map(({ type }) => type).join(' ');
    return hashOfText(`cper ${severity} ${types} ${place?.fru ?? ''} ${place?.label ?? ''}`);
  }
  const fields = fieldsOf(record);
  // Two tools name sensor and event in other words; what kind of event it is they agree on.
  if (reporter === 'controller' && fields['entry'] !== undefined)
    return hashOfText(`entry ${text(fields['entry'])} ${record.class} ${severity}`);
  // Linux's trace event and its message say the same in other words.
  if (reporter === 'driver' && place?.label !== undefined) return hashOfText(`${record.class} ${place.label} ${count}`);
  let all = record.class;
  for (const name in fields) all += ` ${name} ${text(fields[name])}`;
  return hashOfText(all);
}

/** Whether what a record says is said of hardly any other: an address, a page, registers. */
function isDistinct({ address, rawPfn, reporter }: Witness): boolean {
  return address !== undefined || rawPfn !== undefined || reporter === 'machine-check' || reporter === 'arm';
}

const numberOf = (value: bigint | number | undefined): number => (value === undefined ? Number.NaN : Number(value));

/** The clock of one machine in one input, as far as it was read. */
interface Clock {
  is: string;
  seconds: number;
  /** Number of the record with which it went back the last time. */
  back: number;
  /** It went back within an hour that summer time may have doubled. */
  isDoubled: boolean;
}

/** Finds the record that one tells again. Costs little as long as all stand in one way, with a clock that goes on. */
export class Retold {
  readonly #kept = new Float64Array(MAX_KEPT * WIDTH);
  /** Of each the ways in which it was told again, a bit each. */
  readonly #told = new Int32Array(MAX_KEPT);
  readonly #row = new Float64Array(WIDTH);
  readonly #status = new BigUint64Array(1);
  /** The same, as two halves. */
  readonly #halves = new Uint32Array(this.#status.buffer);
  /** From the first record on that may be a copy. */
  #rows: Rows | undefined;
  readonly #ways = new Map<string, number>();
  readonly #inputs = new Map<string, number>();
  /** By the number of input and machine. */
  readonly #clocks: Clock[] = [];
  /** Records that were kept. */
  #count = 0;
  readonly #distances = new Distances();
  #byOrder = 0;
  #byHour = 0;
  /** Whether the record is like one of the same hour of the clock. */
  #isInHour = false;

  /** Copies without a clock in common with what they tell again. */
  get byOrder(): number {
    return this.#byOrder;
  }

  /** Records like one of the same hour of the clock, which are taken for new: the hour may be one that summer time doubles. */
  get byHour(): number {
    return this.#byHour;
  }

  /**
   * @param order its number, from 1
   * @returns the number of the record that it is a copy of; undefined of one that is new
   */
  of(witness: Witness, order: number): number | undefined {
    const { time } = witness;
    this.#read(witness, order);
    const row = this.#row;
    const isBack = this.#goesBack(witness, order);
    // Without a time before its line a machine check has still one of its own.
    const hasOwn = row[AT.entry] === 1 || (time?.from !== 'line' && witness.reporter === 'machine-check');
    if (this.#ways.size > 1 || isBack || hasOwn) this.#open();
    this.#isInHour = false;
    const original = this.#rows === undefined ? undefined : this.#find(this.#rows, isDistinct(witness));
    if (original !== undefined) return original;
    if (this.#isInHour) this.#byHour++;
    this.#keep();
    return undefined;
  }

  /** Notes the time of a record; true where its clock goes back. */
  #goesBack({ time }: Witness, order: number): boolean {
    if (time === undefined) return false;
    const { clock: is, seconds } = time;
    const input = this.#row[AT.input] as number;
    const clock = this.#clocks[input];
    if (clock === undefined) {
      this.#clocks[input] = { is, seconds, back: 0, isDoubled: false };
      return false;
    }
    const isBack = is === clock.is && seconds < clock.seconds;
    if (isBack) {
      const hour = Math.floor(seconds / HOUR);
      clock.back = order;
      clock.isDoubled = hour === Math.floor(clock.seconds / HOUR) && DOUBLED.has(hour % 24);
    }
    clock.is = is;
    clock.seconds = seconds;
    return isBack;
  }

  /** Writes down what is kept of a record. */
  #read(witness: Witness, order: number): void {
    const { record, time, boot, machine, reporter } = witness;
    const { raw, source } = record;
    const row = this.#row.fill(Number.NaN);
    if (time !== undefined) row[AT[time.clock]] = time.seconds;
    row[AT.boot] = boot ?? Number.NaN;
    // Others have none of their own.
    const own = raw.kind === 'event' && reporter !== 'controller' ? undefined : record.time;
    if (own?.from === 'record') row[AT[own.clock]] = own.seconds;
    row[AT.cpu] = numberOf(record.cpu);
    row[AT.input] = numberIn(this.#inputs, machine === '' ? source.input : `${machine}\n${source.input}`);
    let key: number;
    if (raw.kind === 'x86-mca') {
      row[AT.address] = numberOf(raw.addr);
      row[AT.misc] = numberOf(raw.misc);
      row[AT.apicId] = numberOf(raw.apicId);
      // 0 stands where nobody read the counter.
      row[AT.tsc] = raw.tsc === 0n ? Number.NaN : numberOf(raw.tsc);
      this.#status[0] = raw.status;
      const [a = 0, b = 0] = this.#halves;
      key = Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x5f35_6495) ^ raw.bank;
    } else {
      row[AT.address] = numberOf(witness.address);
      key = keyOf(witness);
    }
    row[AT.key] = Math.imul(key, 31) + (row[AT.input] as number);
    row[AT.way] = Math.min(MAX_WAYS, numberIn(this.#ways, wayOf(witness)));
    row[AT.order] = order;
    row[AT.line] = source.firstLine ?? 0;
    row[AT.entry] = Number(fieldsOf(record)['entry'] !== undefined);
  }

  #open(): void {
    if (this.#rows !== undefined) return;
    this.#rows = new Rows(
      at => this.#of(at, AT.key),
      at => this.#marks(column => this.#of(at, column)),
    );
    for (let n = Math.max(0, this.#count - MAX_KEPT); n < this.#count; n++) this.#rows.add(n % MAX_KEPT);
  }

  #keep(): void {
    const at = this.#count % MAX_KEPT;
    if (this.#count >= MAX_KEPT) this.#rows?.forget(at);
    this.#kept.set(this.#row, at * WIDTH);
    this.#told[at] = 0;
    this.#count++;
    this.#rows?.add(at);
  }

  #of(at: number, column: number): number {
    return this.#kept[at * WIDTH + column] as number;
  }

  /** What a row is found by. @param around steps before and behind a moment */
  #marks(of: Of, around = 0): { address: number; moments: Moment[] } {
    const moments: Moment[] = [];
    const add = (clock: number, step: number): void => {
      for (let n = -around; n <= around; n++) moments.push({ clock, step: Math.floor(step) + n });
    };
    const tsc = of(AT.tsc);
    if (!Number.isNaN(tsc)) moments.push({ clock: AT.tsc, step: tsc });
    if (!Number.isNaN(of(AT.boot))) add(EXACT_BOOT, of(AT.boot) / STAMP);
    for (const clock of CLOCKS) if (!Number.isNaN(of(clock))) add(clock, of(clock) / MOMENT);
    add(AT.line, of(AT.line) / NEAR_LINES);
    const address = of(AT.address);
    return { address: Number.isNaN(address) ? NO_ADDRESS : address, moments };
  }

  /** What the rows that a record may tell again are found by: also by the distances of clocks that are known. */
  readonly #wanted = (): Marks => {
    const of: Of = column => this.#row[column] as number;
    const { address, moments } = this.#marks(of, 1);
    const here = clockIn(of);
    const now = of(here);
    for (const there of CLOCKS) {
      if (!Number.isNaN(of(there))) continue;
      for (const apart of this.#distances.of(this.#pair(there, here))) {
        const step = Math.floor((now - apart) / MOMENT);
        for (const n of [0, -1, 1]) moments.push({ clock: there, step: step + n });
      }
    }
    return { address, moments };
  };

  #find(rows: Rows, distinct: boolean): number | undefined {
    const key = this.#row[AT.key] as number;
    if (!rows.has(key)) return undefined;
    for (const at of rows.of(key, this.#wanted)) {
      if (!this.#fits(at)) continue;
      if (this.#isSameWay(at)) {
        if (this.#isPasted(at)) return this.#of(at, AT.order);
      } else if (this.#isOneTime(at, distinct)) return this.#tell(rows, at);
    }
    return distinct ? this.#suppose(rows, key) : undefined;
  }

  /** Nothing contradicts, and its way has not told it yet. */
  #fits(at: number): boolean {
    const row = this.#row;
    if (((this.#told[at] as number) & (1 << (row[AT.way] as number))) !== 0) return false;
    if (this.#of(at, AT.input) !== row[AT.input]) return false;
    return !SAID.some(column => differ(this.#of(at, column), row[column] as number));
  }

  #isSameWay(at: number): boolean {
    return this.#of(at, AT.way) === this.#row[AT.way] && this.#row[AT.entry] !== 1;
  }

  #tell(rows: Rows, at: number): number {
    this.#told[at] = (this.#told[at] as number) | (1 << (this.#row[AT.way] as number));
    rows.told(at);
    return this.#of(at, AT.order);
  }

  /** The same in the same way: one moment that a register names, or the same time behind a later one. */
  #isPasted(at: number): boolean {
    if (this.#of(at, AT.tsc) === this.#row[AT.tsc]) return true;
    const clock = this.#clocks[this.#row[AT.input] as number];
    if (clock === undefined || clock.back <= this.#of(at, AT.order) || this.#sameTime(at) !== true) return false;
    if (!clock.isDoubled || this.#sameTime(at, STEADY) === true) return true;
    this.#isInHour = true;
    return false;
  }

  /** Whether both are of one time; undefined where they have none of these clocks in common. */
  #sameTime(at: number, clocks: readonly number[] = CLOCKS): boolean | undefined {
    let known: boolean | undefined;
    for (const clock of clocks) {
      const apart = Math.abs(this.#of(at, clock) - (this.#row[clock] as number));
      if (Number.isNaN(apart)) continue;
      // One entry of a controller's log, by tools that give its time in different zones.
      const isZone = this.#row[AT.entry] === 1 && apart % ZONE === 0 && apart <= MAX_ZONE;
      if (apart > (clock === AT.boot ? STAMP : SECONDS) && !isZone) return false;
      known = true;
    }
    return known;
  }

  /** The clocks of a row and of the record, as {@link Distances} knows them. */
  #pair(there: number, here: number): number {
    return ((this.#row[AT.input] as number) * WIDTH + there) * WIDTH + here;
  }

  /** How far a record is behind a row, of which no clock is the same; NaN where one of them has none. */
  #apart(at: number): { clocks: number; apart: number } {
    const [there, here] = [clockIn(column => this.#of(at, column)), clockIn(column => this.#row[column] as number)];
    return { clocks: this.#pair(there, here), apart: (this.#row[here] as number) - this.#of(at, there) };
  }

  #isOneTime(at: number, distinct: boolean): boolean {
    const known = this.#sameTime(at);
    if (known !== undefined) return known;
    const { clocks, apart } = this.#apart(at);
    if (!Number.isNaN(apart)) return this.#distances.confirms(clocks, apart);
    const isNear = Math.abs((this.#row[AT.line] as number) - this.#of(at, AT.line)) <= NEAR_LINES;
    if (!distinct || !isNear) return false;
    this.#byOrder++;
    return true;
  }

  /** Rows that say the same by another clock: how far they are off may be its distance. The first of all is believed to be the same. */
  #suppose(rows: Rows, key: number): number | undefined {
    let first: number | undefined;
    for (const at of rows.oldest(key)) {
      if (!this.#fits(at) || this.#isSameWay(at) || this.#sameTime(at) !== undefined) continue;
      const { clocks, apart } = this.#apart(at);
      if (Number.isNaN(apart)) continue;
      if (this.#distances.isNew(clocks)) first = at;
      this.#distances.suppose(clocks, apart);
    }
    if (first === undefined) return undefined;
    this.#byOrder++;
    return this.#tell(rows, first);
  }
}

/** A number of a row, by its column. */
type Of = (column: number) => number;

/** Both are said, and not the same. */
const differ = (a: number, b: number): boolean => a !== b && !Number.isNaN(a) && !Number.isNaN(b);

/** The first clock of a record. */
function clockIn(of: Of): number {
  return CLOCKS.find(clock => !Number.isNaN(of(clock))) ?? 0;
}

/** The number of a name, from 0 in the order in which they were met. */
function numberIn(names: Map<string, number>, name: string): number {
  let number = names.get(name);
  if (number === undefined && names.size < MAX_KEPT) names.set(name, (number = names.size));
  return number ?? MAX_KEPT;
}
