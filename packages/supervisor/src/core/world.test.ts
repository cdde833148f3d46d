import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Effect, Input } from './input.ts';
import { countVm, distinctPages } from './ledger.ts';
import { restore, snapshot, newState } from './state.ts';
import type { State } from './state.ts';
import { step } from './step.ts';
import { checkRun } from './testing/holds.ts';
import { PATIENT, QUICK } from '../sim/policies.ts';
import { ACTS, Scene } from './testing/scene.ts';
import { HOSTS, VMS, history, World } from './testing/world.ts';

/** The cases of one property; a longer search is asked for by the environment. */
const RUNS = Number(process.env['SYNDROME_WORLD_RUNS'] ?? '150');
const PATIENCE_MS = 120_000 + RUNS * 200;

describe('whatever happens', () => {
  test(
    'no VM runs twice, each start has its proofs, and the same inputs give the same (I4, I5, I7 to I10, I12)',
    () => {
      fc.assert(
        fc.property(fc.constantFrom(QUICK, PATIENT), history, (policy, happenings) => {
          const world = new World(policy);
          for (const h of happenings) world.happen(h);
          expect(() => checkRun(world.scene)).not.toThrow();
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE_MS,
  );

  test(
    'when all is mended, nothing is left undone without an alert (I11)',
    () => {
      fc.assert(
        fc.property(fc.constantFrom(QUICK, PATIENT), history, (policy, happenings) => {
          const world = new World(policy);
          for (const h of happenings) world.happen(h);
          world.heal();
          const { state } = world.scene;
          expect(world.forgotten(), 'died, and nobody was told').toEqual([]);
          for (const id of state.moving) {
            const step = state.vms.get(id)?.move?.step;
            expect(['unproven', 'no-target', 'failed'], `${id} is ${step}`).toContain(step);
            const type = step === 'failed' ? 'action-failed' : (step ?? '');
            expect(state.alerts.get(`${type} ${id}`)?.standing, `nobody was told that ${id} is ${step}`).toBe(true);
          }
          const open = [...state.incidents.values()].filter(i => i.state === 'open');
          const held = new Set(state.moving.map(id => state.vms.get(id)?.move?.incident));
          expect(open.filter(i => !held.has(i.id)).map(i => i.id)).toEqual([]);
        }),
        { numRuns: Math.ceil(RUNS / 4) },
      );
    },
    PATIENCE_MS,
  );

  test(
    'what a guest says changes no act',
    () => {
      fc.assert(
        fc.property(history, happenings => {
          const world = new World(QUICK);
          for (const h of happenings) world.happen(h);
          const state = newState();
          const acts: Effect[] = [];
          for (const { input } of world.scene.log) {
            if (
              input.input === 'row' &&
              input.row.said.kind === 'event' &&
              input.row.said.event.name.startsWith('guest.')
            )
              continue;
            acts.push(...step(state, input).filter(e => e.effect === 'act'));
          }
          expect(acts).toEqual(world.scene.effects.filter(e => e.effect === 'act'));
        }),
        { numRuns: Math.ceil(RUNS / 4) },
      );
    },
    PATIENCE_MS,
  );
});

/** What is counted, without the order in which it was learned. */
function counted(s: State): unknown {
  return HOSTS.map(id => {
    const host = s.hosts.get(id);
    if (host === undefined) return [];
    const pages = [...host.pages.values()]
      .map(p => ({ ...p, times: [...p.times].toSorted(([a], [b]) => a - b) }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const vms = VMS.map(v => {
      const vm = s.vms.get(v);
      return vm === undefined ? undefined : { ...countVm(vm, host, 0), pages: undefined };
    });
    return { pages, vms, errors: distinctPages(host, 0).length };
  });
}

const seen = fc.record({
  host: fc.constantFrom('a', 'b'),
  vm: fc.constantFrom(...VMS),
  pfn: fc.bigInt(0n, 4n),
  gpa: fc.bigInt(0n, 4n),
  kind: fc.constantFrom('frame', 'trace', 'both', 'guest', 'unlocated', 'sea'),
  seconds: fc.nat(400),
});

test('rows twice and in any order count the same (I3)', () => {
  fc.assert(
    fc.property(
      fc.array(seen, { minLength: 1, maxLength: 30 }).chain(events =>
        fc.record({
          events: fc.constant(events),
          order: fc.shuffledSubarray(
            events.map((_, i) => i),
            { minLength: events.length, maxLength: events.length },
          ),
          again: fc.array(fc.nat(events.length - 1), { maxLength: 10 }),
        }),
      ),
      ({ events, order, again }) => {
        const scene = new Scene({ ...ACTS, mode: 'observe' });
        for (const host of ['a', 'b']) for (const vm of VMS) scene.vm(host, vm, { state: 'gone' });
        const setUp = scene.log.length;
        const start = scene.now;
        for (const { host, vm, pfn, gpa, kind, seconds } of events) {
          const when = start + seconds * 1000;
          if (kind === 'frame')
            scene.see(host, 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 1 }, { vm, when });
          if (kind === 'trace')
            scene.see(
              host,
              'tracefs',
              'host.memory-failure',
              { pfn, page: 'dirty LRU page', result: 'Recovered' },
              { when },
            );
          if (kind === 'both')
            scene.see(
              host,
              'qemu-log',
              'vmm.sigbus-injected',
              { hva: 1n, gpa: gpa << 12n, code: 'BUS_MCEERR_AR' },
              { vm, pfn, when },
            );
          if (kind === 'guest')
            scene.see(
              host,
              'qemu-log',
              'vmm.sigbus-injected',
              { hva: 1n, gpa: gpa << 12n, code: 'BUS_MCEERR_AO' },
              { vm, when },
            );
          if (kind === 'unlocated')
            scene.see(
              host,
              'qmp',
              'vmm.memory-failure',
              { recipient: 'guest', action: 'inject', actionRequired: false, recursive: false },
              { vm, when },
            );
          if (kind === 'sea')
            scene.see(
              host,
              'vmm',
              'vmm.arm-sea',
              { vcpu: 0, el: 1, pc: 0n, flags: 0n, esr: 0n, gpaSource: 'none', action: 'inject', quarantine: 'none' },
              { vm, when },
            );
        }
        const rows = scene.log.slice(setUp).map(({ input }) => input);
        const state = newState();
        const send = (input: Input | undefined): Effect[] => (input === undefined ? [] : step(state, input));
        for (const { input } of scene.log.slice(0, setUp)) send(input);
        for (const i of order) {
          send(rows[i]);
          for (const j of again)
            if (order.indexOf(j) <= order.indexOf(i)) expect(send(rows[j]), 'a row that came twice').toEqual([]);
        }
        expect(counted(state)).toEqual(counted(scene.state));
      },
    ),
    { numRuns: 300 },
  );
});

test('a state that went through JSON goes on as it was', () => {
  fc.assert(
    fc.property(history, happenings => {
      const world = new World(QUICK);
      for (const h of happenings) world.happen(h);
      expect(restore(snapshot(world.scene.state))).toEqual(world.scene.state);
    }),
    { numRuns: 20 },
  );
});
