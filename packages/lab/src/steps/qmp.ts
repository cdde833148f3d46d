import { z } from 'zod';
import { defineStep } from './step.ts';

/** Numbers too large for a double stand as `0x…` text in a scenario; QMP gets them as what they are. */
function exactNumbers(value: unknown): unknown {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,16}$/.test(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(exactNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, exactNumbers(v)]));
}

export const qmp = defineStep({
  name: 'qmp',
  schema: z
    .strictObject({ execute: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) })
    .describe('any QMP command; 0x… text in its arguments is sent as a number'),
  means: () => ({ is: 'anything' }),
  run: async (session, { execute, arguments: args }) => {
    await session.qmp.execute(execute, exactNumbers(args) as Record<string, unknown>);
  },
});
