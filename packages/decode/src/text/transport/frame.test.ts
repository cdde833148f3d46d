import { describe, expect, it } from 'vitest';
import { frameOf, mayBeFramed } from './frame.ts';

const text = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;

describe('what stands around each line is taken off it:', () => {
  it.each([
    ['numbers, and the indentation stays', text('7: a', '8: b'), '9:   c', '  c'],
    ['columns of numbers', text('     1\ta', '     2\tb'), '     3\t', ''],
    ['times', text('2026-11-30T06:30:14.1Z a', '2026-11-30T06:30:14.1Z b'), '2026-11-30T06:30:15Z   c', '  c'],
    ['the last column of a table', text('t,"a"', 't,"b"'), 't,"say ""c"""', 'say "c"'],
    ['a border', text('a   │', 'b   │'), 'c   │', 'c'],
    ['marks of a quotation', text('>> a', '>> b'), '>>   c', '  c'],
    ['several, one in another', text('1: [pod/x/y] a', '2: [pod/x/y] b'), '3: [pod/x/y] c', 'c'],
    ['of the lines of a list', text('- item', '  ```', '  a', '  b', '  c'), '    d', '  d'],
  ])('%s', (_what, head, line, alone) => {
    expect(frameOf(head)?.(line)).toBe(alone);
  });
});

describe('nothing is taken off', () => {
  it.each([
    [
      'lines of syslog, which say whose they are',
      '2026-11-30T06:30:14+01:00 db1 logger: a',
      '2026-11-30T06:30:14Z db1 x: b',
    ],
    ['numbers that do not rise', '7: a', '7: b'],
    ["the kernel's stamp", '[1.5] a', '[2.5] b'],
    ['members of an object', '  "a": "x",', '  "b": "y"'],
    ['a list of numbers', '    67,', '    80,'],
    ['fields that differ', 'db1\tlogger\ta', 'db2\tkernel\tb'],
  ])('%s', (_what, ...lines) => {
    expect(frameOf(text(...lines))).toBeUndefined();
  });

  it('a line that has it not', () => {
    expect(frameOf(text('7: a', '8: b'))?.('c')).toBeUndefined();
  });
});

it('is known after four lines at most, so that a live pipe waits no longer', () => {
  const lines = ['7: a', '8: b', '9: c', '10: d'];
  expect(lines.map((_, i) => mayBeFramed(text(...lines.slice(0, i + 1))))).toEqual([true, true, true, false]);
  expect(mayBeFramed('[    1.234567] a\n')).toBe(false);
});
