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
    seed: 1,
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
  {
    name: 'planned-and-taken-back',
    seed: 57,
    hosts: 20,
    hours: 480,
    faultsPerHostHour: 0.12,
    wrong:
      'A VM was to leave its host while another copy of it was not proven to have stopped: its migration was planned and given up four ' +
      'times a step, and its owner was told of both at every look, hundreds of times. Of the same kind: what a rule wants of a VM that was ' +
      'stopped on purpose or shut down (seeds 10 and 14 with 0.2 faults).',
    invariant: 'I7',
    mended: 'core: plan nothing that is given up in the same step',
  },
  {
    name: 'ended-with-its-host',
    seed: 630,
    hosts: 20,
    hours: 480,
    faultsPerHostHour: 0.12,
    wrong:
      'A VM that had come by a live migration ended with its host; the simulated agent, unlike the real one, never told of it after the ' +
      'boot, and the VM was to be migrated from there every hour.',
    invariant: 'I11',
    mended: 'sim: let an agent tell what it could not write down',
  },
];
