/** @module The error record of an event of a trace, decoded; nothing is read of text a second time. */
import { type EventKind, eventKinds, nameIn } from '@syndrome/decode/events/catalog.ts';
import { recordOfEvent } from '@syndrome/decode/events/records.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { recordOf } from '@syndrome/decode/decode/transfer.ts';
import { recordOfJson } from '@syndrome/decode/text/syndrome/json-records.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';

/** The kind of an event of the catalogue: its name, without the layer where Linux says it in either. */
function kindOf({ name, layer }: TraceEvent): EventKind | undefined {
  return eventKinds.find(
    kind => kind === name || ((layer === 'guest' || layer === 'host') && nameIn(layer, kind) === name),
  );
}

/** What an event holds of an error. */
interface EventRecord {
  record: DecodedRecord;
  /** Registers or bytes are in the trace; else what the event says is all there is. */
  whole: boolean;
}

/** The record that an event completed, or what its fields say by themselves; undefined where it tells of no error. */
export function decodedOf(event: TraceEvent): EventRecord | undefined {
  const { record: given, fields } = event;
  if (typeof given === 'object' && given !== null) {
    const { record: raw } = recordOfJson(given as Readonly<Record<string, unknown>>);
    if (raw !== undefined) return { record: recordOf({ raw }), whole: true };
  }
  const kind = kindOf(event);
  const said = kind && recordOfEvent(kind, fields ?? {});
  return said && { record: recordOf({ raw: { kind: 'event', ...said } }), whole: false };
}
