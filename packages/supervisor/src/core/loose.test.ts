import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Input } from './input.ts';
import { newState } from './state.ts';
import type { State } from './state.ts';
import { step } from './step.ts';
import { ACTS, Scene } from './testing/scene.ts';

/** What is seen of VM v on host a: a page, or an error without one; ms from the start. */
type Seen = { at: number; pfn?: bigint; by: 'qmp' | 'libvirt' | 'kmsg' };

const page = (at: number, pfn: bigint): Seen => ({ at, pfn, by: 'kmsg' });
const loose = (at: number, by: Seen['by'] = 'qmp'): Seen => ({ at, by });

function rowsOf(seen: readonly Seen[]): { setUp: Input[]; rows: Input[] } {
  const scene = new Scene({ ...ACTS, mode: 'observe' });
  scene.host('a');
  scene.vm('a', 'v');
  const before = scene.log.length;
  const start = scene.now;
  for (const { at, pfn, by } of seen) {
    const more = { vm: 'v', when: start + at };
    if (pfn === undefined)
      scene.see('a', by, 'vmm.memory-failure', { recipient: 'guest', action: 'inject', actionRequired: false }, more);
    else scene.see('a', by, 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 1 }, more);
  }
  const inputs = scene.log.map(({ input }) => input);
  return { setUp: inputs.slice(0, before), rows: inputs.slice(before) };
}

/** The witnesses of each page, and those of no page. */
function witnessesOf(s: State): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  for (const incident of s.incidents.values()) {
    if (incident.state === 'absorbed') continue;
    const key = incident.page === undefined ? 'none' : String(BigInt(incident.page));
    out[key] = [
      ...(out[key] ?? []),
      ...[...incident.witnesses].map(([what, { count }]) => `${what.split(' ')[0]} ${count}`),
    ].toSorted();
  }
  return out;
}

function run(seen: readonly Seen[], order: readonly number[] = seen.map((_, i) => i)): State {
  const { setUp, rows } = rowsOf(seen);
  const state = newState();
  for (const input of [...setUp, ...order.flatMap(i => rows[i] ?? [])]) step(state, input);
  return state;
}

describe('a witness without an address belongs to the page nearest in time that has none of its kind', () => {
  /** As a drill injects them: three pages within a second, each with its event a moment later. */
  const drill = [page(0, 1n), loose(4), page(300, 2n), loose(304), page(700, 3n), loose(704)];
  const each = { 1: ['kmsg 1', 'qmp 1'], 2: ['kmsg 1', 'qmp 1'], 3: ['kmsg 1', 'qmp 1'] };

  test.each([
    ['each page before its event', [0, 1, 2, 3, 4, 5]],
    ['each event before its page', [1, 0, 3, 2, 5, 4]],
    ['all events first', [1, 3, 5, 0, 2, 4]],
    ['all pages first', [0, 2, 4, 1, 3, 5]],
    ['backwards', [5, 4, 3, 2, 1, 0]],
  ])('%s', (_, order) => {
    const state = run(drill, order);
    expect(witnessesOf(state)).toEqual(each);
    for (const { first, last } of [...state.incidents.values()].filter(i => i.state === 'open'))
      expect(last - first).toBe(4);
  });

  test('two ways that tell of one error are two kinds; a repeat goes to the nearest', () => {
    expect(witnessesOf(run([...drill, loose(305, 'libvirt'), loose(320)]))).toEqual({
      ...each,
      2: ['kmsg 1', 'libvirt 1', 'qmp 2'],
    });
  });

  test('an event whose page nobody names stays apart, and what two pages explain leaves nothing behind', () => {
    const two = [loose(0), loose(60_000), page(1000, 1n)];
    expect(witnessesOf(run(two))).toEqual({ 1: ['kmsg 1', 'qmp 1'], none: ['qmp 1'] });
    const state = run([...two, page(61_000, 2n)]);
    expect(witnessesOf(state)).toEqual({ 1: ['kmsg 1', 'qmp 1'], 2: ['kmsg 1', 'qmp 1'] });
    expect([...state.incidents.values()].filter(i => i.state === 'open')).toHaveLength(2);
  });

  test('a storm keeps few of them', () => {
    const state = run([page(0, 1n), ...Array.from({ length: 500 }, (_, i) => loose(i)), page(600, 2n)]);
    const counts = Object.values(witnessesOf(state)).flatMap(w => w.filter(one => one.startsWith('qmp')));
    expect(counts.reduce((sum, one) => sum + Number(one.slice(4)), 0)).toBe(500);
    expect(state.vms.get('v')?.met.get('a')?.loose).toHaveLength(32);
  });

  test('of more pages at once than that nothing is moved, and nothing is lost', () => {
    const pages = Array.from({ length: 40 }, (_, i) => [loose(10 * i), page(10 * i + 1, BigInt(i + 1))]).flat();
    const found = Object.values(witnessesOf(run(pages))).flat();
    const qmp = found.filter(one => one.startsWith('qmp')).reduce((sum, one) => sum + Number(one.slice(4)), 0);
    expect([qmp, found.filter(one => one === 'kmsg 1').length]).toEqual([40, 40]);
  });
});

const seen = fc.oneof(
  fc.record({ at: fc.nat(40_000), pfn: fc.bigInt(1n, 4n), by: fc.constant('kmsg' as const) }),
  fc.record({ at: fc.nat(40_000), by: fc.constantFrom('qmp' as const, 'libvirt' as const) }),
);

test('in whatever order they come, each page has the same witnesses', () => {
  fc.assert(
    fc.property(
      fc.array(seen, { minLength: 1, maxLength: 16 }).chain(events =>
        fc.record({
          events: fc.constant(events),
          order: fc.shuffledSubarray(
            events.map((_, i) => i),
            { minLength: events.length, maxLength: events.length },
          ),
        }),
      ),
      ({ events, order }) => {
        expect(witnessesOf(run(events, order))).toEqual(witnessesOf(run(events)));
      },
    ),
    { numRuns: 500 },
  );
});
