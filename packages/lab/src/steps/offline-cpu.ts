import { z } from 'zod';
import { agentOf, deed, layer, refused } from './deed.ts';
import { defineStep } from './step.ts';

export const offlineCpu = defineStep({
  name: 'offline-cpu',
  schema: z
    .strictObject({
      layer,
      cpu: z.int().min(0).max(255),
      online: z.boolean().default(false).describe('bring it back instead'),
      refused,
    })
    .describe('take a CPU of a layer offline, or bring it back (CPU hotplug in sysfs)'),
  means: () => ({ is: 'anything' }),
  run: async (session, { layer: name, cpu, online, refused: on }) => {
    const path = `/sys/devices/system/cpu/cpu${cpu}/online`;
    const value = online ? '1' : '0';
    const write = agentOf(session, name).call('write', { path, value }, { deadlineMs: 60_000 });
    const error = await deed(write, on);
    session.note(`${name}.written`, { path, value, ...(error === undefined ? {} : { error }) });
  },
});
