import { z } from 'zod';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { QmpClosedError, QmpCommandError } from '@syndrome/qemu/qmp/errors.ts';
import { defineStep } from './step.ts';
import { exactNumbers } from './values.ts';

export const vmmQmp = defineStep({
  name: 'vmm-qmp',
  schema: z
    .strictObject({ execute: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) })
    .describe('ask the VMM under test by QMP; what it answers is an event (vmm.answer), also a refusal, or its end'),
  // What a VMM is asked does nothing to the guest that an outlook speaks of.
  means: () => ({ is: 'nothing' }),
  run: async (session, { execute, arguments: args }) => {
    try {
      const answer = await session.qmp.execute(execute, exactNumbers(args) as Record<string, unknown>);
      session.note('vmm.answer', { command: execute, ok: true, text: stringify(answer) });
    } catch (error) {
      if (error instanceof QmpCommandError)
        session.note('vmm.answer', { command: execute, ok: false, text: error.desc });
      // A VMM that ends of a command does not answer it: its end is what the scenario looks at.
      else if (!(error instanceof QmpClosedError)) throw error;
    }
  },
});
