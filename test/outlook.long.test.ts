import { expect, test } from 'vitest';
import { MORE_LIVE_CASES, runLive } from './outlook-live.ts';

test.each(MORE_LIVE_CASES.map(c => [c.name, c] as const))('%s', async (_, live) => {
  expect(await runLive(live)).toMatchObject({ outcome: live.outcome, verdict: 'pass', outlook: 'pass' });
});
