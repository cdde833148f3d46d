import { z } from 'zod';
import { LabError } from '../errors.ts';
import { AgentError } from '../guest/errors.ts';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

export const map = defineStep({
  name: 'map',
  schema: z
    .strictObject({
      process: ident,
      as: ident.describe('saved as $as (physical address) and $as.virt'),
      pages: z.int().min(1).max(65536).default(1),
      size: z.enum(['4k', '2m', '1g']).default('4k'),
      sharing: z.enum(['private', 'shared', 'hugetlb']).default('private'),
      kill: z.enum(['early', 'late', 'default']).default('default').describe('PR_MCE_KILL policy of the process'),
      node: z.int().min(0).max(63).optional().describe('NUMA node that the pages come from'),
    })
    .describe('map and fill pages in a subject process'),
  saves: ({ as }) => [as, `${as}.virt`],
  means: ({ process, as, size, sharing, kill }) => ({
    is: 'page',
    process,
    as,
    size,
    private: sharing === 'private',
    early: kill === 'early',
  }),
  run: async (session, args) => {
    const { process, as, pages, size, sharing, kill, node } = args;
    const ask = () => session.agent.call('map', { proc: process, id: as, pages, size, kind: sharing, kill, node });
    const reply = await ask().catch(async (error: unknown) => {
      if (!(error instanceof AgentError && error.errno === 'EOPNOTSUPP' && size !== '4k')) throw error;
      // No free huge page at this moment: memory is put together, and the guest asked once more.
      await session.agent.call('write', { path: '/proc/sys/vm/compact_memory', value: '1' });
      return ask();
    });
    const { phys, virt } = reply;
    if (phys === undefined) {
      throw new LabError('E_LAB_MAP', `the agent did not tell where the pages of "${as}" are`);
    }
    session.note('process.mapped', { proc: process, id: as, virt, phys, pages });
    session.save(as, phys);
    session.save(`${as}.virt`, virt);
  },
});
