import { z } from 'zod';
import type { MonitorInjection } from '@syndrome/decode/inject/injection.ts';
import { isMce } from '@syndrome/decode/inject/mce-command.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { QmpClosedError } from '@syndrome/qemu/qmp/errors.ts';
import { defineStep } from './step.ts';

const schema = z
  .strictObject({
    command: z.string().min(1),
    injects: z.boolean().default(false).describe('expectations count from here'),
  })
  .describe('any monitor command; mce counts as an injection');

const injection = ({ command, injects }: z.infer<typeof schema>): MonitorInjection | undefined =>
  injects || isMce(command) ? { way: 'hmp', command } : undefined;

export const hmp = defineStep({
  name: 'hmp',
  schema,
  injection,
  legs: 'unknown',
  means: () => ({ is: 'anything' }),
  run: async (session, args) => {
    const sent = session.recorder.now();
    const made = injection(args);
    const accepted = (): void => {
      if (made !== undefined) session.note('lab.injected', { ...fieldsOf(made), sent });
    };
    try {
      await session.hmp(args.command);
    } catch (error) {
      // A VMM that ends of a command does not answer it.
      if (error instanceof QmpClosedError) accepted();
      throw error;
    }
    accepted();
  },
});
