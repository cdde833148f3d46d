import { z } from 'zod';
import { stringify } from '@syndrome/decode/common/hex.ts';
import type { MonitorInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { defineStep } from './step.ts';

/** Numbers too large for a double stand as `0x…` text in a scenario; QMP gets them as what they are. */
export function exactNumbers(value: unknown): unknown {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,16}$/.test(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(exactNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, exactNumbers(v)]));
}

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
