/** What shows a line is taken off it; what a process was called by anybody stays. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unwrapped } from './shown.ts';

const killed = (comm: string): string =>
  `Memory failure: 0x1234: Sending SIGBUS to ${comm}:1 due to hardware memory corruption`;

test.each(['<br>', '</p>', '<pre>x</pre>', 'a\u200bb', 'a│b'])('a process called %s keeps its line', comm => {
  expect(unwrapped(killed(comm))).toBe(undefined);
});

test.each([
  ['<span>a &lt; b</span><br>', ['a < b']],
  ['<p>one<br>two</p>', ['one', 'two']],
  ['\u200bone\u200b', ['one']],
  ['one\u00a0two', ['one two']],
  ['│ one │', ['one']],
  ['| one | `two` |', ['one', 'two']],
  [String.raw`'one\ntwo'`, ['one', 'two']],
])('%j shows %j', (line, lines) => {
  expect(unwrapped(line)).toEqual(lines);
});

test('whatever it is given, it comes to an end, and no line that it shows is one of several', () => {
  const piece = fc.constantFrom(
    '<br>',
    '</pre>',
    '<',
    '>',
    '&lt;',
    '&#9;',
    '|',
    ' ',
    '│',
    '\\n',
    "'",
    '\u200b',
    'Bank 1: be00',
  );
  const line = fc
    .array(fc.oneof(piece, fc.string({ maxLength: 9 })))
    .map(pieces => pieces.join('').replaceAll('\n', ''));
  fc.assert(
    fc.property(line, text => {
      for (const shown of unwrapped(text) ?? []) expect(shown).not.toContain('\n');
    }),
  );
});
