import { describe, expect, test } from 'vitest';
import { hmpErrorOf, hmpFailures, recogniseHmpFailure } from './hmp.ts';

/** Answers of QEMU 11.1.3, byte for byte, except where said. */
const answers: [code: string, text: string][] = [
  ['E_HMP_UNKNOWN_COMMAND', "unknown command: 'info mce'\r\n"],
  ['E_HMP_NOT_AVAILABLE', "Command 'mce' not available until machine initialization has completed.\r\n"],
  ['E_HMP_MISSING_ARGUMENT', 'unexpected end of expression\r\nTry "help mce" for more information\r\n'],
  ['E_HMP_BAD_EXPRESSION', 'invalid char \'z\' in expression\r\nTry "help mce" for more information\r\n'],
  ['E_HMP_NUMBER_TOO_LARGE', 'number too large\r\nTry "help mce" for more information\r\n'],
  [
    'E_HMP_INTEGER_32_BIT',
    '\'mce\' has failed: integer is for 32-bit values\r\nTry "help mce" for more information\r\n',
  ],
  ['E_HMP_UNKNOWN_OPTION', 'mce: unsupported option -x\r\nTry "help mce" for more information\r\n'],
  ['E_HMP_EXTRA_ARGUMENT', 'mce: extraneous characters at the end of line\r\nTry "help mce" for more information\r\n'],
  ['E_HMP_BAD_ARGUMENTS', 'something new\r\nTry "help mce" for more information\r\n'], // not seen: the fallback
  ['E_HMP_MCE_NOT_SUPPORTED', 'MCE injection not supported\r\n'],
  ['E_HMP_MCE_BANK', 'Invalid MCE bank number\r\n'],
  ['E_HMP_MCE_STATUS', 'Invalid MCE status code\r\n'],
  ['E_HMP_MCE_BROADCAST', 'Guest CPU does not support MCA broadcast\r\n'],
  ['E_HMP_MCE_BANK_DISABLED', 'CPU 0: Uncorrected error reporting disabled for bank 9\r\n'],
  ['E_HMP_MCE_DISABLED', 'CPU 0: Uncorrected error reporting disabled\r\n'],
  ['E_HMP_NO_MEMORY', 'No memory is mapped at address 0x100000000\r\n'],
  ['E_HMP_NOT_RAM', 'Memory at address 0xfee00000 is not RAM\r\n'],
  ['E_HMP_REGION_END', 'Size of memory region at 0x1000 exceeded.\r\n'], // source only
  ['E_HMP_PAGE_NOT_PRESENT', 'Page not present\r\n'], // source only
  ['E_HMP_PAGEMAP', 'Cannot open /proc/self/pagemap: Permission denied\r\n'], // source only
  ['E_HMP_UNMAPPED', 'Unmapped\r\n'],
  ['E_HMP_NO_CPU', 'No cpu\r\n'], // source only
  ['E_HMP_NO_SNAPSHOT_DEVICE', 'Error: no block device can store vmstate for snapshot\r\n'],
  ['E_HMP_CPU_INDEX', 'invalid CPU index\r\n'],
  ['E_HMP_ERROR', "Error: Snapshot 'x' does not exist in one or more devices\r\n"],
  ['E_HMP_BAD_EXPRESSION', 'division by zero\r\nTry "help print" for more information\r\n'],
  ['E_HMP_BAD_EXPRESSION', '\')\' expected\r\nTry "help print" for more information\r\n'],
  ['E_HMP_BAD_EXPRESSION', 'unknown register\r\nTry "help print" for more information\r\n'],
];

describe('recogniseHmpFailure', () => {
  test.each(answers)('%s', (code, text) => {
    expect(recogniseHmpFailure(text)?.code).toBe(code);
  });

  test('every row of the table has an answer here, and every code is its own', () => {
    expect(new Set(answers.map(([code]) => code))).toEqual(new Set(hmpFailures.map(f => f.code)));
    expect(new Set(hmpFailures.map(f => f.code)).size).toBe(hmpFailures.length);
  });

  test.each([
    '',
    'CPU 0: MCE capability is not enabled, raising triple fault',
    'Host virtual address for 0x1000 (pc.ram) is 0x7f3d03e01000\r\n',
    'gpa: 0x1000\r\n',
    'VM status: paused (prelaunch)\r\n',
  ])('%j is no failure', text => {
    expect(recogniseHmpFailure(text)).toBeUndefined();
  });
});

describe('hmpErrorOf', () => {
  test('keeps the command line and the text, and says what to do', () => {
    const error = hmpErrorOf('mce 0 99 0x8000000000000000 0x0 0x0 0x0', 'Invalid MCE bank number\r\n');
    expect(error).toMatchObject({
      code: 'E_HMP_MCE_BANK',
      message: "'mce 0 99 0x8000000000000000 0x0 0x0 0x0': the bank does not exist",
      hint: 'QEMU gives every x86 CPU banks 0 to 9.',
      text: 'Invalid MCE bank number\r\n',
    });
  });

  test('repeats a text that says more than its code', () => {
    const text = "Error: Snapshot 'x' does not exist in one or more devices\r\n";
    expect(hmpErrorOf('loadvm x', text).message).toBe(
      "'loadvm x': the command failed: 'Error: Snapshot 'x' does not exist in one or more devices'",
    );
  });

  test('shows an unknown text made safe for a screen', () => {
    const error = hmpErrorOf('x', 'odd \u001b[31m text\r\n');
    expect(error.code).toBe('E_HMP_UNEXPECTED_OUTPUT');
    expect(error.message).toBe("'x': unexpected answer 'odd \\x1b[31m text'");
  });
});
