import { z } from 'zod';
import { ghesBlock, ghesInjection } from '@syndrome/decode/inject/ghes.ts';
import type { GhesInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { injectGhes as inject } from '@syndrome/qemu/qmp/ghes.ts';
import { u64 } from './arguments.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    severity: z.enum(['recoverable', 'fatal', 'corrected', 'none']).default('recoverable'),
    address: u64.describe('physical address of the memory error'),
    errorType: z.int().min(0).max(15).default(3).describe('UEFI memory error type; 3 is multi-bit ECC'),
  })
  .describe('a CPER memory section through QMP inject-ghes-v2-error, into the layer right under the outer QEMU');

const injection = ({ severity, address, errorType }: z.infer<typeof schema>, value: Value): GhesInjection =>
  ghesInjection(severity, value(address), errorType);

export const injectGhes = defineStep({
  name: 'inject-ghes',
  schema,
  injection,
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    session.note('lab.injected', fieldsOf(made));
    // In a nested machine the firmware is that of the host layer.
    await inject(session.outer, ghesBlock(made));
  },
});
