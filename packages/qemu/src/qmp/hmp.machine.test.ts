import { afterAll, beforeAll, expect, test } from 'vitest';
import { hmpChecked } from './hmp.ts';
import { startMachine, type TestMachine } from './testing/machine.ts';

let machine: TestMachine;
beforeAll(async () => {
  machine = await startMachine('x86_64', ['-m', '64', '-cpu', 'Skylake-Server']);
});
afterAll(() => machine?.stop());

test.each([
  ['info mce', 'E_HMP_UNKNOWN_COMMAND'],
  ['mce 0 1', 'E_HMP_MISSING_ARGUMENT'],
  ['mce 0 z 0 0 0 0', 'E_HMP_BAD_EXPRESSION'],
  ['print 1/0', 'E_HMP_BAD_EXPRESSION'],
  ['print (1', 'E_HMP_BAD_EXPRESSION'],
  ['print $zz', 'E_HMP_BAD_EXPRESSION'],
  ['mce 0 1 0x1ffffffffffffffff 0 0 0', 'E_HMP_NUMBER_TOO_LARGE'],
  ['mce 0 -1 0 0 0 0', 'E_HMP_INTEGER_32_BIT'],
  ['mce -x', 'E_HMP_UNKNOWN_OPTION'],
  ['mce 0 1 2 3 4 5 6', 'E_HMP_EXTRA_ARGUMENT'],
  ['savevm x', 'E_HMP_NO_SNAPSHOT_DEVICE'],
  ['cpu 9', 'E_HMP_CPU_INDEX'],
])('%s fails with %s', async (commandLine, code) => {
  const failure = hmpChecked(machine.qmp, commandLine);
  await expect(failure).rejects.toMatchObject({ code, commandLine });
});

test('what succeeds passes', async () => {
  expect(await hmpChecked(machine.qmp, 'print 0x7f')).toBe('0x7f\r\n');
});
