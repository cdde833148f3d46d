import { z } from 'zod';
import { LabError } from '../errors.ts';
import { duration, ns } from './arguments.ts';
import { defineStep } from './step.ts';

export const reset = defineStep({
  name: 'reset',
  schema: z
    .strictObject({
      within: duration.default('120s'),
      wait: z
        .boolean()
        .default(true)
        .describe('go on when the agent of the new boot answers and its modules are loaded'),
    })
    .describe(
      'reset the VM under test (system_reset) whatever a reset does otherwise; its processes are gone, its memory is kept',
    ),
  means: () => ({ is: 'reset' }),
  run: async (session, { within, wait }) => {
    const booted = (): number => session.recorder.index.named('guest.agent-ready').length;
    const before = booted();
    await session.qmp.execute('set-action', { reboot: 'reset' });
    await session.qmp.execute('system_reset', {});
    if (!wait) return;
    const deadline = session.recorder.now() + ns(within);
    while (booted() === before) {
      const left = (deadline - session.recorder.now()) / 1e6;
      if (left <= 0) throw new LabError('E_LAB_WAIT', `the guest was not up again ${within} after its reset`);
      await session.nextEvent(left, event => event.name === 'guest.agent-ready');
    }
    await session.loadModules(session);
  },
});
