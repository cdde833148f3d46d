/** Debian's rasdaemon in guests of the lab, beside ours: the same registers, and no disagreement that nobody has judged. */
import { expect, test } from 'vitest';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { RAS_GUESTS } from '../scripts/differential/rasdaemon/records.ts';
import { runAll } from '../scripts/differential/rasdaemon/run-all.ts';

test('what rasdaemon prints and stores is what was injected, and what it says apart is judged', async ({ signal }) => {
  const { guests, comparisons } = await runAll(await Supply.open(), signal);
  expect(guests.map(g => g.guest).toSorted()).toEqual(RAS_GUESTS.map(g => g.name).toSorted());
  for (const { guest, records, lines, rows, wrong } of guests) {
    expect({ guest, lines, rows, wrong }).toEqual({ guest, lines: records, rows: records, wrong: [] });
  }
  for (const { open, idle } of Object.values(comparisons)) expect([open, idle]).toEqual([[], []]);
}, 600_000);
