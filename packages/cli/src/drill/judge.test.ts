import { hex64 } from '@syndrome/decode/common/hex.ts';
import { event } from '@syndrome/decode/events/event.ts';
import { Scene } from '@syndrome/supervisor/core/testing/scene.ts';
import { expect, test } from 'vitest';
import { judge } from './judge.ts';

type Seen = Parameters<typeof judge>[1];

/** A drill that went as it has to. */
function good(): Seen {
  const pages = [0x1000n, 0x2000n, 0x3000n];
  const scene = new Scene();
  scene.host('a');
  scene.vm('a', 'v');
  for (const gpa of pages) {
    const fields = { recipient: 'guest', action: 'inject', actionRequired: false, recursive: false } as const;
    const seen = event('vmm.memory-failure', fields);
    scene.say('a', { kind: 'event', source: 'qmp', event: seen as never, vm: 'v', gpa });
  }
  const durable = (n: number): number => 1000 * n + 10;
  return {
    pages,
    facts: {
      replay: 'same',
      incidents: [...scene.state.incidents.values()],
      pages: [...scene.state.hosts.values()].flatMap(host => [...host.pages.values()]),
      seen: [1, 2, 3].map(n => ({ source: 'qmp', event: 'vmm.memory-failure', when: 1000 * n, durable: durable(n) })),
      decisions: [],
      notices: [],
      proofs: [{ kind: 'process-gone', vm: 'v', host: 'a', epoch: 0, at: 3500, evidence: {} }],
      running: [
        { host: 'a', at: 1, epoch: 0 },
        { host: 'b', at: 3900, epoch: 1 },
      ],
    },
    notices: pages.map((page, i) => ({
      at: 1000 * (i + 1) + 40,
      id: `n${i + 1}`,
      type: 'org.syndrome.vm.memory.poisoned',
      data: { lost: { gpa: hex64(page) } },
    })),
    copies: [{ at: 1, copies: [{ pid: 1, startTicks: '1' }] }],
    timeline: [],
    guestBootMs: 5000,
    refused: 0,
    lost: undefined,
    seconds: 9,
  };
}

test('a drill that went well says how long notice and restart took', () => {
  expect(judge('demo', good())).toMatchObject({ verdict: 'pass', faults: [], noticeMs: 40, restartMs: 890 });
});

test('without the one or the other it fails: what was not measured was not shown', () => {
  const untold = good();
  const none = judge('demo', { ...untold, notices: [] });
  expect(none).toMatchObject({
    verdict: 'fail',
    faults: expect.arrayContaining([expect.stringContaining('of 3 events 0 were followed')]),
  });
  expect(none).not.toHaveProperty('noticeMs');
  const last = judge('demo', { ...untold, notices: untold.notices.slice(0, 2) });
  expect(last).toMatchObject({
    verdict: 'fail',
    faults: expect.arrayContaining([expect.stringContaining('of 3 events 2 were followed')]),
  });
  const two = judge('demo', { ...untold, facts: { ...untold.facts, seen: untold.facts.seen.slice(0, 2) } });
  expect(two).toMatchObject({ verdict: 'fail', faults: [expect.stringContaining('how long the restart took')] });
  expect(two).not.toHaveProperty('restartMs');
});

test('a page whose address was told to nobody fails it; told behind its notice it does not', () => {
  const seen = good();
  const bare = seen.notices.map((n, i) => (i === 1 ? { ...n, data: {} } : n));
  const untold = judge('demo', { ...seen, notices: bare });
  expect(untold).toMatchObject({
    verdict: 'fail',
    faults: ['its owner was not told that it was page 0x0000000000002000'],
  });
  const located = {
    at: 2100,
    id: 'l2',
    type: 'org.syndrome.vm.memory.located',
    data: { lost: { gpa: hex64(0x2000n) } },
  };
  expect(judge('demo', { ...seen, notices: [...bare, located] })).toMatchObject({ verdict: 'pass', noticeMs: 40 });
});
