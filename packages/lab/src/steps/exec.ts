import { z } from 'zod';
import { LabError } from '../errors.ts';
import { duration, ident, ns } from './arguments.ts';
import { defineStep } from './step.ts';

export const exec = defineStep({
  name: 'exec',
  schema: z
    .strictObject({
      process: ident.describe('its name in events'),
      command: z
        .array(z.string().regex(/^[^\n\0]+$/, 'expected one line'))
        .min(1)
        .max(32)
        .refine(([program]) => program?.startsWith('/') === true, 'begins with the absolute path of a program'),
      within: duration.default('10m').describe('until it has ended'),
    })
    .describe('run a program of the guest (machine: files) to its end; what it writes goes to the console'),
  starts: ({ process }) => process,
  means: () => ({ is: 'anything' }),
  run: async (session, { process, command, within }) => {
    const after = session.agent.lastSeq;
    await session.agent.call('exec', { name: process, argv: command.join('\n'), output: '/dev/console' });
    const end = session.agent.nextEvent(event => event.name === 'exit' && event.fields['proc' as never] === process, {
      after,
      deadlineMs: ns(within) / 1e6,
      what: `the end of ${process}`,
    });
    await end.catch((cause: unknown) => {
      throw new LabError('E_LAB_WAIT', `${process} has not ended within ${within}`, { cause });
    });
  },
});
