/** What a mail escapes is undone within the mail, and nowhere else. */
import { expect, test } from 'vitest';
import { decode } from './decoder.ts';

const HEADER = 'Content-Transfer-Encoding: quoted-printable';
const killed = (comm: string): string =>
  `Memory failure: 0x5000: Sending SIGBUS to ${comm}:17 due to hardware memory corruption`;
const commsOf = (...lines: readonly string[]): unknown[] =>
  decode(`${lines.join('\n')}\n`).records.map(({ raw }) => (raw as { fields?: { comm?: unknown } }).fields?.comm);
/** As a mail breaks it. */
const sent = (line: string): string[] => [`${line.slice(0, 70)}=`, line.slice(70)];

const LINE = killed('a=3Db');
const STAMPED = `[ 1234.567890] ${LINE}`;

test.each<[what: string, lines: readonly string[], comms: readonly string[]]>([
  ['the text of a mail', ['Subject: x', HEADER, '', ...sent(LINE)], ['a=b']],
  [
    'a part of one',
    ['--xyz1', 'Content-Type: text/plain;', ' charset=utf-8', HEADER, '', ...sent(LINE), '--xyz1--'],
    ['a=b'],
  ],
  ['what stands behind a part', [HEADER, '', 'text', '--xyz1--', LINE], ['a=3Db']],
  ['another part', [HEADER, '', 'text', '--xyz1', 'Content-Type: text/plain', '', LINE], ['a=3Db']],
  ['a log in which the words stand', [HEADER, LINE], ['a=3Db']],
  ['a log in which head and text stand', [HEADER, '', `[    1.000000] ${'x'.repeat(80)}`, LINE], ['a=3Db']],
  ['a line that is too long for a mail', [HEADER, '', STAMPED], ['a=3Db']],
  ['what controls', [HEADER, '', ...sent(killed('a=0Ab'))], ['a=0Ab']],
])('%s', (_what, lines, comms) => {
  expect(commsOf('Linux version 6.12', ...lines)).toEqual(comms);
});

test('a line whose words stand in its second piece is read from its beginning', () => {
  const line = `Nov 30 12:00:00 host logger: ${'x'.repeat(50)} [ 1.000000] ${killed('a')}`;
  expect(commsOf(HEADER, '', `${line.slice(0, 75)}=`, `${line.slice(75, 150)}=`, line.slice(150))).toEqual([]);
});
