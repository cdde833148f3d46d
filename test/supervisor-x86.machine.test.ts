/** The drill that a newcomer runs, and its story beside that of arm64 (docs/parity.md). */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { drillDemo } from '@syndrome/cli/drill/demo.ts';
import { factsOfLedger } from '@syndrome/cli/drill/ledger.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { storyOf, storyText } from './parity.ts';

test('the drill ends as it has to, and its ledger tells the story of the docs', async () => {
  const told: string[] = [];
  const { folder = '', ...report } = await drillDemo({
    services: { supply: await Supply.open() },
    signal: AbortSignal.timeout(400_000),
    onMoment: ({ what }) => told.push(what),
    keep: true,
  });
  try {
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ verdict: 'pass', distinctPages: 3, copiesMax: 1, replay: 'same' });
    expect(told).toContain('the guest answers on host b');
    const ledger = join(folder, 'c/ledger/ledger.sqlite');
    // The VM has another id in each run.
    const vm = (await factsOfLedger(ledger, '')).incidents.find(i => i.vm !== undefined)?.vm ?? '';
    const facts = await factsOfLedger(ledger, vm);
    await expect(storyText(storyOf(facts, 'drill-vm'))).toMatchFileSnapshot('golden/parity-x86-64.json');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
