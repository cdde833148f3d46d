/**
 * @module What an evaluation takes to be so: one row for each number, with where it comes from and between what it is varied. What no study
 * says is a guess, and is called one.
 */

/** A number that the outcome rests on. */
interface Assumption {
  name: string;
  /** In words, with its unit. */
  what: string;
  value: number;
  low: number;
  high: number;
  source: string;
}

const GUESS = 'guess';
const OAK_RIDGE =
  'Sridharan and Liberty, SC 2012 (Oak Ridge), secondary: 47 % one bit, 22.5 % one row or column, 70 % recur';

/** All of them, in the order of the document. */
export const ASSUMPTIONS = [
  {
    name: 'ceHosts',
    what: 'hosts with corrected errors in a year',
    value: 0.33,
    low: 0.12,
    high: 0.5,
    source: 'Schroeder 2009: about 1/3, by platform 12 to 50 %',
  },
  {
    name: 'ueHosts',
    what: 'hosts with uncorrected errors in a year',
    value: 0.013,
    low: 0.0036,
    high: 0.04,
    source: 'Schroeder 2009: 1.3 %, some platforms 2 to 4 %; Meza 2015 (recalled): 0.03 % a month',
  },
  {
    name: 'foretold',
    what: 'of them, those whose fault had corrected errors before',
    value: 0.6,
    low: 0.3,
    high: 0.9,
    source: 'between 45 % (HiMFP, DSN 2023) and 59 % (arXiv 2312.02855) were avoided by looking at them; else a guess',
  },
  {
    name: 'ceMedian',
    what: 'corrected errors of an affected host in a year, median',
    value: 300,
    low: 25,
    high: 611,
    source: 'Schroeder 2009: 25 to 611 by platform',
  },
  {
    name: 'ceSkew',
    what: 'mean of them over the median',
    value: 55,
    low: 10,
    high: 220,
    source: 'Meza 2015: about 55; Schroeder 2009: 22,000 a machine-year over all machines, which is 220',
  },
  {
    name: 'ueLouder',
    what: 'how many times more corrected errors a fault has that has uncorrected ones later',
    value: 3,
    low: 1,
    high: 10,
    source: GUESS,
  },
  {
    name: 'oneCell',
    what: 'faults of one cell',
    value: 0.5,
    low: 0.3,
    high: 0.7,
    source: `${OAK_RIDGE}; Beigi, HPCA 2023: more than 45 % of DDR4 faults were of several bits`,
  },
  {
    name: 'oneRow',
    what: 'of the others, those of one row; the rest are of a bank or of the whole DIMM',
    value: 0.45,
    low: 0.2,
    high: 0.7,
    source: OAK_RIDGE,
  },
  {
    name: 'leadHours',
    what: 'from the first corrected error to the first uncorrected one, hours, median',
    value: 48,
    low: 2,
    high: 336,
    source: GUESS,
  },
  {
    name: 'more',
    what: 'after an uncorrected error, one more on that host before it is mended',
    value: 0.6,
    low: 0.2,
    high: 0.85,
    source: 'errors come where errors were, in every study (recalled); the number is a guess',
  },
  { name: 'gapHours', what: 'until then, hours, median', value: 12, low: 0.5, high: 168, source: GUESS },
  {
    name: 'consumed',
    what: 'uncorrected errors found by whoever used the data, not by the scrubber',
    value: 0.5,
    low: 0.2,
    high: 0.8,
    source: GUESS,
  },
  {
    name: 'panics',
    what: 'of errors that a guest used, those in its kernel: it panics',
    value: 0.25,
    low: 0.1,
    high: 0.5,
    source: GUESS,
  },
  {
    name: 'dies',
    what: "of errors in a VM's memory that were used, those that its VMM does not survive",
    value: 0.05,
    low: 0,
    high: 0.3,
    source: `${GUESS}; 1 for Cloud Hypervisor, crosvm and Firecracker, which end at the signal`,
  },
  {
    name: 'again',
    what: 'a guest that lives uses the same bad page once more',
    value: 0.2,
    low: 0,
    high: 0.5,
    source: GUESS,
  },
  {
    name: 'located',
    what: 'hosts that tell DIMM, bank and row of an error',
    value: 0.8,
    low: 0,
    high: 1,
    source: GUESS,
  },
  {
    name: 'kernel',
    what: "of a host's memory, what its own kernel has",
    value: 0.03,
    low: 0.01,
    high: 0.1,
    source: GUESS,
  },
  {
    name: 'byHandMinutes',
    what: 'until the owner starts a VM that is down and that nobody else starts, minutes',
    value: 30,
    low: 5,
    high: 240,
    source: GUESS,
  },
  {
    name: 'bootSeconds',
    what: 'from the start of a VM until it serves again, seconds',
    value: 60,
    low: 20,
    high: 600,
    source: GUESS,
  },
  {
    name: 'migrationBreaks',
    what: 'live migrations that end a VM all the same',
    value: 0.001,
    low: 0,
    high: 0.01,
    source: GUESS,
  },
  {
    name: 'repairDays',
    what: 'from the closing of a host until its memory is replaced, days',
    value: 3,
    low: 1,
    high: 14,
    source: GUESS,
  },
  {
    name: 'noticedDays',
    what: 'from the first uncorrected error of a host that nobody closes until somebody replaces its memory, days',
    value: 30,
    low: 7,
    high: 90,
    source: GUESS,
  },
] as const satisfies readonly Assumption[];

export type AssumptionName = (typeof ASSUMPTIONS)[number]['name'];
/** A number for each. */
export type Assumed = Readonly<Record<AssumptionName, number>>;

/** All as the table has them, but for what is given. */
export function assumed(but: Partial<Assumed> = {}): Assumed {
  return { ...(Object.fromEntries(ASSUMPTIONS.map(({ name, value }) => [name, value])) as Assumed), ...but };
}
