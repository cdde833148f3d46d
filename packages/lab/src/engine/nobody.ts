import { VERSION } from '@syndrome/decode/common/version.ts';
import { TRACE_VERSION, type TraceHeader } from '@syndrome/trace/event.ts';
import type { PreparedRun } from '../run.ts';
import { layersOf } from '../trace/layers.ts';

/** Of a recorder whose events go to others. */
export const headerOf = ({ assembly, identity }: PreparedRun): TraceHeader => ({
  type: 'trace',
  version: TRACE_VERSION,
  tool: `syndrome ${VERSION}`,
  scenario: '',
  startedAt: new Date().toISOString(),
  layers: layersOf(assembly.machine),
  expect: [],
  settle: 0,
  parts: assembly.parts,
  identity,
});
