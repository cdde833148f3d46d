import { z } from 'zod';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { u64 } from './arguments.ts';
import { defineStep } from './step.ts';
import { valueIn } from './values.ts';

export const quarantine = defineStep({
  name: 'quarantine',
  schema: z.strictObject({ address: u64 }).describe('tell the reference VMM to take a page out of the guest'),
  run: async (session, { address }) => {
    session.control({ cmd: 'quarantine', gpa: hex64(valueIn(session)(address)) });
  },
});
