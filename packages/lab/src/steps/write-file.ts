import { z } from 'zod';
import type { MonitorInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { agentOf, deed, injectsFlag, layer, refused } from './deed.ts';
import { defineStep } from './step.ts';
import { filled } from './values.ts';

const schema = z
  .strictObject({
    layer,
    path: z
      .string()
      .regex(/^\//, 'expected an absolute path')
      .describe('of a file that exists, in sysfs or debugfs perhaps'),
    value: z
      .union([z.string(), z.number().refine(Number.isSafeInteger, 'write a number this large as a text')])
      .describe(
        'what is written at once, with a line feed behind it as `echo` does; $name in it stands for a saved value',
      ),
    refused,
    injects: injectsFlag,
  })
  .describe('write a file in a layer: sysfs, debugfs, procfs');

type Args = z.infer<typeof schema>;

const injection = ({ path, value, injects }: Args): MonitorInjection | undefined =>
  injects ? { way: 'write-file', command: `echo ${value} > ${path}` } : undefined;

export const writeFile = defineStep({
  name: 'write-file',
  schema,
  injection,
  legs: 'unknown',
  means: () => ({ is: 'anything' }),
  run: async (session, args) => {
    const { path } = args;
    const value = filled(String(args.value), session.values);
    const made = injection({ ...args, value });
    if (made !== undefined) session.note('lab.injected', fieldsOf(made));
    const agent = agentOf(session, args.layer);
    const error = await deed(agent.call('write', { path, value: `${value}\n` }, { deadlineMs: 60_000 }), args.refused);
    session.note(`${args.layer}.written`, { path, value, ...(error === undefined ? {} : { error }) });
  },
});
