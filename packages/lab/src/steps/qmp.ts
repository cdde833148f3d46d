import { z } from 'zod';
import { stringify } from '@syndrome/decode/common/hex.ts';
import type { MonitorInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { defineStep } from './step.ts';
import { exactNumbers } from './values.ts';

const schema = z
  .strictObject({
    execute: z.string(),
    arguments: z.record(z.string(), z.unknown()).default({}),
    injects: z.boolean().default(false).describe('expectations count from here'),
  })
  .describe('any QMP command; 0x… text in its arguments is sent as a number');

type Args = z.infer<typeof schema>;

const injection = ({ execute, arguments: args, injects }: Args): MonitorInjection | undefined =>
  injects ? { way: 'qmp', command: `${execute} ${stringify(args)}` } : undefined;

export const qmp = defineStep({
  name: 'qmp',
  schema,
  injection,
  legs: 'unknown',
  means: () => ({ is: 'anything' }),
  run: async (session, args) => {
    const made = injection(args);
    if (made !== undefined) session.note('lab.injected', fieldsOf(made));
    await session.qmp.execute(args.execute, exactNumbers(args.arguments) as Record<string, unknown>);
  },
});
