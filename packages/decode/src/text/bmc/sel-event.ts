/** @module The event that a record of 16 bytes of a system event log stands for. */
import type { KindFields } from '../../events/catalog.ts';
import type { BMC } from '../../events/bmc.ts';
import { messageOf } from './messages.ts';
import { rawEvent } from './raw-record.ts';

interface SelEvent {
  name: keyof typeof BMC;
  fields: KindFields<'bmc-memory-corrected'>;
}

/**
 * The event of a record; undefined for what is not of memory, processors or buses, and for what ended.
 * @example selEvent([1, 0, 2, 0, 0, 0, 0x30, 0x20, 0, 4, 0x0c, 0x53, 0x6f, 0xa1, 0xff, 5])?.name // → 'bmc-memory-uncorrected'
 */
export function selEvent(bytes: readonly number[]): SelEvent | undefined {
  const event = rawEvent(bytes);
  const known = event === undefined ? undefined : messageOf(event.message, event.type);
  if (event === undefined || known === undefined) return undefined;
  const { type: _type, ...fields } = event;
  return { name: known.event, fields };
}
