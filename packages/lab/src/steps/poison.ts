import { z } from 'zod';
import { processWay } from '@syndrome/decode/inject/poison.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

const schema = z
  .strictObject({
    process: ident,
    page: ident,
    how: z.enum(['madvise', 'soft-offline', 'userfaultfd']).default('madvise'),
  })
  .describe(
    'madvise(MADV_HWPOISON) or madvise(MADV_SOFT_OFFLINE) by the process itself, or a poison marker in place of the page (UFFDIO_POISON)',
  );

const injection = ({ process, page, how }: z.infer<typeof schema>) => ({ way: processWay(how), process, page });

export const poison = defineStep({
  name: 'poison',
  schema,
  injection,
  legs: 'unknown',
  run: async (session, args) => {
    session.note('lab.injected', fieldsOf(injection(args)));
    await session.agent.call('poison', { proc: args.process, id: args.page, how: args.how });
  },
});
