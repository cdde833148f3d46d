/** One process of `npm run fuzz -- --jobs N`: runs the parts it is given, one after the other. */
import { runTarget } from './run.ts';
import { TARGETS } from './targets.ts';

/** Some cases of a target. */
export interface Part {
  target: string;
  seed: number;
  range: readonly [first: number, last: number];
}

let stopped = false;
// The terminal tells all processes of an interruption; the parent says what is to be done.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
process.on('message', (message: Part | 'stop') => {
  if (message === 'stop') {
    stopped = true;
    return;
  }
  const target = TARGETS.find(t => t.name === message.target);
  if (target === undefined) throw new Error(`no target ${message.target}`);
  void runTarget(target, message.seed, message.range, { stopped: () => stopped }).then(result => {
    process.send?.(result);
  });
});
