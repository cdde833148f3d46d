import { z } from 'zod';
import { QmpClosedError } from '@syndrome/qemu/qmp/errors.ts';
import { defineStep } from './step.ts';
import { filled } from './values.ts';

/** QEMU reads guest memory itself, by a physical address, for `xp` alone. */
const READS = /^xp\b/;

export const vmmHmp = defineStep({
  name: 'vmm-hmp',
  schema: z
    .strictObject({ command: z.string().min(1).describe('$name in it stands for a saved value') })
    .describe('ask the monitor of the VMM under test; what it prints is an event (vmm.answer), and so is its end'),
  means: ({ command }) => (READS.test(command) ? { is: 'vmm-reads' } : { is: 'anything' }),
  run: async (session, { command }) => {
    const line = filled(command, session.values);
    try {
      const text = await session.qmp.hmp(line);
      session.note('vmm.answer', { command: line, ok: true, text: text.trim() });
    } catch (error) {
      // A VMM that ends of a command does not answer it: its end is what the scenario looks at.
      if (!(error instanceof QmpClosedError)) throw error;
    }
  },
});
