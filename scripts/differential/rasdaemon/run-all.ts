/** @module All guests with rasdaemon in them, and the two lists of what it and ours say apart. */
import type { Supply } from '@syndrome/lab/supply/supply.ts';
import type { Comparison } from '../compare.ts';
import { compareRun, newComparison } from './compare-run.ts';
import { runRasdaemon } from './guest.ts';
import { RAS_GUESTS, type RasGuest } from './records.ts';

/** What came of one guest: how many records it was given, and what of them is not as it was given. */
interface OfGuest {
  guest: string;
  version: string;
  kernel: string;
  records: number;
  lines: number;
  rows: number;
  wrong: string[];
}

/** What came of all of them. */
interface OfAll {
  guests: OfGuest[];
  comparisons: Record<RasGuest['vendor'], Comparison>;
}

/** An emulated guest takes one CPU of this machine. */
const AT_ONCE = 2;

/** Runs and compares all guests; where one fails, the others are ended. @throws what {@link runRasdaemon} throws */
export async function runAll(supply: Supply, signal: AbortSignal): Promise<OfAll> {
  const comparisons = { intel: newComparison('intel'), amd: newComparison('amd') };
  const guests: OfGuest[] = [];
  const waiting = [...RAS_GUESTS];
  const failed = new AbortController();
  const end = AbortSignal.any([signal, failed.signal]);
  const lane = async (): Promise<void> => {
    for (let guest = waiting.shift(); guest !== undefined; guest = waiting.shift()) {
      const run = await runRasdaemon(guest, supply, end);
      const { version, kernel } = run;
      const compared = compareRun(guest, run, comparisons[guest.vendor]);
      guests.push({ guest: guest.name, version, kernel, records: guest.records.length, ...compared });
    }
  };
  const errors: unknown[] = [];
  const lanes = Array.from({ length: AT_ONCE }, () =>
    lane().catch((error: unknown) => {
      errors.push(error);
      failed.abort();
    }),
  );
  await Promise.all(lanes);
  if (errors.length > 0) throw errors[0];
  return { guests, comparisons };
}
