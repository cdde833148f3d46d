/** @module The ways of a command that the user wrote: it is done, and nothing is claimed about it. */
import type { MonitorInjection } from './injection.ts';
import type { WayOf } from './way.ts';

/** What only its author knows. */
export const OWN = ['hmp', 'qmp', 'write-file', 'write-msr'] as const;

export const MONITOR: WayOf<MonitorInjection> = {
  command: ({ command }) => command,
  record: () => undefined,
  words: () => undefined,
  fields: ({ way, command }) => ({ kind: way, command }),
  read: ({ kind, command }) => {
    const way = OWN.find(own => own === kind);
    return way !== undefined && typeof command === 'string' ? { way, command } : undefined;
  },
};
