import { expect, test } from 'vitest';
import { LIVE_CASES, runLive } from './outlook-live.ts';

test.each(LIVE_CASES.map(c => [c.name, c] as const))('%s', async (_, live) => {
  expect(await runLive(live)).toMatchObject({ outcome: live.outcome, verdict: 'pass', outlook: 'pass' });
});
