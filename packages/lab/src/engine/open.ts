import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Services } from '../parts.ts';
import type { Engine, EngineKind, Refusal } from './engine.ts';
import { forkEngine } from './fork.ts';
import { hostRefusal } from './fork-refusal.ts';
import { freshEngine } from './fresh.ts';
import { templateEngine } from './template.ts';

interface EngineOptions {
  /** The one to begin with; default: the cheapest. What it refuses goes to the next one. */
  kind?: EngineKind;
  services: Services;
}

/** Chooses an engine, and says by its `refusals` why not a cheaper one. Close it in the end. */
export async function openEngine({ kind = 'fork', services }: EngineOptions): Promise<Engine> {
  if (kind === 'restore' || kind === 'cold') return freshEngine(kind, services);
  const template = templateEngine(freshEngine('restore', services), services);
  if (kind === 'template') return template;
  const refusal = hostRefusal();
  if (refusal) return refused(template, refusal);
  try {
    const { forkLibrary } = await import('../fork/library.ts');
    return await forkEngine(await forkLibrary(services.supply), template, services);
  } catch (error) {
    return refused(template, { engine: 'fork', why: 'library', message: messageOf(error) });
  }
}

/** An engine that says why it stands in for another one. */
function refused(engine: Engine, refusal: Refusal): Engine {
  return {
    ...engine,
    refusals: [refusal],
    run: async (spec, options) => {
      const made = await engine.run(spec, options);
      return { ...made, refusals: [refusal, ...made.refusals] };
    },
  };
}
