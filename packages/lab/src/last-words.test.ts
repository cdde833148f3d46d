import { expect, test } from 'vitest';
import { lastWords } from './last-words.ts';
import type { Layer, Source, TraceEvent } from '@syndrome/trace/event.ts';

const said = (...rows: [Layer, Source, string][]): TraceEvent[] =>
  rows.map(([layer, source, raw], i) => ({ seq: i + 1, t: i, layer, source, raw }));

const events = said(
  ['host', 'console', 'one'],
  ['vmm', 'stderr', 'syndrome-vmm: no capability'],
  ['guest', 'console', 'two'],
  ['vmm', 'stderr', 'came with Linux 6.19'],
  ['vmm', 'events', '{}'],
  ['host', 'console', 'three'],
  ['host', 'console', 'four'],
);

test.each([
  [true, events, '; the VMM said: syndrome-vmm: no capability / came with Linux 6.19'],
  [false, events, "; the console's last lines: two / three / four"],
  [true, said(['machine', 'stderr', 'of the outer QEMU'], ['host', 'console', 'x']), "; the console's last lines: x"],
  [true, said(), '; the console is silent'],
])('the VMM has ended: %s', (vmmEnded, trace, words) => {
  expect(lastWords(trace, vmmEnded)).toBe(words);
});
