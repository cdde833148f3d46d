import { event, type LogEvent } from '@syndrome/decode/events/event.ts';
import type { AgentEvent } from './guest/protocol.ts';

/**
 * The exit codes of the reference VMM (packages/vmm/src/exit-codes.ts) for the ends it has by design, by the reason of `stopped`:
 * any other end is a failure of its own, or a signal.
 */
export const DESIGNED_ENDS: ReadonlyMap<unknown, number> = new Map([
  ['shutdown', 0],
  ['control', 0],
  ['reset', 3],
  ['threshold', 4],
]);

/**
 * The exit code that a VMM has announced with this event, if it has: QEMU by its SHUTDOWN, the reference VMM by `stopped`.
 * An exit with that code is then no death of the VMM.
 */
export function announcedExit(said: LogEvent): number | undefined {
  if (said.name === 'vmm.shutdown') return 0;
  return said.name === 'vmm.stopped' ? DESIGNED_ENDS.get(said.fields.reason) : undefined;
}

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
