import { z } from 'zod';
import { pageOf, pfnOf } from '@syndrome/decode/registers/address.ts';
import { LabError } from '../errors.ts';
import { DOMU_ID } from '../machine/domu-image.ts';
import { ident, u64 } from './arguments.ts';
import { dom0Tool } from './dom0-tool.ts';
import { defineStep } from './step.ts';
import { valueIn } from './values.ts';

/** What is made of a row of a domain's own table, and of one of Xen's table of all frames. */
const OF_DOMAIN = /^domain (0x[0-9a-f]+)$/gm;
const OF_ALL = /^some domain (0x[0-9a-f]+)$/gm;

const pages = (text: string, row: RegExp): bigint[] =>
  [...text.matchAll(row)].map(([, address]) => BigInt(address ?? 0));

export const xenP2m = defineStep({
  name: 'xen-p2m',
  schema: z
    .strictObject({
      domain: z.union([z.literal(0), z.literal(DOMU_ID)]).default(DOMU_ID),
      address: u64.describe('a physical address as the kernel of the domain knows it'),
      as: ident.describe('saved as $as: the address of the machine'),
    })
    .describe('ask Xen which page of the machine a page of a PV domain is (xen-mfndump)'),
  saves: ({ as }) => [as],
  means: ({ domain, address, as }) => (domain === 0 ? { is: 'translation', address, as } : { is: 'domain-page', as }),
  run: async (session, { domain, address, as }) => {
    const physical = valueIn(session)(address);
    const pfn = `0x${pfnOf(physical).toString(16)}`;
    const dump = `xen-mfndump dump-p2m ${DOMU_ID}`;
    const ofDomU = `${dump} | /bin/busybox sed -n '/pfn=${pfn} /{s/.*mfn=\\(0x[0-9a-f]*\\).*/domain \\1000/p;q}'`;
    // Xen has no table of dom0: its frame is the one of that number that is not the other domain's.
    const ofAll = `xen-mfndump dump-m2p | /bin/busybox sed -n '/pfn=${pfn}$/s/.*mfn=\\(0x[0-9a-f]*\\).*/some domain \\1000/p'`;
    const script = domain === 0 ? `${ofAll}; ${ofDomU}` : ofDomU;
    const shown = domain === 0 ? `xen-mfndump dump-m2p; ${dump}` : dump;
    const said = await dom0Tool(session, shown, ['/bin/busybox', 'sh', '-c', script], { fails: true });
    const others = pages(said, OF_DOMAIN);
    const found = domain === 0 ? pages(said, OF_ALL).filter(page => !others.includes(page)) : others;
    const [page] = found;
    if (page === undefined || found.length > 1) {
      throw new LabError(
        'E_LAB_XEN_TOOL',
        `xen-mfndump names no one frame of the machine for frame ${pfn} of domain ${domain}`,
        {
          hint: 'Only a PV domain has such frames, and only for memory that it has.',
        },
      );
    }
    session.save(as, page + (physical - pageOf(physical)));
  },
});
