import { z } from 'zod';
import { defineStep } from './step.ts';

export const mendWalk = defineStep({
  name: 'mend-walk',
  schema: z
    .strictObject({})
    .describe('wait until the stage-2 descriptor is put back, which happens as soon as the error is consumed'),
  run: async session => {
    await Promise.all(session.pending.splice(0));
  },
});
