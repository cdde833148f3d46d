import { z } from 'zod';
import { linuxMcesIn, mcaOfStructMce } from '@syndrome/decode/cper/linux-mce.ts';
import { defineStep } from './step.ts';

/** Where the agent mounts pstore. */
const FOLDER = '/sys/fs/pstore';

export const errorRecords = defineStep({
  name: 'error-records',
  schema: z
    .strictObject({})
    .describe('read and decode what the kernel has saved over the reset (pstore, by ERST: `erst: true`)'),
  run: async (session, _args) => {
    const names = (await session.agent.readText(FOLDER)).split('\n').filter(name => name !== '');
    for (const name of names.toSorted()) {
      const bytes = await session.agent.readBytes(`${FOLDER}/${name}`);
      session.note('guest.saved-record', { name, bytes: bytes.length });
      for (const one of linuxMcesIn(bytes) ?? []) session.recordMachineCheck(mcaOfStructMce(one), 'pstore');
    }
  },
});
