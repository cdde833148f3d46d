/** @module What a line of text means: an event of the catalogue, told apart by its name. */
import type { ArmSeaRecord } from '../arm/record.ts';
import type { CperRecord } from '../cper/record.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { EventFields, EventKind, EventName, KindFields } from './catalog.ts';

/** One thing that happened. Addresses, registers and PFNs are bigint; counts are number. */
export type LogEvent<N extends EventName = EventName> = {
  [K in N]: {
    name: K;
    fields: EventFields<K>;
    /** The error record the event completes. */
    record?: X86McaRecord | CperRecord | ArmSeaRecord;
  };
}[N];

/** An event as a reader of text makes it: what Linux says has no layer yet. */
export type KindEvent<K extends EventKind = EventKind> = { [N in K]: { name: N; fields: KindFields<N> } }[K];

/**
 * An event; its name has to be one of the catalogue, and its fields have to be those of its name.
 * @example event('guest.memory-failure', { pfn: 0x1234n, page: 'dirty LRU page', result: 'Recovered' })
 */
export function event<N extends EventName>(name: N, fields: EventFields<N>): LogEvent<N> {
  return { name, fields } as LogEvent<N>;
}
