import type { AgentEvent } from '../guest/client.ts';
import type { LogEvent } from '../text/event.ts';
import type { FieldValue } from './trace/event.ts';

const copy = (from: Record<string, FieldValue>, keys: readonly string[]): Record<string, FieldValue> =>
  Object.fromEntries(keys.flatMap(key => (from[key] === undefined ? [] : [[key, from[key]]])));

/** The event of the catalogue that an asynchronous line of the agent stands for; undefined for one that has none. */
export function agentLogEvent({ name, fields }: AgentEvent): LogEvent | undefined {
  switch (name) {
    case 'ready':
      return { name: 'guest.agent-ready', fields: copy(fields, ['kernel', 'cpus']) };
    case 'signal':
      return {
        name: 'process.signal',
        fields: { ...copy(fields, ['proc', 'pid', 'signal', 'addr', 'lsb']), code: fields.codename ?? fields.code ?? '' },
      };
    case 'exit':
      return { name: 'process.exit', fields: copy(fields, ['proc', 'pid', 'status', 'code', 'signal']) };
    default:
      return undefined;
  }
}
