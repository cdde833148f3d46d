import { z } from 'zod';
import type { XenMceinjInjection } from '@syndrome/decode/inject/injection.ts';
import { commandOf, fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { XEN_MCEINJ_TYPES, xenMceinjArguments } from '@syndrome/decode/inject/xen-mceinj.ts';
import { xenLegs } from '../outlook/xen.ts';
import { u64 } from './arguments.ts';
import { dom0Tool } from './dom0-tool.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    domain: z.int().min(0).max(32767).default(1).describe('whose address it is'),
    address: u64.describe('of a PV domain an address of the machine, of any other one of its own'),
    cpu: z.int().min(0).max(255).default(0),
    type: z
      .int()
      .min(0)
      .max(XEN_MCEINJ_TYPES.length - 1)
      .default(0)
      .describe('0, 1 action optional · 2 CMCI · 3 corrected · 4 fatal'),
  })
  .describe('in dom0: have Xen play a machine check to itself (xen-mceinj)');

type Args = z.infer<typeof schema>;

const injection = ({ domain, address, cpu, type }: Args, value: Value): XenMceinjInjection => ({
  way: 'xen-mceinj',
  domain,
  addr: value(address),
  cpu,
  type,
});

export const xenMceinj = defineStep({
  name: 'xen-mceinj',
  schema,
  injection,
  legs: (plan, { domain, address }) => xenLegs(plan, domain, address),
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    session.note('lab.injected', fieldsOf(made));
    const argv = ['/usr/sbin/xen-mceinj', ...xenMceinjArguments(made)];
    await dom0Tool(session, commandOf(made) ?? 'xen-mceinj', argv, { fails: true });
  },
});
