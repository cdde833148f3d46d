/** @module Seeds that have shown something wrong. It is mended; each stays, and has to hold from then on. */
import type { SiteFlaws } from '../site.ts';

/** A site that has shown something wrong once. */
interface NamedSeed {
  name: string;
  seed: number;
  hosts: number;
  /** Host-hours. */
  hours: number;
  faultsPerHostHour: number;
  /** What was wrong, which invariant said so, and the subject of the commit that mended it. */
  wrong: string;
  invariant: string;
  mended: string;
  /** The mistake in the models that makes it wrong again, where they are what had it. */
  flaw?: keyof SiteFlaws;
}

export const NAMED_SEEDS: readonly NamedSeed[] = [
  {
    name: 'lying-disk-numbers',
    seed: 4,
    hosts: 20,
    hours: 480,
    faultsPerHostHour: 0.2,
    wrong:
      'A disk lost rows that it had confirmed, and the host wrote others under their numbers before its agent was connected: these were ' +
      'acknowledged, and nobody had taken them.',
    invariant: 'I1',
    mended: 'agent: let no row be taken for one that a lying disk has lost',
    flaw: 'numbers',
  },
  {
    name: 'old-error-new-copy',
    seed: 1722,
    hosts: 20,
    hours: 480,
    faultsPerHostHour: 0.2,
    wrong:
      'A VM left a host with three bad pages, and was started on it again two hours later: the second opinion took the errors of the first ' +
      'copy for those of the second one, whose memory is fresh.',
    invariant: 'I9',
    mended: 'sim: take no error of an earlier copy for one of a later one',
  },
];
