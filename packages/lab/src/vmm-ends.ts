import { event, type LogEvent } from '@syndrome/decode/events/event.ts';
import type { AgentEvent } from './guest/protocol.ts';

/**
 * The end of the VMM under test, which the agent of a host layer runs as the process `vmm`; undefined for its other events.
 * @param announced the exit code that the VMM has announced, if it has
 */
export function vmmExit(said: AgentEvent, announced: number | undefined): LogEvent<'vmm.exit'> | undefined {
  if (said.name !== 'exit' || said.fields.proc !== 'vmm') return undefined;
  const { code, signo } = said.fields;
  const how = signo === undefined ? { code: code ?? 0 } : { signal: signo };
  return event('vmm.exit', { ...how, expected: code !== undefined && code === announced });
}
