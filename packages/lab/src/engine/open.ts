import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Services } from '../parts.ts';
import type { Engine, EngineKind, Refusal } from './engine.ts';
import { forkEngine } from './fork.ts';
import { hostRefusal } from './fork-refusal.ts';
import { freshEngine } from './fresh.ts';

interface EngineOptions {
  /** The one to begin with; default: the cheapest. What it refuses goes to the next one. */
  kind?: EngineKind;
  services: Services;
}

/** Chooses an engine, and says by its `refusals` why not a cheaper one. Close it in the end. */
export async function openEngine({ kind = 'fork', services }: EngineOptions): Promise<Engine> {
  if (kind !== 'fork') return freshEngine(kind === 'cold' ? 'cold' : 'restore', services);
  const refusal = hostRefusal();
  if (refusal) return refused(services, refusal);
  try {
    const { forkLibrary } = await import('../fork/library.ts');
    return await forkEngine(await forkLibrary(services.supply), services);
  } catch (error) {
    return refused(services, { engine: 'fork', why: 'library', message: messageOf(error) });
  }
}

/** The engine that is always there, which says why it stands in for another one. */
function refused(services: Services, refusal: Refusal): Engine {
  const fresh = freshEngine('restore', services);
  return {
    ...fresh,
    refusals: [refusal],
    run: async (spec, options) => ({ ...(await fresh.run(spec, options)), refusals: [refusal] }),
  };
}
