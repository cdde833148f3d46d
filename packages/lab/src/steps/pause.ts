import { x86State } from '@syndrome/qemu/qmp/x86-state.ts';
import { z } from 'zod';
import { abortError, LabError } from '../errors.ts';
import { duration, ns } from './arguments.ts';
import { defineStep } from './step.ts';

export const pause = defineStep({
  name: 'pause',
  schema: z
    .strictObject({
      cpu: z.int().min(0).max(63).default(0),
      mode: z
        .enum(['any', 'user', 'kernel', 'idle'])
        .default('any')
        .describe('what that CPU has to be running (x86); idle: the kernel, waiting for an interrupt'),
      within: duration.default('20s'),
    })
    .describe('stop all virtual CPUs, at a moment when one of them is in user mode, in the kernel or idle'),
  means: ({ cpu, mode }) => ({ is: 'stop', cpu, mode }),
  run: async (session, { cpu, mode, within }) => {
    const deadline = session.recorder.now() + ns(within);
    for (;;) {
      if (session.signal.aborted) throw abortError(session.signal, `CPU ${cpu} in ${mode} mode`);
      await session.qmp.execute('stop');
      if (mode === 'any') return;
      const { level, halted } = await x86State(session.qmp, cpu);
      if (level === undefined)
        throw new LabError('E_LAB_PAUSE', `QEMU does not tell the privilege level of CPU ${cpu}`);
      if (mode === 'idle' ? halted === true : (level === 3) === (mode === 'user')) return;
      await session.qmp.execute('cont');
      if (session.recorder.now() >= deadline) {
        throw new LabError('E_LAB_PAUSE', `CPU ${cpu} was not seen in ${mode} mode within ${within}`);
      }
    }
  },
});
