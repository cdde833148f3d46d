import type { AgentEvent } from './guest/protocol.ts';
import type { LogEvent } from '@syndrome/decode/text/event.ts';
import type { FieldValue } from '@syndrome/trace/event.ts';

type Fields = Record<string, FieldValue>;

/** The fields of `from` that are there, in this order. */
function pick(from: Record<string, FieldValue | undefined>, keys: readonly string[]): Fields {
  const out: Fields = {};
  for (const key of keys) if (from[key] !== undefined) out[key] = from[key];
  return out;
}

/** The event of the catalogue that an asynchronous line of the agent in the guest stands for. */
export function guestAgentEvent(event: AgentEvent): LogEvent {
  switch (event.name) {
    case 'ready':
      return { name: 'guest.agent-ready', fields: pick(event.fields, ['kernel', 'arch', 'cpus']) };
    case 'signal': {
      const fields = pick(event.fields, ['proc', 'pid', 'signal', 'addr', 'lsb']);
      return { name: 'process.signal', fields: { ...fields, code: event.fields.codename } };
    }
    case 'exit':
      return { name: 'process.exit', fields: pick(event.fields, ['proc', 'pid', 'status', 'code', 'signal']) };
    case 'spin':
      return { name: 'process.spin-ended', fields: pick(event.fields, ['proc', 'id', 'ended', 'iterations']) };
    case 'dropped':
      return {
        name: 'lab.note',
        fields: { text: `the agent dropped ${event.fields.lines} lines: its port was too slow` },
      };
  }
}

/**
 * The same for the agent of a host layer, whose process `vmm` is the VMM under test.
 * @param announced the exit code that the VMM has announced, if it has
 */
export function hostAgentEvent(event: AgentEvent, announced: number | undefined): LogEvent | undefined {
  if (event.name === 'ready')
    return { name: 'host.agent-ready', fields: pick(event.fields, ['kernel', 'arch', 'cpus']) };
  if (event.name === 'exit' && event.fields.proc === 'vmm') {
    const { code, signo } = event.fields;
    const how = signo === undefined ? { code: code ?? 0 } : { signal: signo };
    return { name: 'vmm.exit', fields: { ...how, expected: code !== undefined && code === announced } };
  }
  return undefined;
}
