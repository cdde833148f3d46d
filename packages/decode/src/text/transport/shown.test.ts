/** What shows a line is taken off it; what a process was called by anybody stays. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Shown } from './shown.ts';
import { unescaped } from './markup.ts';

/** What the last of some lines shows. */
const shownBy = (...lines: readonly string[]): string[] => {
  const shown = new Shown();
  return lines.map(line => shown.lines(line).map(({ text }) => text)).at(-1) ?? [];
};

const killed = (comm: string): string =>
  `Memory failure: 0x1234: Sending SIGBUS to ${comm}:1 due to hardware memory corruption`;

const STAMP = '[ 1234.567890] ';

describe.each(['<br>', '</p>', '<pre>x</pre>', 'a\u200bb', 'a│b', 'a&lt;b', '&#10;x', '","', ' | ', "'\\n'"])(
  'a process called %s keeps its line',
  comm => {
    test.each([
      '',
      STAMP,
      `Nov 30 12:00:00 host kernel: ${STAMP}`,
      'Nov 30 12:00:00 host kernel: ',
      '> ',
      `17: ${STAMP}`,
    ])('behind %j', before => {
      expect(shownBy(before + killed(comm)).join('\n')).toContain(killed(comm));
    });
  },
);

test('within a page the characters of a line are put back, and it stays one line', () => {
  const line = `${STAMP}${killed('a&lt;br&gt;b')}<br>`;
  expect(shownBy('<pre>', line)).toEqual([STAMP + killed('a<br>b')]);
  expect(shownBy('<pre>', '</pre>', line)).toEqual([line]);
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
  expect(shownBy(line)).toEqual(lines);
});

const PIECES: readonly string[] = [
  '<br>',
  '</pre>',
  '<',
  '>',
  '&lt;',
  '&gt;',
  '&#9;',
  '&#10;',
  '&#x0a;',
  '&#13;',
  '&#x1b;',
  '&#x85;',
  '&#8232;',
  '&#55357;',
  '|',
  ' ',
  '│',
  '\\n',
  "'",
  '\u200b',
  'Bank 1: be00',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 9 })), { maxLength: 20 })
  // What ends a line is no part of it.
  .map(pieces => pieces.join('').replaceAll(CONTROLS, ''));
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/g;

test('whatever a line holds, no line that it shows controls anything', () => {
  fc.assert(
    fc.property(text, fc.boolean(), (line, isPage) => {
      for (const shown of shownBy(...(isPage ? ['<pre>'] : []), line))
        expect(shown.replaceAll('\t', '')).not.toMatch(CONTROLS);
    }),
  );
  expect(unescaped('a&#9;b&#10;c&#x1b;[m')).toBe('a b&#10;c&#x1b;[m');
});

test('whatever a program wrote, its line stays one', () => {
  const prefix = fc.constantFrom(
    STAMP,
    'Nov 30 12:00:00 host logger[1]: ',
    '<13>1 2026-11-30T12:00:00Z host logger 1 - - ',
  );
  fc.assert(
    fc.property(prefix, text, fc.boolean(), (before, line, isPage) => {
      expect(shownBy(...(isPage ? ['<pre>'] : []), before + line)).toHaveLength(1);
    }),
  );
});
