/** A line costs as much as it is long, whatever it holds: twice the length takes about twice the processor time. */
import { expect, test } from 'vitest';
import { decode } from './decoder.ts';

/** What opens a form that is looked for to its end, and what such a form may consist of. */
const HEADS = ['', "'", '"', "b'", '<p>', '<m>', '| ', '│', '"a,', '[ 1.000000] ', '{"a":"', '&gt; '];
const PIECES: readonly string[] = [
  '\\',
  '\\n',
  String.raw`\"`,
  '"',
  "'",
  '","',
  '""',
  '<a>',
  '</a>',
  '<',
  '>',
  '&lt;',
  '&',
  '|',
  ' | ',
  ' ',
  '\t',
  '[',
  '[ 1',
  '] ',
  '(',
  '=',
  '=3D',
  'a',
  '0',
  'a ',
  'a: ',
  'a:',
  '.',
  '/',
  '\u00a0',
  '\u200b',
  '│',
  ' │',
  '`',
  '43 ',
  '43',
  '67,80,69,82,',
  'Q1BFUg',
  '0x43, ',
  String.raw`\x43`,
  '[Hardware Error]: ',
  'EDAC MC0: ',
  'Comm: ',

  'Killing ',
  'Bank 4: ',
  'TSC 0 ',
  '(XEN) ',
  '[ 1.000000] ',
  'Reason:x Message:',
  'MCA: ',
  '\u001b[',
  '{"a":',
  '["',
];
const TAILS = ['x EDAC mce', 'x mce: <br>', "x EDAC'x"];

/** Processor time of the quickest of some, in µs. */
function cost(line: string, rounds: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const before = process.cpuUsage();
    decode(`Linux version 6.12\n${line}\n`);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

const long = (head: string, piece: string, tail: string, length: number): string =>
  head + piece.repeat(Math.ceil(length / piece.length)).slice(0, length) + tail;

test('a line of 64 KiB against one of 32', () => {
  const usual = Math.max(1, cost(long('', 'usb 1-1: new ', 'x EDAC mce', 65_000), 8));
  const slow: string[] = [];
  for (const head of HEADS)
    for (const piece of PIECES)
      for (const tail of TAILS) {
        // Only what costs far more than other lines is looked at again.
        const line = (length: number): string => long(head, piece, tail, length);
        if (cost(line(32_500), 1) < 50 * usual) continue;
        const [half, whole] = [cost(line(32_500), 5), cost(line(65_000), 5)];
        if (whole > 100 * usual && whole / half > 3) slow.push(`${head}${piece}…${tail}: ${(whole / half).toFixed(1)}`);
      }
  expect(slow).toEqual([]);
}, 120_000);
