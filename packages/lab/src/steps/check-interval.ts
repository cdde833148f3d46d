import { z } from 'zod';
import { defineStep } from './step.ts';

export const checkInterval = defineStep({
  name: 'check-interval',
  schema: z
    .strictObject({ seconds: z.int().min(1).max(3600) })
    .describe('how often Linux polls the machine check banks'),
  means: ({ seconds }) => ({ is: 'poll', seconds }),
  run: async (session, { seconds }) => {
    await session.agent.call('check-interval', { seconds });
  },
});
