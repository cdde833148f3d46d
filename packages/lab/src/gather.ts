import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import type { Supply } from './supply/supply.ts';
import { assemble, type Assembly } from './parts.ts';
import type { Scenario } from './scenario/load.ts';

/** What came of looking for the parts of one scenario: the assembled machine, or why there is none. */
type Gathered = { scenario: string } & ({ assembly: Assembly } | { error: SyndromeError });

/**
 * Brings together all that these scenarios need, in the way a run does: packages, modules, the agents, the images. With a
 * supply that is offline it tells what the cache lacks. Emulated: whether KVM works is another question. Scenarios whose
 * machines are alike are looked for once; one that lacks a part does not keep the others from being looked for.
 */
export async function* gatherParts(
  scenarios: readonly Pick<Scenario, 'name' | 'machine'>[],
  supply: Supply,
): AsyncGenerator<Gathered> {
  const known = new Map<string, { assembly: Assembly } | { error: SyndromeError }>();
  for (const { name, machine } of scenarios) {
    const key = JSON.stringify(machine);
    let found = known.get(key);
    if (found === undefined) {
      try {
        found = { assembly: await assemble(machine, { accel: 'tcg' }, { supply }) };
      } catch (error) {
        if (!(error instanceof SyndromeError)) throw error;
        found = { error };
      }
      known.set(key, found);
    }
    yield { scenario: name, ...found };
  }
}
