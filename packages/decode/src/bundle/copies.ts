/**
 * @module The same line in several logs: the kernel's ring buffer, the journal and syslog keep each other's lines. Of such copies one record
 * is made, with all its places. Only whole records that say the same are one, and only where their times allow it.
 */
import { stringify } from '../common/hex.ts';
import { LazyRecord } from '../decode/lazy.ts';
import { rawData } from '../decode/record.ts';
import type { CopyPlace, DecodedRecord, DecodedSource } from '../decode/record.ts';
import { timesOfStamp } from '../decode/time.ts';

/** Seconds that syslog and the journal may give one line apart, and that clocks may drift between two. */
const SAME = 2;
/** The kernel stamps a line once, and all copies have that stamp. */
const SAME_STAMP = 0.001;
const DRIFT = 5;
/** Pairs of one content that are looked at for the distance of two clocks. */
const MAX_PAIRS = 64;

interface Found {
  record: DecodedRecord;
  key: string;
  /** By clock, all that stands before the line. */
  times: Map<string, number>;
}

interface Joined extends Found {
  logs: Set<string>;
  places: DecodedSource[];
}

/** What the record says, without where it stood. */
function contentOf(record: DecodedRecord): string {
  const raw = rawData(record) as Record<string, unknown>;
  return `${record.kind} ${stringify({ ...raw, origin: undefined })}`;
}

function timesOf(record: DecodedRecord): Map<string, number> {
  const stamp = record instanceof LazyRecord ? record.stamp : undefined;
  const times = new Map<string, number>();
  if (stamp !== undefined) for (const { clock, seconds } of timesOfStamp(stamp)) times.set(clock, seconds);
  return times;
}

/** The distance of two clocks that most pairs agree on; of equally many the greatest, which is that of the last boot. */
function agreed(differences: number[]): number {
  const sorted = differences.toSorted((a, b) => a - b);
  let [best, most] = [sorted[0] ?? 0, 0];
  for (let low = 0, high = 0; high < sorted.length; high++) {
    while ((sorted[high] ?? 0) - (sorted[low] ?? 0) > SAME) low++;
    if (high - low + 1 >= most) [best, most] = [sorted[low] ?? 0, high - low + 1];
  }
  return best;
}

const hasDate = ({ times }: Found): boolean => [...times.keys()].some(clock => clock !== 'boot');

/** Takes the records of one bundle, file by file, and gives each once. */
export class Copies {
  readonly #byContent = new Map<string, Joined[]>();
  readonly #all: Joined[] = [];

  /** Records that are held. */
  get size(): number {
    return this.#all.length;
  }

  /** The records of one file, in its order. @param log the log that the file is a part of: no line stands in two of them */
  file(log: string, records: readonly DecodedRecord[]): void {
    const found = records.map(record => ({ record, key: contentOf(record), times: timesOf(record) }));
    const distances = this.#distances(log, found);
    const taken = new Set<Found>();
    // A ring buffer loses the oldest lines, and so does what is rotated: of equal ones the last are the same.
    for (const one of found.toReversed()) {
      const same = this.#sameAs(log, one, distances);
      if (same === undefined) continue;
      taken.add(one);
      same.logs.add(log);
      // The time of day says more than the time since boot.
      if (!hasDate(same) && hasDate(one)) {
        same.places.push(same.record.source);
        same.record = one.record;
      } else same.places.push(one.record.source);
      for (const [clock, seconds] of one.times) if (!same.times.has(clock)) same.times.set(clock, seconds);
    }
    for (const one of found) {
      if (taken.has(one)) continue;
      const joined = { ...one, logs: new Set([log]), places: [] };
      this.#all.push(joined);
      const before = this.#byContent.get(one.key);
      if (before === undefined) this.#byContent.set(one.key, [joined]);
      else before.push(joined);
    }
  }

  /** Every record once; the places of its copies are in its source. */
  end(): DecodedRecord[] {
    const out = this.#all.map(({ record, places }) => {
      if (places.length > 0) record.source.copies = places.map(placeOf).toSorted(byPlace);
      return record;
    });
    this.#all.length = 0;
    this.#byContent.clear();
    return out;
  }

  /** By pair of clocks, how far apart they are, as far as records with the same content say. */
  #distances(log: string, found: readonly Found[]): Map<string, number> {
    const differences = new Map<string, number[]>();
    for (const one of found) {
      for (const other of (this.#byContent.get(one.key) ?? []).slice(-MAX_PAIRS)) {
        if (other.logs.has(log) || [...one.times.keys()].some(clock => other.times.has(clock))) continue;
        for (const [a, from] of one.times) {
          for (const [b, to] of other.times) {
            const key = `${a} ${b}`;
            const known = differences.get(key);
            if (known === undefined) differences.set(key, [to - from]);
            else known.push(to - from);
          }
        }
      }
    }
    return new Map([...differences].map(([key, all]) => [key, agreed(all)]));
  }

  #sameAs(log: string, one: Found, distances: ReadonlyMap<string, number>): Joined | undefined {
    let [best, least]: [Joined | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
    for (const other of (this.#byContent.get(one.key) ?? []).toReversed()) {
      if (other.logs.has(log)) continue;
      const gap = apart(one, other, distances);
      if (gap !== undefined && gap < least) [best, least] = [other, gap];
    }
    return best;
  }
}

/** Seconds between two records with one content; undefined where they cannot be the same line. */
function apart(one: Found, other: Joined, distances: ReadonlyMap<string, number>): number | undefined {
  let gap: number | undefined;
  for (const [clock, seconds] of one.times) {
    const there = other.times.get(clock);
    if (there === undefined) continue;
    const off = Math.abs(there - seconds);
    if (off > (clock === 'boot' ? SAME_STAMP : SAME)) return undefined;
    gap = Math.max(gap ?? 0, off);
  }
  if (gap !== undefined) return gap;
  // Without a time only the order is left.
  if (one.times.size === 0 || other.times.size === 0) return 0;
  for (const [a, from] of one.times) {
    for (const [b, to] of other.times) {
      const distance = distances.get(`${a} ${b}`);
      if (distance === undefined) continue;
      const off = Math.abs(from + distance - to);
      if (off > DRIFT) return undefined;
      gap = Math.max(gap ?? 0, off);
    }
  }
  return gap;
}

function placeOf({ input, firstLine, lastLine }: DecodedSource): CopyPlace {
  return { input, ...(firstLine === undefined ? {} : { firstLine }), ...(lastLine === undefined ? {} : { lastLine }) };
}

const byPlace = (a: CopyPlace, b: CopyPlace): number =>
  a.input === b.input ? (a.firstLine ?? 0) - (b.firstLine ?? 0) : a.input < b.input ? -1 : 1;
