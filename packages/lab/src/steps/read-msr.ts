import { z } from 'zod';
import { LabError } from '../errors.ts';
import { u64 } from './arguments.ts';
import { defineStep } from './step.ts';
import { valueIn } from './values.ts';

export const readMsr = defineStep({
  name: 'read-msr',
  schema: z
    .strictObject({
      layer: z.enum(['guest', 'host']).default('guest'),
      cpu: z.int().min(0).max(255).default(0),
      msr: u64.describe('address of the register, e.g. 0x179 for IA32_MCG_CAP'),
    })
    .describe('read a model-specific register through /dev/cpu/N/msr (module msr)'),
  run: async (session, { layer, cpu, msr }) => {
    const agent = layer === 'host' ? session.host : session.agent;
    if (!agent) throw new LabError('E_LAB_NO_HOST', 'this machine has no host layer');
    const address = valueIn(session)(msr);
    const bytes = await agent.readBytes(`/dev/cpu/${cpu}/msr`, { max: 8, offset: address });
    if (bytes.length !== 8) throw new LabError('E_LAB_MSR', `MSR 0x${address.toString(16)} gave ${bytes.length} bytes`);
    session.note(`${layer}.msr`, { cpu, msr: address, value: bytes.readBigUInt64LE() });
  },
});
