import type { Genome } from './genome.ts';

/** What is kept from hunt to hunt. */
export interface Corpus {
  load(): Promise<{ genome: Genome; features: string[] }[]>;
  keep(genome: Genome, features: readonly string[]): Promise<void>;
}
