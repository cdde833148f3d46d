import { z } from 'zod';
import { pfnOf } from '@syndrome/decode/registers/address.ts';
import { u64 } from './arguments.ts';
import { dom0Tool } from './dom0-tool.ts';
import { defineStep } from './step.ts';
import { valueIn } from './values.ts';

export const xenHptool = defineStep({
  name: 'xen-hptool',
  schema: z
    .strictObject({
      do: z.enum(['mem-status', 'mem-offline', 'mem-online']),
      address: u64.describe('an address of the machine, of the page that is meant'),
    })
    .describe('in dom0: look at a page of the machine, take it offline, or take that back (xen-hptool)'),
  means: ({ do: what }) => ({ is: what === 'mem-status' ? 'nothing' : 'anything' }),
  run: async (session, { do: what, address }) => {
    const mfn = `0x${pfnOf(valueIn(session)(address)).toString(16)}`;
    // It ends with a failure where the domain cannot be told to give the page away: that is what is to be seen.
    await dom0Tool(session, `xen-hptool ${what} ${mfn}`, ['/usr/sbin/xen-hptool', what, mfn], { fails: true });
  },
});
