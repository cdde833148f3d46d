import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { LabError } from '../errors.ts';
import { duration, ident, ns } from './arguments.ts';
import { defineStep } from './step.ts';

/** ms between two questions. */
const ASK_MS = 50;

export const translate = defineStep({
  name: 'translate',
  schema: z
    .strictObject({
      process: ident,
      page: ident,
      as: ident.describe('saved as $as: the physical address now'),
      moved: duration.optional().describe('ask again so long, until it is another one than the page was mapped at'),
    })
    .describe('ask the guest where a mapped page is now: it may have been moved since'),
  saves: ({ as }) => [as],
  run: async (session, { process, page, as, moved = '0s' }) => {
    const deadline = session.recorder.now() + ns(moved);
    for (;;) {
      const { phys } = await session.agent.call('translate', { proc: process, id: page });
      const again = session.recorder.now() < deadline && (phys === undefined || phys === session.values.get(page));
      if (!again) {
        if (phys === undefined) throw new LabError('E_LAB_MAP', `the agent did not tell where the page "${page}" is`);
        return session.save(as, phys);
      }
      await sleep(ASK_MS);
    }
  },
});
