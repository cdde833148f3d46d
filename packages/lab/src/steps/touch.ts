import { z } from 'zod';
import { AgentError } from '../guest/errors.ts';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

export const touch = defineStep({
  name: 'touch',
  schema: z
    .strictObject({
      process: ident,
      page: ident,
      at: z.int().min(0).max(262143).default(0).describe('which 4k page of the mapping'),
      write: z.boolean().default(false),
    })
    .describe('read (or write) the page once'),
  means: ({ process, page }) => ({ is: 'read', process, page }),
  run: async (session, { process, page, at, write }) => {
    // Without a handler the signal kills the process, and with it the answer.
    const reply = await session.agent.call('touch', { proc: process, id: page, at, write }).catch((error: unknown) => {
      if (error instanceof AgentError && error.errno === 'ESRCH') return undefined;
      throw error;
    });
    if (!reply) return;
    const { value, signal, codename } = reply;
    const result = value === undefined ? { signal: `${signal} ${codename}` } : { value };
    session.note('process.touched', { proc: process, id: page, ...(at === 0 ? {} : { at }), ...result });
  },
});
