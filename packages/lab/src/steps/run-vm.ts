import { z } from 'zod';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

/** Source: Linux include/uapi/linux/kvm.h, KVM_EXIT_*. */
const REASONS: Readonly<Record<number, string>> = { 2: 'KVM_EXIT_IO', 39: 'KVM_EXIT_MEMORY_FAULT' };

export const runVm = defineStep({
  name: 'run-vm',
  schema: z
    .strictObject({
      process: ident,
      page: ident.describe('a mapping that is the memory of a VM (map: sharing vm)'),
      at: z.int().min(1).max(255).default(1).describe('which 4k page of it the VM reads; its program is in the first'),
    })
    .describe('let the VM of a process read a byte of its memory, with KVM: how its CPU came back is an event'),
  means: () => ({ is: 'anything' }),
  run: async (session, { process, page, at }) => {
    const { exit, errno, value, addr, bytes } = await session.agent.call('run-vm', { proc: process, id: page, at });
    session.note('process.vm-exit', {
      proc: process,
      id: page,
      reason: REASONS[exit] ?? `exit ${exit}`,
      ...(errno === undefined ? {} : { error: errno }),
      ...(value === undefined ? {} : { value }),
      ...(addr === undefined ? {} : { gpa: addr, size: bytes }),
    });
  },
});
