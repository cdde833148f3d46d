import { z } from 'zod';
import { LabError } from '../errors.ts';
import { AgentError } from '../guest/errors.ts';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

/** KSM takes its time, and an emulated CPU to fill a gigabyte. */
const SLOW = { deadlineMs: 60_000 };

const SHARINGS = ['private', 'shared', 'hugetlb', 'memfd', 'file', 'clean', 'ksm', 'vm'] as const;

export const map = defineStep({
  name: 'map',
  schema: z
    .strictObject({
      process: ident,
      as: ident.describe(
        'saved as $as (physical address) and $as.virt, with $as.last: the virtual address of its last 4k page',
      ),
      pages: z.int().min(1).max(65536).default(1),
      size: z.enum(['4k', '2m', '1g']).default('4k'),
      sharing: z
        .enum(SHARINGS)
        .default('private')
        .describe(
          'private and shared memory, huge pages of hugetlbfs, a memfd, a dirty or clean file on ext4 (module loop), pages that KSM merges (4k; give it 2 pages), or the memory of a VM of the process, a guest_memfd (at most 256 pages of 4k, locked: false; modules kvm and kvm-amd)',
        ),
      at: z
        .int()
        .min(0)
        .max(262143)
        .default(0)
        .describe('the 4k page in it that $as and $as.virt are the addresses of'),
      locked: z.boolean().default(true).describe('mlock(2): the page stays where it is'),
      kill: z.enum(['early', 'late', 'default']).default('default').describe('PR_MCE_KILL policy of the process'),
      node: z.int().min(0).max(63).optional().describe('NUMA node that the pages come from'),
    })
    .describe('map and fill pages in a subject process'),
  saves: ({ as }) => [as, `${as}.virt`, `${as}.last`],
  means: ({ process, as, size, sharing, kill }) => ({
    is: 'page',
    process,
    as,
    size,
    lies: sharing === 'clean' ? 'clean' : 'user',
    early: kill === 'early',
  }),
  run: async (session, args) => {
    const { process, as, pages, size, sharing, at, locked, kill, node } = args;
    const { agent } = session;
    if (sharing === 'file' || sharing === 'clean') await agent.call('disk', {}, SLOW);
    if (sharing === 'ksm') await agent.call('write', { path: '/sys/kernel/mm/ksm/run', value: '1' });
    const wanted = {
      proc: process,
      id: as,
      pages,
      size,
      kind: sharing,
      kill,
      lock: locked,
      node,
      ...(size === '1g' ? { fill: 0 } : {}),
    };
    const ask = () => agent.call('map', wanted, SLOW);
    const reply = await ask().catch(async (error: unknown) => {
      if (!(error instanceof AgentError && error.errno === 'EOPNOTSUPP' && size !== '4k')) throw error;
      // No free huge page at this moment: memory is put together, and the guest asked once more.
      await agent.call('write', { path: '/proc/sys/vm/compact_memory', value: '1' });
      return ask();
    });
    const first = at === 0 ? reply : await agent.call('translate', { proc: process, id: as, at });
    const { phys, virt } = first;
    if (phys === undefined) {
      throw new LabError('E_LAB_MAP', `the agent did not tell where the pages of "${as}" are`);
    }
    session.note('process.mapped', { proc: process, id: as, virt, phys, pages });
    session.save(as, phys);
    session.save(`${as}.virt`, virt);
    session.save(`${as}.last`, reply.virt + BigInt(reply.bytes) - 4096n);
  },
});
