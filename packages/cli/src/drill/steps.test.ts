import { expect, test } from 'vitest';
import type { Effect } from '@syndrome/supervisor/core/input.ts';
import type { Rung } from '@syndrome/supervisor/core/policy.ts';
import { GameDay } from './steps.ts';

const VM = 'v';
const decision = (rung: string, rule = 'r', more: object = {}): Effect =>
  ({
    effect: 'decision',
    decision: {
      at: 110,
      vm: VM,
      incident: 'inc-1',
      rule,
      policy: 'p@1',
      rung,
      inputs: {},
      why: `${rule} says ${rung}`,
      ...more,
    },
  }) as Effect;
const notice = (type: string, more: object = {}): Effect =>
  ({
    effect: 'notice',
    notice: { id: `inc-1/${type}`, type, severity: 'info', at: 120, vm: VM, summary: type, ...more },
  }) as Effect;
const act = (kind: string): Effect =>
  ({ effect: 'act', act: { id: kind, kind, host: 'a', vm: VM, epoch: 0, incident: 'inc-1', deadline: 1 } }) as Effect;

function day(...effects: Effect[]): GameDay {
  const made = new GameDay(VM);
  made.begin(100);
  for (const effect of effects) made.take(effect, 130);
  return made;
}
const gaps = (made: GameDay): string[] => made.gaps().map(({ step }) => step);

test.each<[Rung, string[]]>([
  ['observe', []],
  ['tell', ['notice']],
  ['quarantine', ['notice']],
  ['reboot', ['notice', 'act']],
  ['migrate', ['notice', 'act', 'start']],
  ['restart-elsewhere', ['notice', 'act', 'proof', 'start']],
  ['terminate', ['notice', 'act', 'proof']],
  ['hold', ['notice']],
])('what %s leads to', (rung, more) => {
  expect(gaps(day(decision(rung)))).toEqual(more);
});

test('nothing at all is a gap from the first step on, and the witness that was written is one', () => {
  const made = day();
  made.expectWitness(0x1234n);
  expect(gaps(made)).toEqual(['durable', 'incident', 'witness']);
  expect(made.steps()).toEqual([{ step: 'durable' }, { step: 'incident' }, { step: 'witness' }]);
});

test('what came before, and what is of another VM, is none of it', () => {
  const made = new GameDay(VM);
  made.take(decision('tell'), 50);
  made.begin(100);
  made.take(decision('tell', 'r', { vm: 'w' }), 130);
  made.take(notice('vm.memory.poisoned', { vm: 'w' }), 130);
  expect(gaps(made)).toEqual(['durable', 'incident']);
});

test('each step has the time at which it first came; a decision of the core is none of the policy', () => {
  const made = day(
    decision('tell', 'first'),
    decision('restart-elsewhere', 'second', { at: 115 }),
    decision('observe', 'core/stop-proof', { at: 150 }),
    notice('vm.memory.poisoned'),
    act('autostart-off'),
    act('stop'),
    notice('vm.restarted', { at: 190 }),
  );
  expect(made.decided).toMatchObject({ rung: 'restart-elsewhere', rule: 'second' });
  expect(gaps(made)).toEqual(['notice']);
  made.explained({
    incident: { witnesses: { 'drill lab.injected': { last: 101 }, 'qmp vmm.memory-failure': { last: 99 } } },
    notices: [
      { id: 'inc-1/vm.memory.poisoned', state: 'waiting', target: 'ops', done: null },
      { id: 'inc-1/vm.memory.poisoned', state: 'delivered', target: 'log', done: 125 },
      { id: 'inc-0/else', state: 'delivered', target: 'log', done: 101 },
    ],
  });
  expect(made.steps().map(({ step, ms }) => [step, ms])).toEqual([
    ['durable', 10],
    ['incident', 30],
    ['witness', 1],
    ['notice', 25],
    ['act', 30],
    ['proof', 50],
    ['start', 90],
  ]);
  expect([...made.witnesses]).toEqual(['drill lab.injected']);
});

test('an act that was announced says until when it is not done', () => {
  const made = day(decision('restart-elsewhere'), notice('vm.restart.planned', { notBefore: 400_000 }));
  expect(made.notBefore).toBe(400_000);
});

test('of a page that the injector has named its address has to be told, where anything is', () => {
  const made = day(decision('tell'), notice('vm.memory.poisoned'));
  const delivered = (id: string): void =>
    made.explained({
      incident: { witnesses: { 'drill lab.injected': { last: 101 } } },
      notices: [{ id, state: 'delivered', target: 'log', done: 140 }],
    });
  made.expectWitness(0x1234n);
  delivered('inc-1/vm.memory.poisoned');
  expect(gaps(made)).toEqual(['address']);
  made.take(notice('vm.memory.located', { id: 'other', lost: { gpa: '0x0000000000002000' } }), 130);
  delivered('other');
  expect(gaps(made)).toEqual(['address']);
  made.take(notice('vm.memory.located', { lost: { gpa: '0x0000000000001000' } }), 130);
  expect(gaps(made)).toEqual(['address']);
  delivered('inc-1/vm.memory.located');
  expect(gaps(made)).toEqual([]);
  expect(made.steps().at(-1)).toMatchObject({ step: 'address', ms: 40 });
  const silent = day(decision('observe'));
  silent.expectWitness(0x1234n);
  expect(gaps(silent)).toEqual(['witness']);
});
