import { z } from 'zod';
import { defineStep } from './step.ts';

export const resume = defineStep({
  name: 'resume',
  schema: z.strictObject({}).describe('let the virtual CPUs run again'),
  means: () => ({ is: 'go' }),
  run: async session => {
    await session.qmp.execute('cont');
  },
});
