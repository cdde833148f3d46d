import { z } from 'zod';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

export const spin = defineStep({
  name: 'spin',
  schema: z
    .strictObject({ process: ident, page: ident, cpu: z.int().min(0).max(63).default(0) })
    .describe('read the page in a loop in user mode on one CPU'),
  means: ({ process, page, cpu }) => ({ is: 'read', process, page, onCpu: cpu }),
  run: async (session, { process, page, cpu }) => {
    await session.agent.call('spin', { proc: process, id: page, cpu });
  },
});
