import { z } from 'zod';
import { defineStep } from './step.ts';

export const mcelog = defineStep({
  name: 'mcelog',
  schema: z.strictObject({}).describe('read and decode the records that wait in /dev/mcelog of a Xen dom0'),
  run: async session => {
    const { decodeXenMcelog } = await import('@syndrome/decode/mca/xen-mcelog.ts');
    const bytes = await session.agent.readBytes('/dev/mcelog');
    for (const record of decodeXenMcelog(bytes)) session.recordMachineCheck(record, 'mcelog');
  },
});
