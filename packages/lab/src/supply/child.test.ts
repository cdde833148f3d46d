import { expect, test } from 'vitest';
import { runChild } from './child.ts';

test('a character that comes in two pieces is whole, in both outputs', async () => {
  // After one byte each piece of an even length ends within a character; what is kept of it has a bound.
  const word = `'x' + 'ä'.repeat(100_000)`;
  const script = `process.stdout.write(${word}, () => process.stderr.write(${word}))`;
  const { stdout, stderr } = await runChild(process.execPath, ['-e', script], { deadlineMs: 60_000 });
  const whole = `x${'ä'.repeat(100_000)}`;
  expect([stdout === whole, stderr === whole]).toEqual([true, true]);
});
