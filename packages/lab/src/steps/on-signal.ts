import { z } from 'zod';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

export const onSignal = defineStep({
  name: 'on-signal',
  schema: z
    .strictObject({ process: ident, action: z.enum(['report', 'default', 'exit']) })
    .describe('report: handler tells the lab and goes on; default: the kernel kills; exit: handler exits'),
  means: ({ process, action }) => ({ is: 'handler', process, handles: action !== 'default' }),
  run: async (session, { process, action }) => {
    await session.agent.call('on-signal', { proc: process, action });
  },
});
