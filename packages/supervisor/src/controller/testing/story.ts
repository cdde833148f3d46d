import { Scene } from '../../core/testing/scene.ts';
import { MOVES } from './policy.ts';

/** A story: two hosts, a VM that is moved at its third page, ticks between. */
export function story(): Scene {
  const scene = new Scene(MOVES);
  scene.host('a');
  scene.host('b');
  scene.vm('a', 'v');
  scene.pass(3);
  for (const pfn of [1n, 2n, 3n]) {
    scene.see('a', 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 100 }, { vm: 'v' });
    scene.pass(2);
  }
  for (const act of scene.acts()) scene.send({ input: 'act', at: scene.now, action: act.id, state: 'sent' });
  scene.allGood();
  scene.order('ann', { order: 'drain', host: 'a', reason: 'a test' });
  scene.pass(70);
  return scene;
}
