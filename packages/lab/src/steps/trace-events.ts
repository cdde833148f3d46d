import { z } from 'zod';
import { LabSkip } from '../errors.ts';
import { AgentError } from '../guest/errors.ts';
import { defineStep } from './step.ts';

const TRACEFS = '/sys/kernel/tracing';

export const traceEvents = defineStep({
  name: 'trace-events',
  schema: z
    .strictObject({
      events: z
        .array(z.string().regex(/^[a-z][a-z0-9_]*(\/[a-z0-9_]+)?$/, 'expected a group such as cxl, or group/event'))
        .min(1)
        .describe('groups of trace events, or single ones: cxl, ras/mc_event'),
    })
    .describe("switch on trace events of the guest's kernel, and read them from then on as they come (tracefs)"),
  run: async (session, { events }) => {
    for (const event of events) {
      const path = `${TRACEFS}/events/${event}/enable`;
      await session.agent.call('write', { path, value: '1' }).catch((error: unknown) => {
        if (!(error instanceof AgentError && error.errno === 'ENOENT')) throw error;
        throw new LabSkip('E_LAB_TRACE_EVENTS', `this kernel has no trace events ${event}`, {
          hint: 'Choose a newer kernel; `syndrome supply list --kernels` lists them.',
        });
      });
    }
    await session.agent.call('follow', { path: `${TRACEFS}/trace_pipe` });
  },
});
