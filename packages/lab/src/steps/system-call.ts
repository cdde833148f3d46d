import { z } from 'zod';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

export const systemCall = defineStep({
  name: 'system-call',
  schema: z
    .strictObject({
      process: ident,
      page: ident,
      at: z.int().min(0).max(262143).default(0).describe('which 4k page of the mapping'),
      call: z
        .enum(['write', 'read'])
        .default('write')
        .describe('write(2) from the page: the kernel reads it; read(2) into the page: the kernel writes it'),
    })
    .describe('let the kernel use the page in a system call: it is the kernel that meets the error'),
  means: () => ({ is: 'anything' }),
  run: async (session, { process, page, at, call }) => {
    const { result, errno } = await session.agent.call('system-call', { proc: process, id: page, at, call });
    const error = errno === undefined ? {} : { error: errno };
    session.note('process.called', { proc: process, id: page, call, result, ...error });
  },
});
