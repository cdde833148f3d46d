import { z } from 'zod';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { NamedEvent } from '@syndrome/trace/event.ts';
import { LabError } from '../errors.ts';
import { ident, u64 } from './arguments.ts';
import { defineStep } from './step.ts';
import { valueIn } from './values.ts';

export const vmmPage = defineStep({
  name: 'vmm-page',
  schema: z
    .strictObject({ address: u64, as: ident.describe('saved as $as: the physical address in the host layer') })
    .describe('ask the reference VMM where a guest page is in the memory of its host'),
  saves: ({ as }) => [as],
  means: ({ address, as }) => ({ is: 'translation', address, as }),
  run: async (session, { address, as }) => {
    const gpa = valueIn(session)(address);
    const from = session.recorder.index.named('vmm.page').length;
    session.control({ cmd: 'page', gpa: hex64(gpa) });
    const deadline = session.recorder.now() + 30e9;
    const answer = (): NamedEvent<'vmm.page'> | undefined => session.recorder.index.named('vmm.page')[from];
    while (!answer() && session.recorder.now() < deadline) await session.nextEvent(1000, e => e.name === 'vmm.page');
    const hpa = answer()?.fields?.hpa;
    if (typeof hpa !== 'bigint') throw new LabError('E_LAB_PAGE', `the VMM did not tell where ${hex64(gpa)} is`);
    session.save(as, hpa);
  },
});
