/** A process may be called anything, and its message is read. */
import { describe, expect, test } from 'vitest';
import { decode } from './decoder.ts';
import { NAMES } from '../text/testing/forgeries.ts';

const PREFIXES = [
  '',
  '[ 1234.567890] ',
  '[ 1234.567890][  T123] ',
  'Nov 30 12:00:00 host kernel: [ 1234.567890] ',
  '> ',
];

const commsOf = (line: string): unknown[] =>
  decode(`${line}\n`).records.map(({ raw }) => (raw as { fields?: { comm?: unknown } }).fields?.comm);

describe.each(NAMES)('a process called %j', comm => {
  test.each(PREFIXES)('behind %j', prefix => {
    const killed = `${prefix}Memory failure: 0x5000: Sending SIGBUS to ${comm}:17 due to hardware memory corruption`;
    expect(commsOf(killed)).toEqual([comm.trim()]);
    // Linux before 4.2 says it without what only the kernel begins a message with.
    if (!prefix.includes('[')) return;
    expect(commsOf(`${prefix}MCE: Killing ${comm}:17 due to hardware memory corruption fault at 7f0000001000`)).toEqual(
      [comm.trim()],
    );
  });
});

test.each(['a', 'a b', 'Web Content', 'a[b', 'a: b'])('an arm64 process called %j', comm => {
  const line = `${comm}[123]: unhandled exception: DABT (lower EL), ESR 0x0000000092000410, synchronous external abort in a.out[400000+1000]`;
  for (const prefix of PREFIXES) {
    const { records } = decode(`${prefix}${line}\n`);
    expect(
      records.map(r => r.kind),
      prefix,
    ).toEqual(['arm-sea']);
  }
});
