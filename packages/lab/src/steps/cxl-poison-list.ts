import { z } from 'zod';
import { defineStep } from './step.ts';

export const cxlPoisonList = defineStep({
  name: 'cxl-poison-list',
  schema: z
    .strictObject({})
    .describe('have Linux read the poison list of the CXL device (trigger_poison_list): each entry is a trace event'),
  means: () => ({ is: 'cxl-list-read' }),
  run: async session => {
    await session.agent.call('write', { path: '/sys/bus/cxl/devices/mem0/trigger_poison_list', value: '1' });
  },
});
