import { z } from 'zod';
import { AgentError } from '../guest/errors.ts';
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
        .enum(['write', 'read', 'copy'])
        .default('write')
        .describe(
          'write(2) from the page: the kernel reads it; read(2) into it: the kernel writes it; copy: process_vm_readv(2), the kernel reads it where its own mapping has it',
        ),
    })
    .describe('let the kernel use the page in a system call: it is the kernel that meets the error'),
  means: ({ process, page }) => ({ is: 'kernel-read', process, page }),
  run: async (session, { process, page, at, call }) => {
    const called = session.agent.call('system-call', { proc: process, id: page, at, call });
    // An oops ends the process, and with it the answer.
    const reply = await called.catch((error: unknown) => {
      if (error instanceof AgentError && error.errno === 'ESRCH') return undefined;
      throw error;
    });
    if (!reply) return;
    const { result, errno } = reply;
    const error = errno === undefined ? {} : { error: errno };
    session.note('process.called', { proc: process, id: page, call, result, ...error });
  },
});
