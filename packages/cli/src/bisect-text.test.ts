/** What a bisection says it has found. */
import { expect, test } from 'vitest';
import { KNOWN_CAUSES, causesOf } from '@syndrome/trace/expect/causes.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import { causesOfRuns, foundLines } from './bisect-text.ts';

const look = { style: (_part: unknown, text: string) => text, width: 100 };
const FOUND = {
  axis: 'kernel',
  change: 'good to bad',
  first: '6.19.6',
  last: '6.18.15',
  tried: [],
  untested: [],
  unsteady: [],
} as const;

/** What a guest of the bad kernel shows: it writes a register that does not exist, and panics. */
const BAD = [
  { name: 'guest.msr-error', fields: { access: 'WRMSR', msr: 0xc000_2098n, value: 0n } },
  { name: 'guest.panic', fields: { message: 'MCA architectural violation!' } },
] as unknown as TraceEvent[];

test('a bisection says the cause that its runs show, once, as a run does', () => {
  const bad = { causes: causesOf(BAD) };
  const causes = causesOfRuns([{ causes: [] }, bad, bad]);
  expect(causes.map(cause => cause.id)).toEqual([KNOWN_CAUSES[0]?.id]);
  const lines = foundLines(
    'amd-deferred',
    { ...FOUND, tried: [], untested: [], unsteady: [], causes },
    new Map(),
    look,
  );
  expect(lines.slice(0, 2)).toEqual(['first bad kernel: 6.19.6', 'last good kernel: 6.18.15; 2 runs']);
  const words = lines.slice(2).join(' ').replaceAll(/\s+/g, ' ');
  expect(words).toContain(`Known cause (${KNOWN_CAUSES[0]?.id ?? ''}): ${KNOWN_CAUSES[0]?.text ?? ''}`);
  expect(words).toContain(KNOWN_CAUSES[0]?.history);
  expect(words.split('Known cause')).toHaveLength(2);
});

test('and none where they show none', () => {
  const found = { ...FOUND, tried: [], untested: ['6.19.0'], unsteady: [], causes: causesOfRuns([{ causes: [] }]) };
  const results = new Map([['6.19.0', { problem: { code: 'E_QEMU', message: 'it did not start' } }]]);
  expect(foundLines('amd-deferred', found, results as never, look)).toEqual([
    'first bad kernel: 6.19.6',
    'last good kernel: 6.18.15; 2 runs',
    'could not be tested: 6.19.0, E_QEMU: it did not start',
  ]);
});
