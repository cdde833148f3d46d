import { expect, test } from 'vitest';
import { type LeaseEvent, leaseFaults, type LeaseWrite } from './lease-history.ts';

const take = (owner: string, epoch: bigint | undefined, asked: number): LeaseEvent => ({
  kind: 'take',
  owner,
  epoch,
  asked,
  answered: asked + 1,
});
const write = (owner: string, epoch: bigint, id: number, outcome: 'done' | 'refused'): LeaseEvent => ({
  kind: 'write',
  owner,
  epoch,
  id,
  outcome,
  asked: 0,
  answered: 1,
});
const row = (owner: string, epoch: bigint, id: number): LeaseWrite => ({ owner, epoch, id });

test('a history in which each was the owner in its turn has no fault', () => {
  const history = [take('a', 1n, 1), take('b', undefined, 3), write('a', 1n, 1, 'done'), take('b', 2n, 5)];
  const rows = [row('a', 1n, 1), row('b', 2n, 2)];
  expect(leaseFaults([...history, write('a', 1n, 3, 'refused'), write('b', 2n, 2, 'done')], rows)).toEqual([]);
});

test.each<[string, LeaseEvent[], LeaseWrite[]]>([
  ['epoch 1 is of a and of b', [take('a', 1n, 1), take('b', 1n, 3)], []],
  ['epoch 1 is of a and of b', [take('a', 1n, 1)], [row('b', 1n, 1)]],
  ['epoch 1 was given after epoch 2 was known', [take('b', 2n, 1), take('a', 1n, 3)], []],
  ['write 2 of epoch 1 stands after one of epoch 2', [], [row('b', 2n, 1), row('a', 1n, 2)]],
  ['a write is there twice', [], [row('b', 2n, 1), row('b', 2n, 1)]],
  ['write 1 was confirmed and is lost', [write('a', 1n, 1, 'done')], []],
  ['write 1 was refused and is there', [write('a', 1n, 1, 'refused')], [row('a', 1n, 1)]],
])('%s', (fault, history, rows) => {
  expect(leaseFaults(history, rows)).toEqual([fault]);
});
