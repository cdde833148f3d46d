import { pfnOf } from '@syndrome/decode/registers/address.ts';
import { z } from 'zod';
import type { HostInjection } from '@syndrome/decode/inject/injection.ts';
import { hostFile, hostValue } from '@syndrome/decode/inject/poison.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { gpa2hpa } from '@syndrome/qemu/qmp/translate.ts';
import { LabError } from '../errors.ts';
import { hostPageLegs } from '../outlook/host-page.ts';
import { u64 } from './arguments.ts';
import { agentOf, deed, layer, refused } from './deed.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    address: u64.describe('a physical address of that layer'),
    how: z.enum(['corrupt-pfn', 'soft-offline']).default('corrupt-pfn'),
    layer: layer
      .default('host')
      .describe('whose kernel is asked; the guest is the host of a VM that a process of its own has'),
    refused,
  })
  .describe('in the host layer, or another: poison a page with hwpoison_inject, or take it offline softly');

type Args = z.infer<typeof schema>;

const injection = ({ address, how }: Args, value: Value): HostInjection => ({ way: how, addr: value(address) });

export const hostPoison = defineStep({
  name: 'host-poison',
  schema,
  injection,
  legs: (plan, { address, layer: of }) =>
    plan.injection.way === 'corrupt-pfn' && of === 'host' ? hostPageLegs(plan, address) : undefined,
  run: async (session, args) => {
    const { localHost } = session;
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
    const agent = agentOf(session, args.layer);
    const slow = { deadlineMs: 60_000 };
    const [path, value] = [hostFile(way), `0x${hostValue(made).toString(16)}`];
    const doing =
      way === 'corrupt-pfn'
        ? agent.call('hwpoison', { pfn: hostValue(made) }, slow)
        : agent.call('write', { path, value }, slow);
    const error = await deed(doing, args.refused);
    if (error !== undefined) session.note(`${args.layer}.written`, { path, value, error });
  },
});
