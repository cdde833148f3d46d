import { z } from 'zod';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { MonitorInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { u64 } from './arguments.ts';
import { agentOf, deed, injectsFlag, layer, refused } from './deed.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    layer,
    cpu: z.int().min(0).max(255).default(0),
    msr: u64.describe('address of the register, e.g. 0x17b for IA32_MCG_CTL'),
    value: u64,
    refused,
    injects: injectsFlag,
  })
  .describe(
    'write a model-specific register through /dev/cpu/N/msr (module msr; msr.allow_writes=on keeps the kernel quiet)',
  );

type Args = z.infer<typeof schema>;

function injection({ cpu, msr, value, injects }: Args, resolve: Value): MonitorInjection | undefined {
  if (!injects) return undefined;
  return { way: 'write-msr', command: `wrmsr -p ${cpu} 0x${resolve(msr).toString(16)} ${hex64(resolve(value))}` };
}

export const writeMsr = defineStep({
  name: 'write-msr',
  schema,
  injection,
  legs: 'unknown',
  means: () => ({ is: 'anything' }),
  run: async (session, args) => {
    const resolve = valueIn(session);
    const [msr, value] = [resolve(args.msr), resolve(args.value)];
    const made = injection(args, resolve);
    if (made !== undefined) session.note('lab.injected', fieldsOf(made));
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    const agent = agentOf(session, args.layer);
    const write = agent.call('write', { path: `/dev/cpu/${args.cpu}/msr`, value: bytes, offset: msr });
    const error = await deed(write, args.refused);
    session.note(`${args.layer}.msr-written`, {
      cpu: args.cpu,
      msr,
      value,
      ...(error === undefined ? {} : { error }),
    });
  },
});
