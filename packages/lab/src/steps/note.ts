import { z } from 'zod';
import { defineStep } from './step.ts';

export const note = defineStep({
  name: 'note',
  schema: z.strictObject({ text: z.string() }).describe('a remark in the trace'),
  means: () => ({ is: 'nothing' }),
  run: async (session, { text }) => {
    session.note('lab.note', { text });
  },
});
