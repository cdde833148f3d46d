/**
 * @module What one fault of a host's memory will do, drawn before anybody decides anything: the same for every policy. It is told in places
 * of the memory of the host; who is there then, and what comes of it, is for the episode.
 */
import { Dice } from '../sim/chance.ts';
import type { Assumed } from './assumptions.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A fault is watched for so long. */
export const WATCHED_MS = 180 * DAY;
/** VMs of a host, and the places of its memory that VMs of their size can have. */
export const VMS = 12;
const SLOTS = 16;
/** Times of errors are spread so: the standard deviation of their logarithm. */
const SPREAD = 1.5;
/** Pages that a fault may hit: a row is spread over two channels or ranks of 4 KiB pages each; of larger parts a sample. */
const PAGES = { cell: 1, row: 4, bank: 64, dimm: 256 } as const;
const MOST_REPEATS = 3;
const MOST_ERRORS = 40;

/**
 * What sort of fault a host has: corrected errors alone, uncorrected ones behind corrected ones, or uncorrected ones out of nothing. They are
 * drawn apart, and weighed by how often they are, since hosts without a fault cost a simulation much and say nothing.
 */
export const STRATA = ['corrected', 'foretold', 'sudden'] as const;
export type Stratum = (typeof STRATA)[number];

/** How many of each there are in a host-year. */
export function weightOf(stratum: Stratum, { ceHosts, ueHosts, foretold }: Assumed): number {
  if (stratum === 'sudden') return ueHosts * (1 - foretold);
  return stratum === 'foretold' ? ueHosts * foretold : Math.max(0, ceHosts - ueHosts * foretold);
}

interface Page {
  pfn: bigint;
  /** Which VM's place it is in; `kernel`: the host's own. */
  slot: number | 'kernel';
}

export type Happening =
  /** So many corrected errors in a page, since the last that were told. */
  | { at: number; is: 'corrected'; page: Page; count: number }
  /** `luck`: what becomes of it, from 0 to 1, in the order in which it is asked for; `repeats`: how often a guest that lives uses it again. */
  | { at: number; is: 'uncorrected'; page: Page; luck: readonly [number, number]; repeats: number };

export interface Timeline {
  stratum: Stratum;
  mode: keyof typeof PAGES;
  /** Whether the host tells where in its DIMMs an error is. */
  located: boolean;
  /** In their order; times are ms since the fault. */
  happenings: Happening[];
}

function normal(dice: Dice): number {
  return Math.sqrt(2 * dice.exponential(1)) * Math.cos(dice.between(0, 2 * Math.PI));
}

/** By its median; the spread is the standard deviation of the logarithm. */
const logNormal = (dice: Dice, median: number, spread: number): number => median * Math.exp(spread * normal(dice));

function poisson(dice: Dice, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(dice)));
  let n = 0;
  for (let left = Math.exp(-mean), p = dice.between(0, 1); p > left && n < 1000; n++) p *= dice.between(0, 1);
  return n;
}

function modeOf(dice: Dice, stratum: Stratum, { oneCell, oneRow }: Assumed): Timeline['mode'] {
  // One cell alone makes no uncorrected error where ECC corrects one symbol; a second fault must meet it, which is rare.
  const cell = stratum === 'corrected' ? oneCell : oneCell / 10;
  const shares = { cell, row: (1 - cell) * oneRow, bank: ((1 - cell) * (1 - oneRow)) / 2 };
  return dice.weighted({ ...shares, dimm: shares.bank });
}

function placeOf(dice: Dice, { kernel }: Assumed): Page['slot'] {
  return dice.happens(kernel) ? 'kernel' : dice.below(SLOTS);
}

/** Pages of a row lie beside each other; those of a bank or of a DIMM are all over the memory, since addresses are interleaved. */
function pagesOf(dice: Dice, mode: Timeline['mode'], given: Assumed): Page[] {
  const near = placeOf(dice, given);
  const apart = mode === 'bank' || mode === 'dimm';
  return Array.from({ length: PAGES[mode] }, (_, i) => ({
    pfn: 0x100_000n + BigInt(i),
    slot: apart ? placeOf(dice, given) : near,
  }));
}

/** Told by the hour in the first three days, by the day then. A fault is loudest at first (Meza 2015: the hazard decreases). */
function correctedOf(dice: Dice, all: number, pages: readonly Page[]): Happening[] {
  const happenings: Happening[] = [];
  for (let from = 0; from < WATCHED_MS; ) {
    const to = from + (from < 3 * DAY ? HOUR : DAY);
    const share = Math.sqrt(to / WATCHED_MS) - Math.sqrt(from / WATCHED_MS);
    const count = poisson(dice, all * share);
    const hit = Math.min(count, 4, pages.length);
    for (let i = 0; i < hit; i++)
      happenings.push({
        at: dice.between(from, to),
        is: 'corrected',
        page: dice.pick(pages),
        count: Math.floor((count + i) / hit),
      });
    from = to;
  }
  return happenings;
}

function repeatsOf(dice: Dice, again: number): number {
  let n = 0;
  while (n < MOST_REPEATS && dice.happens(again)) n++;
  return n;
}

/** A fault, and all that it will do. @param seed of this one alone */
export function timelineOf(seed: number, stratum: Stratum, given: Assumed): Timeline {
  const dice = new Dice(seed);
  const mode = modeOf(dice, stratum, given);
  const pages = pagesOf(dice, mode, given);
  const located = dice.happens(given.located);
  const happenings: Happening[] = [];
  if (stratum !== 'sudden') {
    const spread = Math.sqrt(2 * Math.log(Math.max(1, given.ceSkew)));
    const louder = stratum === 'foretold' ? given.ueLouder : 1;
    const year = logNormal(dice, given.ceMedian * louder, spread);
    happenings.push(...correctedOf(dice, (year * WATCHED_MS) / (365 * DAY), pages));
  }
  if (stratum !== 'corrected') {
    const lead = stratum === 'sudden' ? HOUR : logNormal(dice, given.leadHours * HOUR, SPREAD);
    let at = Math.min(lead, WATCHED_MS / 2);
    for (let n = 0; n < MOST_ERRORS && (n === 0 || dice.happens(given.more)); n++) {
      if (n > 0) at += logNormal(dice, given.gapHours * HOUR, SPREAD);
      const luck = [dice.between(0, 1), dice.between(0, 1)] as const;
      happenings.push({ at, is: 'uncorrected', page: dice.pick(pages), luck, repeats: repeatsOf(dice, given.again) });
    }
  }
  return {
    stratum,
    mode,
    located,
    happenings: happenings.filter(h => h.at < WATCHED_MS).toSorted((a, b) => a.at - b.at),
  };
}
