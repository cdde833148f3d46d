import type { AgentEvent } from '../guest/protocol.ts';
import type { LogEvent } from '../text/event.ts';
import type { FieldValue } from './trace/event.ts';

type Fields = Record<string, FieldValue>;

/** The fields of `from` that are there, in this order. */
function pick(from: Record<string, FieldValue | undefined>, keys: readonly string[]): Fields {
  const out: Fields = {};
  for (const key of keys) if (from[key] !== undefined) out[key] = from[key];
  return out;
}

/** The event of the catalogue that an asynchronous line of the agent stands for. */
export function agentLogEvent(event: AgentEvent): LogEvent {
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
