import { z } from 'zod';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

export const spawn = defineStep({
  name: 'spawn',
  schema: z.strictObject({ process: ident }).describe('start a subject process in the guest'),
  starts: args => args.process,
  run: async (session, { process }) => {
    await session.agent.call('spawn', { name: process });
  },
});
