/** `SYNDROME_WORLD_RUNS=2000` looks at more histories. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PATIENT, QUICK } from '../sim/policies.ts';
import { nextDue } from './due.ts';
import { forgetLookup } from './lookup.ts';
import { newState, restore, snapshot } from './state.ts';
import { step } from './step.ts';
import { bestPlace, placeFor } from './target.ts';
import { Scene } from './testing/scene.ts';
import { history, World } from './testing/world.ts';

const RUNS = Math.ceil(Number(process.env['SYNDROME_WORLD_RUNS'] ?? '150') / 3);

describe('what is looked up in a state', () => {
  test('is no part of it, and decides nothing: who looks it up anew before each step decides the same', () => {
    fc.assert(
      fc.property(fc.constantFrom(QUICK, PATIENT), history, (policy, happenings) => {
        const world = new World(policy);
        for (const h of happenings) world.happen(h);
        world.heal();
        const [kept, anew] = [newState(), newState()];
        for (const { input } of world.scene.log) {
          forgetLookup(anew);
          expect(step(kept, input)).toEqual(step(anew, input));
          expect(nextDue(kept)).toBe((forgetLookup(anew), nextDue(anew)));
          for (const vm of kept.vms.values()) {
            const out = { but: [vm.home ?? ''] };
            const place = placeFor(anew, vm, out);
            expect([bestPlace(kept, vm, out), placeFor(kept, vm, out)]).toEqual([place.to, place]);
          }
        }
        expect(snapshot(kept)).toBe(snapshot(anew));
        expect(restore(snapshot(kept))).toEqual(kept);
      }),
      { numRuns: RUNS },
    );
  }, 300_000);
});

/** A map that counts how many of its entries were gone through. */
class Counted<V> extends Map<string, V> {
  passed = 0;

  override *values(): MapIterator<V> {
    for (const one of super.values()) {
      this.passed++;
      yield one;
    }
  }
}

describe('in a fleet of 2,000 hosts', () => {
  const HOSTS = 2000;
  const scene = new Scene(QUICK);
  for (let i = 0; i < HOSTS; i++) {
    scene.host(`h${i}`);
    scene.vm(`h${i}`, `v${i}`);
  }
  scene.pass(120);
  const hosts = (scene.state.hosts = new Counted(scene.state.hosts));
  const vms = (scene.state.vms = new Counted(scene.state.vms));
  const passed = (happens: () => void): number => {
    const before = hosts.passed + vms.passed;
    happens();
    return hosts.passed + vms.passed - before;
  };
  const page = (host: string, vm: string): unknown =>
    scene.see(host, 'kmsg', 'host.sigbus-sent', { pfn: 7n, comm: 'qemu', pid: 1 }, { vm });
  const connected = (is: boolean): unknown => scene.send({ input: 'agent', at: scene.now, host: 'h7', connected: is });

  test.each<[what: string, happens: () => void]>([
    ['a VM is reported', () => scene.vm('h5', 'v5')],
    ['a host is reported', () => scene.host('h6')],
    ['an agent goes', () => connected(false)],
    ['an agent comes', () => connected(true)],
    [
      'an agent has lost its disk',
      () =>
        scene.send({
          input: 'row',
          at: scene.now,
          row: {
            host: 'h9',
            spool: 'h9-2',
            seq: 1,
            at: scene.now,
            said: { kind: 'source', source: 'agent', state: 'reading' },
          },
        }),
    ],
    ['a page goes bad', () => page('h8', 'v8')],
    ['time passes', () => scene.pass(60)],
    ['it is asked when something is due', () => nextDue(scene.state)],
  ])('%s: no step goes through all of it', (_what, happens) => {
    expect(passed(happens)).toBe(0);
  });

  test('a VM that moves has one host chosen out of all, once', () => {
    const looked = passed(() => {
      scene.send({ input: 'order', at: scene.now, by: 'ann', order: { order: 'restart', vm: 'v11' } });
      scene.allGood();
    });
    expect(scene.state.vms.get('v11')?.epoch).toBe(1);
    // What is said against the others is looked at where it is said.
    expect(looked).toBe(HOSTS);
  });

  test('a VM that finds no place looks at all hosts once, however long it waits', () => {
    for (let i = 0; i < HOSTS; i++) scene.host(`h${i}`, { freeBytes: 0 });
    const looked = passed(() => {
      scene.send({ input: 'order', at: scene.now, by: 'ann', order: { order: 'restart', vm: 'v12' } });
      scene.pass(600);
    });
    expect(scene.state.vms.get('v12')?.move?.step).toBe('no-target');
    expect(looked).toBe(HOSTS);
  });
});
