import type { Services } from '../parts.ts';
import type { Engine, EngineKind } from './engine.ts';
import { freshEngine } from './fresh.ts';

export interface EngineOptions {
  /** The one to begin with; default: the cheapest. What it refuses goes to the next one. */
  kind?: EngineKind;
  services: Services;
}

/** Chooses an engine, and says by its `refusals` why not a cheaper one. Close it in the end. */
export async function openEngine({ kind, services }: EngineOptions): Promise<Engine> {
  return freshEngine(kind === 'cold' ? 'cold' : 'restore', services);
}
