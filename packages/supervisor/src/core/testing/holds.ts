/** @module What must hold of every run of a scene, and that the same inputs give the same again (I12). */
import { holds, Watch } from '../../sim/watch.ts';
import { canonical } from '../hash.ts';
import type { Decision, Effect } from '../input.ts';
import { newState } from '../state.ts';
import { step } from '../step.ts';
import type { Scene } from './scene.ts';

const decisionsOf = (effects: readonly Effect[]): Decision[] =>
  effects.flatMap(e => (e.effect === 'decision' ? [e.decision] : []));

/** Checks a whole run, and that the same inputs give the same again. */
export function checkRun(scene: Scene): void {
  const watch = new Watch();
  for (const { input, effects } of scene.log) watch.take(input, effects);
  const again = newState();
  for (const { input, effects } of scene.log)
    holds(canonical(step(again, input)) === canonical(effects), 'I12: the same inputs gave other effects');
  holds(again.decisions.hash === scene.state.decisions.hash, 'I12: the same inputs gave other decisions');
  holds(again.decisions.count === decisionsOf(scene.effects).length, 'a decision that nobody was told of');
}
