/** @module Which events `decode` prints as records of their own, under which names, with which words. */
import { eventKinds, kindRow } from './catalog.ts';
import type { EventKind } from './catalog.ts';
import type { EventSeverity, FieldValue, RecordWords } from './row.ts';

type Fields = Readonly<Record<string, FieldValue>>;

/** The words of a record, by its name. */
interface RecordRow extends RecordWords<string> {
  severity: EventSeverity;
}

interface Printed {
  name: string;
  words: RecordWords<string>;
  /** `[name, shown]` of the fields it shows; all where this is missing. */
  fields: readonly (readonly [name: string, shown: string])[] | undefined;
}

/** The name that a record of an event has. */
export function recordName(kind: EventKind): string {
  return kindRow(kind).record?.name ?? kind.replace('.', '-');
}

function printed(kind: EventKind): Printed | undefined {
  const { record } = kindRow(kind);
  if (record === undefined) return undefined;
  const fields = record.fields?.split(' ').map(word => {
    const [shown = '', name = shown] = word.split('=');
    return [name, shown] as const;
  });
  return { name: recordName(kind), words: record, fields };
}

const PRINTED: ReadonlyMap<EventKind, Printed> = new Map(
  eventKinds.flatMap(kind => {
    const as = printed(kind);
    return as === undefined ? [] : [[kind, as] as const];
  }),
);

/** Words by the name of the record. */
export const RECORD_ROWS: ReadonlyMap<string, RecordRow> = new Map(
  [...PRINTED].map(([kind, { name, words }]) => [name, { severity: kindRow(kind).severity ?? 'info', ...words }]),
);

/** The record that `decode` prints of an event; undefined where the event is none worth one. */
export function recordOfEvent(kind: EventKind, given: Fields): { name: string; fields: Fields } | undefined {
  const as = PRINTED.get(kind);
  if (as === undefined || as.words.only?.(given) === false) return undefined;
  if (as.fields === undefined) return { name: as.name, fields: given };
  const fields: Record<string, FieldValue> = {};
  for (const [name, shown] of as.fields) {
    const value = given[name];
    if (value !== undefined) fields[shown] = value;
  }
  return { name: as.name, fields };
}
