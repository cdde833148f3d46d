/** What an error says of its cause: once, whichever room threw it, and whether or not its message holds the cause already. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { messageOf, SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';

const ROOT = join(import.meta.dirname, '..');

/** Every class of error of every room, also those that are declared beside what throws them. */
const classes = new Map<string, typeof SyndromeError>([
  ['SyndromeError', SyndromeError],
  ['UsageError', UsageError],
]);

beforeAll(async () => {
  for (const file of [
    'packages/*/src/**/errors.ts',
    'packages/*/src/**/error.ts',
    'packages/cli/src/record-inputs.ts',
    'packages/lab/src/scenario/*.ts',
  ].flatMap(pattern => globSync(pattern, { cwd: ROOT }))) {
    const room = (await import(join(ROOT, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(room)) {
      if (typeof value === 'function' && value.prototype instanceof SyndromeError) {
        classes.set(name, value as typeof SyndromeError);
      }
    }
  }
});

/** An error of a class with this message and cause, however its constructor words them. */
function made(cls: typeof SyndromeError, message: string, cause: unknown): Error {
  return Object.assign(Object.create(cls.prototype) as Error, { message, cause });
}

const system = Object.assign(new Error('connect ENOENT /run/vm.sock'), { code: 'ENOENT' });

describe('the text of an error', () => {
  test('of every class says what its cause says once', () => {
    expect(classes.size).toBeGreaterThan(25);
    for (const [name, cls] of classes) {
      const holds = made(cls, `cannot connect to /run/vm.sock: ${system.message}`, system);
      expect(messageOf(holds), name).toBe('cannot connect to /run/vm.sock: connect ENOENT /run/vm.sock');
      const bare = made(cls, 'cannot connect', system);
      expect(messageOf(bare), name).toBe('cannot connect: connect ENOENT /run/vm.sock');
      expect(messageOf(made(cls, 'the step failed', holds)), name).toBe(`the step failed: ${holds.message}`);
      expect(messageOf(made(cls, holds.message, holds)), name).toBe(holds.message);
      expect(messageOf(made(cls, 'cannot connect', bare)), name).toBe('cannot connect: connect ENOENT /run/vm.sock');
    }
  });

  test.each<[string, unknown, string]>([
    [
      'a cause that is part of a word of the message',
      new Error('undone', { cause: new Error('done') }),
      'undone: done',
    ],
    ['a cause without a word', new Error('it broke', { cause: new Error('') }), 'it broke'],
    ['a message without a word', new Error('', { cause: new Error('why') }), 'why'],
    ['a cause that is no error', new Error('it broke', { cause: 'why' }), 'it broke: why'],
    ['no error', 'why', 'why'],
    ['a cause below a cause that was said', new Error('a: b', { cause: new Error('b', { cause: 'c' }) }), 'a: b: c'],
    [
      'several addresses that were tried',
      new Error('cannot connect', {
        cause: new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')], ''),
      }),
      'cannot connect: refused by ::1; refused by 127.0.0.1',
    ],
  ])('%s', (_what, error, text) => expect(messageOf(error)).toBe(text));

  test('of errors that cause each other ends', () => {
    const one = new Error('one');
    const two = new Error('two', { cause: one });
    one.cause = two;
    expect(messageOf(one)).toBe('one: two');
  });
});
