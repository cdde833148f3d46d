import { TRACE_VERSION, type TraceHeader } from '@syndrome/trace/event.ts';

/** Of a trace that nobody reads. */
export const plainHeader: TraceHeader = {
  type: 'trace',
  version: TRACE_VERSION,
  tool: 'test',
  scenario: 'test',
  startedAt: '',
  layers: [],
  expect: [],
  settle: 0,
  parts: {},
};
