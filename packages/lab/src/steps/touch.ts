import { z } from 'zod';
import { AgentError } from '../guest/errors.ts';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

export const touch = defineStep({
  name: 'touch',
  schema: z
    .strictObject({ process: ident, page: ident, write: z.boolean().default(false) })
    .describe('read (or write) the page once'),
  means: ({ process, page }) => ({ is: 'read', process, page }),
  run: async (session, { process, page, write }) => {
    // Without a handler the signal kills the process, and with it the answer.
    const reply = await session.agent.call('touch', { proc: process, id: page, write }).catch((error: unknown) => {
      if (error instanceof AgentError && error.errno === 'ESRCH') return undefined;
      throw error;
    });
    if (!reply) return;
    const { value, signal, codename } = reply;
    const result = value === undefined ? { signal: `${signal} ${codename}` } : { value };
    session.note('process.touched', { proc: process, id: page, ...result });
  },
});
