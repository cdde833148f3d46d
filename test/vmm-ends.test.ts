import { expect, test } from 'vitest';
import { vmmEvents } from '@syndrome/decode/text/event-reader.ts';
import { vmmExit } from '@syndrome/lab/vmm-ends.ts';
import { DESIGNED_ENDS, reference } from '@syndrome/lab/vmms/reference.ts';
import { exitCodeOf } from '@syndrome/vmm/exit-codes.ts';
import { USAGE } from '@syndrome/vmm/options.ts';

/** What the lab makes of the exit of a VMM that has written this line before. */
function exitAfter(line: string | undefined, exit: { code: number } | { signo: number }): unknown {
  let announced: number | undefined;
  for (const event of line === undefined ? [] : vmmEvents().push(line)) announced ??= reference.announcedExit(event);
  const fields = { proc: 'vmm', pid: 9, status: 'code' in exit ? 'exited' : 'signaled', ...exit };
  const event = { name: 'exit', fields } as unknown as Parameters<typeof vmmExit>[0];
  return vmmExit(event, announced)?.fields.expected;
}

const stopped = (reason: string): string => JSON.stringify({ event: 'stopped', reason, errors: 0, pages: 0 });

test.each([...DESIGNED_ENDS])('the lab and the reference VMM agree on the exit code after %s', (reason, code) => {
  expect(exitCodeOf(String(reason))).toBe(code);
  expect(USAGE.replace(/\s+/g, ' ')).toMatch(new RegExp(`Exit codes:.* ${code} `));
  expect(exitAfter(stopped(String(reason)), { code })).toBe(true);
});

test.each<[string, string | undefined, { code: number } | { signo: number }]>([
  ['a code that was not announced', undefined, { code: 0 }],
  ['another code than the announced one', stopped('reset'), { code: 1 }],
  ['a signal after an announced end', stopped('reset'), { signo: 11 }],
  ['a failure that the VMM itself reports', stopped('run-failed'), { code: 1 }],
  ['SIGTERM from somebody else', stopped('SIGTERM'), { code: 0 }],
])('the VMM has died: %s', (_name, line, exit) => {
  expect(exitAfter(line, exit)).toBe(false);
});

test('a reason without a code of its own is a failure', () => {
  expect(exitCodeOf('run-failed')).toBe(1);
});

test.each(['null', '[]', '5', '{"event":5}', '{"event":"constructor"}', '{"event":"stopped"'])(
  'the line %s is no event',
  line => {
    expect(vmmEvents().push(line)).toEqual([]);
  },
);

test('a number without end is no field', () => {
  const line = '{"event":"stopped","reason":"reset","errors":1e999,"pages":2}';
  expect(vmmEvents().push(line)).toEqual([{ name: 'vmm.stopped', fields: { reason: 'reset', pages: 2 } }]);
});
