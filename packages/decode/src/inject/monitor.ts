/** @module The way of a monitor command that the user wrote: it is done, and nothing is claimed about it. */
import type { MonitorInjection } from './injection.ts';
import type { WayOf } from './way.ts';

export const MONITOR: WayOf<MonitorInjection> = {
  command: ({ command }) => command,
  record: () => undefined,
  words: () => undefined,
  fields: ({ way, command }) => ({ kind: way, command }),
  read: ({ kind, command }) => (kind === 'hmp' && typeof command === 'string' ? { way: kind, command } : undefined),
};
