/**
 * @module A record that stands in one input a second time: the ring buffer of the kernel beside syslog, what syslogd writes to every
 * terminal, one log of a controller by two tools, one machine check by two programs, a part that somebody pasted again. Two records are
 * one where they say the same, stand differently or behind a later one, and where no clock contradicts. Of each record only numbers are
 * kept.
 */
import type { FieldValue } from '../events/row.ts';
import { hashOf, hashOfText } from './distinct.ts';
import { fieldsOf, stampOf } from './witness.ts';
import type { Witness } from './witness.ts';

/** Records that a later one may tell again. */
const MAX_KEPT = 4096;
/** The kernel stamps a line once; the first line of a block need not be the same in two logs. */
const STAMP = 0.05;
/** Seconds that syslog, the journal and a record itself may give one event apart, and that two clocks may drift. */
const SECONDS = 2;
const DRIFT = 5;
/** Lines within which a copy stands that has no clock in common. */
const NEAR_LINES = 64;
/** Zones that a tool may have added to the time of a controller. */
const ZONE = 900;
const MAX_ZONE = 14 * 3600;

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
const CLOCKS = COLUMNS.slice(0, AT.cpu);
/** Two tellings of one record may lack some of these, and do not differ in them. */
const SAID: readonly number[] = [AT.cpu, AT.address, AT.misc, AT.apicId, AT.tsc];

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
  if (reporter === 'controller' && fields['entry'] !== undefined) return hashOf([3, Number(fields['entry'])]);
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

/** Finds the record that one tells again. Costs little as long as all stand in one way, with a clock that goes on. */
export class Retold {
  readonly #kept = new Float64Array(MAX_KEPT * WIDTH);
  /** Of each the ways in which it was told again, a bit each. */
  readonly #told = new Int32Array(MAX_KEPT);
  readonly #row = new Float64Array(WIDTH);
  readonly #status = new BigUint64Array(1);
  /** The same, as two halves. */
  readonly #halves = new Uint32Array(this.#status.buffer);
  /** Rows by their key, from the first record on that may be a copy. */
  #byKey: Map<number, number[]> | undefined;
  readonly #ways = new Map<string, number>();
  readonly #inputs = new Map<string, number>();
  /** Records that were kept. */
  #count = 0;
  /** Number of the record with which a clock went back the last time. */
  #back = 0;
  #clock: string | undefined;
  #seconds = 0;
  /** By a pair of clocks, how far they are apart. */
  readonly #distances = new Map<string, number>();
  #byOrder = 0;

  /** Copies without a clock in common with what they tell again. */
  get byOrder(): number {
    return this.#byOrder;
  }

  /**
   * @param order its number, from 1
   * @returns the number of the record that it is a copy of; undefined of one that is new
   */
  of(witness: Witness, order: number): number | undefined {
    const { time } = witness;
    if (time !== undefined) {
      if (time.clock === this.#clock && time.seconds < this.#seconds) this.#back = order;
      this.#clock = time.clock;
      this.#seconds = time.seconds;
    }
    this.#read(witness, order);
    const row = this.#row;
    // Without a time before its line a machine check has still one of its own.
    const hasOwn = row[AT.entry] === 1 || (time?.from !== 'line' && witness.reporter === 'machine-check');
    if (this.#ways.size > 1 || this.#back === order || hasOwn) this.#open();
    const original = this.#byKey === undefined ? undefined : this.#find(isDistinct(witness));
    if (original === undefined) this.#keep();
    return original;
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
    if (raw.kind === 'x86-mca') {
      row[AT.address] = numberOf(raw.addr);
      row[AT.misc] = numberOf(raw.misc);
      row[AT.apicId] = numberOf(raw.apicId);
      // 0 stands where nobody read the counter.
      row[AT.tsc] = raw.tsc === 0n ? Number.NaN : numberOf(raw.tsc);
      this.#status[0] = raw.status;
      const [a = 0, b = 0] = this.#halves;
      row[AT.key] = Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x5f35_6495) ^ raw.bank;
    } else {
      row[AT.address] = numberOf(witness.address);
      row[AT.key] = keyOf(witness);
    }
    row[AT.way] = Math.min(MAX_WAYS, numberIn(this.#ways, wayOf(witness)));
    row[AT.order] = order;
    row[AT.line] = source.firstLine ?? 0;
    row[AT.input] = numberIn(this.#inputs, machine === '' ? source.input : `${machine}\n${source.input}`);
    row[AT.entry] = Number(fieldsOf(record)['entry'] !== undefined);
  }

  #open(): void {
    if (this.#byKey !== undefined) return;
    this.#byKey = new Map();
    for (let n = Math.max(0, this.#count - MAX_KEPT); n < this.#count; n++) this.#index(n % MAX_KEPT);
  }

  #keep(): void {
    const at = this.#count % MAX_KEPT;
    if (this.#byKey !== undefined && this.#count >= MAX_KEPT) this.#forget(at);
    this.#kept.set(this.#row, at * WIDTH);
    this.#told[at] = 0;
    this.#count++;
    if (this.#byKey !== undefined) this.#index(at);
  }

  #of(at: number, column: number): number {
    return this.#kept[at * WIDTH + column] as number;
  }

  #index(at: number): void {
    const key = this.#of(at, AT.key);
    const all = this.#byKey?.get(key);
    if (all === undefined) this.#byKey?.set(key, [at]);
    else all.push(at);
  }

  /** The oldest is the first of its key. */
  #forget(at: number): void {
    const key = this.#of(at, AT.key);
    const all = this.#byKey?.get(key) ?? [];
    if (all.length > 1) all.shift();
    else this.#byKey?.delete(key);
  }

  #find(distinct: boolean): number | undefined {
    const row = this.#row;
    const way = row[AT.way] as number;
    for (const at of this.#byKey?.get(row[AT.key] as number) ?? []) {
      const told = this.#told[at] as number;
      if ((told & (1 << way)) !== 0 || this.#of(at, AT.input) !== row[AT.input]) continue;
      if (SAID.some(column => differ(this.#of(at, column), row[column] as number))) continue;
      if (this.#of(at, AT.way) === way && row[AT.entry] !== 1) {
        if (!this.#isPasted(at)) continue;
      } else if (!this.#isOneTime(at, distinct)) continue;
      else this.#told[at] = told | (1 << way);
      return this.#of(at, AT.order);
    }
    return undefined;
  }

  /** The same in the same way: one moment that a register names, or the same time behind a later one. */
  #isPasted(at: number): boolean {
    if (this.#of(at, AT.tsc) === this.#row[AT.tsc]) return true;
    return this.#back > this.#of(at, AT.order) && this.#sameTime(at) === true;
  }

  /** Whether both are of one time; undefined where they have no clock in common. */
  #sameTime(at: number): boolean | undefined {
    let known: boolean | undefined;
    for (let clock = 0; clock < CLOCKS.length; clock++) {
      const apart = Math.abs(this.#of(at, clock) - (this.#row[clock] as number));
      if (Number.isNaN(apart)) continue;
      // One entry of a controller's log, by tools that give its time in different zones.
      const isZone = this.#row[AT.entry] === 1 && apart % ZONE === 0 && apart <= MAX_ZONE;
      if (apart > (clock === AT.boot ? STAMP : SECONDS) && !isZone) return false;
      known = true;
    }
    return known;
  }

  #isOneTime(at: number, distinct: boolean): boolean {
    const known = this.#sameTime(at);
    if (known !== undefined) return known;
    const [there, here] = [clockIn(column => this.#of(at, column)), clockIn(column => this.#row[column] as number)];
    const apart = (this.#row[here] ?? Number.NaN) - this.#of(at, there);
    const clocks = `${there} ${here}`;
    const distance = this.#distances.get(clocks);
    if (distance !== undefined && !Number.isNaN(apart)) return Math.abs(apart - distance) <= DRIFT;
    if (!distinct) return false;
    const isNear = Math.abs((this.#row[AT.line] as number) - this.#of(at, AT.line)) <= NEAR_LINES;
    if (Number.isNaN(apart) && !isNear) return false;
    if (!Number.isNaN(apart)) this.#distances.set(clocks, apart);
    this.#byOrder++;
    return true;
  }
}

/** Both are said, and not the same. */
const differ = (a: number, b: number): boolean => a !== b && !Number.isNaN(a) && !Number.isNaN(b);

/** The first clock of a record. */
function clockIn(of: (column: number) => number): number {
  for (let clock = 0; clock < CLOCKS.length; clock++) if (!Number.isNaN(of(clock))) return clock;
  return 0;
}

/** The number of a name, from 0 in the order in which they were met. */
function numberIn(names: Map<string, number>, name: string): number {
  let number = names.get(name);
  if (number === undefined && names.size < MAX_KEPT) names.set(name, (number = names.size));
  return number ?? MAX_KEPT;
}
