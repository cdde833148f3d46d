import { z } from 'zod';
import { gpa2hpa as translate } from '@syndrome/qemu/qmp/translate.ts';
import { ident, u64 } from './arguments.ts';
import { defineStep } from './step.ts';
import { valueIn } from './values.ts';

export const gpa2hpa = defineStep({
  name: 'gpa2hpa',
  schema: z
    .strictObject({ address: u64, as: ident.describe('saved as $as: the physical address in the host layer') })
    .describe('ask the VMM where a guest page is in the memory of its host (monitor command gpa2hpa)'),
  saves: ({ as }) => [as],
  means: ({ address, as }) => ({ is: 'translation', address, as }),
  run: async (session, { address, as }) => {
    const gpa = valueIn(session)(address);
    const { address: hpa } = await translate(session.qmp, gpa);
    session.localHost?.guestPage(gpa, hpa);
    session.save(as, hpa);
  },
});
