import { z } from 'zod';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

export const verify = defineStep({
  name: 'verify',
  schema: z.strictObject({ process: ident, page: ident }).describe('is the pattern in the page intact?'),
  means: ({ process, page }) => ({ is: 'read', process, page }),
  run: async (session, { process, page }) => {
    const { intact, bytes } = await session.agent.call('verify', { proc: process, id: page });
    session.note('process.verified', { proc: process, id: page, intact, bytes });
  },
});
