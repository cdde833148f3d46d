import { describe, expect, test } from 'vitest';
import type { Effect } from './input.ts';
import { placeFor } from './target.ts';
import { ACTS, Scene } from './testing/scene.ts';

/** A VM of h0 that is to be restarted elsewhere, and so many other hosts that cannot take it. */
function nowhere(hosts: number): Effect[] {
  const scene = new Scene({ ...ACTS, breaker: { ...ACTS.breaker, hosts: 1000 } });
  scene.host('h0');
  for (let i = 1; i <= hosts; i++) scene.host(`h${i}`, i % 2 === 0 ? { freeBytes: 0 } : { arch: 'arm64' });
  scene.vm('h0', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.allGood();
  return scene.effects.filter(
    e => e.effect === 'decision' && e.decision.rule === 'core/no-target' && !('alert' in e.decision.inputs),
  );
}
const inputsOf = (effects: Effect[]): unknown => effects.map(e => (e.effect === 'decision' ? e.decision.inputs : {}));

describe('what speaks against hosts', () => {
  test('is said of each, where they are few', () => {
    expect(inputsOf(nowhere(2))).toEqual([
      {
        'not h0': 'it runs there, or a start there has failed',
        'not h1': 'it is arm64',
        'not h2': 'it has too little free memory',
      },
    ]);
  });

  test('is counted by reason, where they are many: a decision does not grow with the fleet', () => {
    expect(inputsOf(nowhere(600))).toEqual([
      {
        'not h0': 'it runs there, or a start there has failed',
        'not 300 hosts (h1, h101, h103, …)': 'it is arm64',
        'not 300 hosts (h10, h100, h102, …)': 'it has too little free memory',
      },
    ]);
  });
});

test('of hosts that are alike the first by name is taken, in whatever order they came', () => {
  for (const names of [
    ['b', 'c', 'd'],
    ['d', 'c', 'b'],
  ]) {
    const scene = new Scene(ACTS);
    scene.host('a');
    for (const name of names) scene.host(name);
    scene.vm('a', 'v');
    const vm = scene.state.vms.get('v') ?? expect.fail('no VM');
    expect(placeFor(scene.state, vm, { but: ['a'] })).toMatchObject({
      to: 'b',
      reason: expect.stringContaining('best of 3') as unknown,
    });
  }
});
