import { z } from 'zod';
import { duration, ns } from './arguments.ts';
import { defineStep } from './step.ts';

export const alive = defineStep({
  name: 'alive',
  schema: z
    .strictObject({ within: duration.default('10s') })
    .describe('ask the guest whether it still answers: guest.alive, or guest.silent'),
  run: async (session, { within }) => {
    try {
      const { kernel } = await session.agent.call('hello', {}, { deadlineMs: ns(within) / 1e6 });
      session.note('guest.alive', { kernel });
    } catch (error) {
      if (session.signal.aborted) throw error;
      session.note('guest.silent', { reason: error instanceof Error ? error.message : String(error) });
    }
  },
});
