import { pfnOf } from '@syndrome/decode/registers/address.ts';
import { z } from 'zod';
import type { HostInjection } from '@syndrome/decode/inject/injection.ts';
import { hostFile, hostValue } from '@syndrome/decode/inject/poison.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { gpa2hpa } from '@syndrome/qemu/qmp/translate.ts';
import { LabError } from '../errors.ts';
import { hostPageLegs } from '../outlook/host-page.ts';
import { u64 } from './arguments.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    address: u64.describe('a physical address of the host layer'),
    how: z.enum(['corrupt-pfn', 'soft-offline']).default('corrupt-pfn'),
  })
  .describe('in the host layer: poison a page with hwpoison_inject, or take it offline softly');

type Args = z.infer<typeof schema>;

const injection = ({ address, how }: Args, value: Value): HostInjection => ({ way: how, addr: value(address) });

export const hostPoison = defineStep({
  name: 'host-poison',
  schema,
  injection,
  legs: (plan, { address }) => (plan.injection.way === 'corrupt-pfn' ? hostPageLegs(plan, address) : undefined),
  run: async (session, args) => {
    const { host, localHost } = session;
    const made = injection(args, valueIn(session));
    const { way, addr: hpa } = made;
    if (localHost) {
      // The kernel may have moved the guest's page meanwhile, and given the frame to somebody else.
      const { address: now } = await gpa2hpa(session.qmp, localHost.guestAddress(hpa));
      if (pfnOf(now) !== pfnOf(hpa)) {
        throw new LabError(
          'E_LAB_HOST_LOCAL',
          `the guest's page is no longer at 0x${hpa.toString(16)}: nothing is poisoned`,
        );
      }
    }
    session.note('lab.injected', fieldsOf(made));
    if (localHost) return localHost.poison(hpa, way);
    if (!host) throw new LabError('E_LAB_NO_HOST', 'this machine has no host layer whose pages could be poisoned');
    const slow = { deadlineMs: 60_000 };
    const value = hostValue(made);
    if (way === 'corrupt-pfn') await host.call('hwpoison', { pfn: value }, slow);
    else await host.call('write', { path: hostFile(way), value: `0x${value.toString(16)}` }, slow);
  },
});
