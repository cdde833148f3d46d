/**
 * @module Rows of numbers in a ring, found again by what they say. Rows of one key are few, but in a storm, where thousands say the same:
 * those are found by their address and their moment, so that a record costs no more there.
 */
import { hashOf } from './distinct.ts';
import { removeAt } from './few.ts';

/** Rows of one key that are looked at one by one. */
const FEW = 32;
/** Rows that are looked at for one record: of a moment there may be thousands. */
const MAX_LOOK = 128;
const NONE: readonly number[] = [];

/** A moment in steps that are as wide as what counts as the same: `clock` tells what is counted. */
export interface Moment {
  clock: number;
  step: number;
}

interface Bucket {
  /** The oldest first. */
  rows: number[];
  /** Whether its rows are found by their moments. */
  isStorm: boolean;
}

/** What a row of a storm is found by. */
export interface Marks {
  /** A number for its address; the same for all that name none. */
  address: number;
  moments: readonly Moment[];
}

const placeOf = (key: number, address: number, { clock, step }: Moment): number => hashOf([key, address, clock, step]);
const placesOf = (key: number, { address, moments }: Marks): number[] =>
  moments.map(moment => placeOf(key, address, moment));

/** The index of a ring of rows. It keeps numbers of rows, and asks for what they say. */
export class Rows {
  readonly #keyOf: (row: number) => number;
  readonly #marksOf: (row: number) => Marks;
  readonly #byKey = new Map<number, Bucket>();
  readonly #byMoment = new Map<number, number[]>();

  constructor(keyOf: (row: number) => number, marksOf: (row: number) => Marks) {
    this.#keyOf = keyOf;
    this.#marksOf = marksOf;
  }

  add(row: number): void {
    const key = this.#keyOf(row);
    let bucket = this.#byKey.get(key);
    if (bucket === undefined) this.#byKey.set(key, (bucket = { rows: [], isStorm: false }));
    bucket.rows.push(row);
    if (bucket.isStorm) this.#mark(key, row);
    else if (bucket.rows.length > FEW) {
      bucket.isStorm = true;
      for (const one of bucket.rows) this.#mark(key, one);
    }
  }

  /** @param row the oldest of its key */
  forget(row: number): void {
    const key = this.#keyOf(row);
    const bucket = this.#byKey.get(key);
    if (bucket === undefined) return;
    bucket.rows.shift();
    if (bucket.rows.length === 0) this.#byKey.delete(key);
    if (!bucket.isStorm) return;
    for (const [place, all] of this.#places(key, row)) {
      removeAt(all, all.indexOf(row));
      if (all.length === 0) this.#byMoment.delete(place);
    }
  }

  /**
   * Rows of a key that may say the same at one of some moments; all of a key that has few.
   * @param marks asked for in a storm only
   */
  of(key: number, marks: () => Marks): readonly number[] {
    const bucket = this.#byKey.get(key);
    if (bucket === undefined) return NONE;
    if (!bucket.isStorm) return bucket.rows;
    const found: number[] = [];
    for (const place of placesOf(key, marks())) {
      const all = this.#byMoment.get(place) ?? NONE;
      for (let i = 0; i < all.length && found.length < MAX_LOOK; i++) found.push(all[i] as number);
    }
    return found;
  }

  has(key: number): boolean {
    return this.#byKey.has(key);
  }

  /** The oldest rows of a key, whenever they were. */
  oldest(key: number): readonly number[] {
    return this.#byKey.get(key)?.rows.slice(0, FEW) ?? NONE;
  }

  /** A row was told again: those that were not are found before it. */
  told(row: number): void {
    const key = this.#keyOf(row);
    if (this.#byKey.get(key)?.isStorm !== true) return;
    for (const [, all] of this.#places(key, row)) {
      if (all.at(-1) === row) continue;
      removeAt(all, all.indexOf(row));
      all.push(row);
    }
  }

  /** Where a row of a storm stands, and all that stand there. */
  *#places(key: number, row: number): Generator<[number, number[]]> {
    for (const place of placesOf(key, this.#marksOf(row))) {
      const all = this.#byMoment.get(place);
      if (all !== undefined) yield [place, all];
    }
  }

  #mark(key: number, row: number): void {
    for (const place of placesOf(key, this.#marksOf(row))) {
      const all = this.#byMoment.get(place);
      if (all === undefined) this.#byMoment.set(place, [row]);
      else all.push(row);
    }
  }
}
