/** @module What the text readers hand on: records, events, and remarks about text that could not be used. */
import type { ArmSeaRecord } from '../arm/record.ts';
import type { CperRecord } from '../cper/record.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { EventKind, KindFields } from '../events/catalog.ts';
import type { KindEvent } from '../events/event.ts';
import type { FieldValue } from '../events/row.ts';

/** The program or format a text came from. */
export type TextForm =
  | 'linux'
  | 'xen'
  | 'mcelog'
  | 'rasdaemon'
  | 'mce-inject'
  | 'esxi'
  | 'freebsd'
  | 'macos'
  | 'illumos'
  | 'ontap'
  | 'windows'
  | 'firmware'
  | 'bmc'
  | 'cper-text'
  | 'qemu'
  | 'qmp'
  | 'virsh'
  | 'tracefs'
  | 'journal-export'
  | 'journal-json'
  | 'vmm'
  | 'agent'
  | 'record'
  | 'trace'
  | 'value';

/** Where in the input, in lines counted from 1. */
export interface Place {
  form: TextForm;
  firstLine: number;
  lastLine: number;
  /** What stands before or beside the message, with its time, where the beginning of the line is that of another or has none. */
  stamp?: string;
}

/** Version of the records that this program writes, and the newest that it reads. It changes when a member goes away or changes its meaning. */
export const RECORD_VERSION = 1;

/** A remark with a stable code: `W_…` something is odd, `E_…` something was lost. */
export interface TextNote {
  code: TextNoteCode;
  message: string;
  /** Byte of the input where it is, or where what was left out begins; as far as it is known. */
  offset?: number;
}

/** What each code says in general, for `--explain`. */
export const TEXT_NOTES = {
  W_TEXT_INCOMPLETE:
    'Lines of a record are missing, or they are mixed with those of other CPUs in a way that nobody can undo; or the input seems to end within the last value. What is certain was taken.',
  W_TEXT_UNATTRIBUTED:
    'A line of a machine check could belong to several CPUs whose blocks are mixed. It was given to none; boot with `printk` caller ids (CONFIG_PRINTK_CALLER) to settle it.',
  W_TEXT_FLAGS:
    "The kernel's decoder prints flags and the extended error code beside the status register, and here they disagree. The register was taken. The text was edited, or the decoder read another register than it printed.",
  W_TEXT_FAMILY:
    'The text says no family of the CPU, but names the unit in words that its program has for old AMD families alone (0Fh to 15h). The record is read as one of that family, by what all of them share; model and stepping are not known and stand as 0.',
  W_TEXT_SPLIT:
    'mcelog does not know AMD CPUs since family 17h and prints one event as two records, the second with STATUS 0. They were joined.',
  W_TEXT_COLUMNS:
    'Rows of the input end at one column in the middle of words, as where a terminal broke its lines, and were put together again. What begins as no line of its own behind a row of just that width was taken for its rest.',
  W_TEXT_SECTION: 'A firmware record holds a section of which the kernel prints text that is not taken apart here.',
  W_TEXT_NEWER:
    'A record was written by a newer Syndrome. What is known of it was read; what has another meaning there may be wrong here. Use a newer Syndrome: each reads all versions up to its own.',
  W_TEXT_ROW:
    "A row of rasdaemon's database says in words what no column of it holds. The words are rasdaemon's, and nothing was concluded from them.",
  W_TEXT_VALUE: 'A value or a name in the input is not known. It was left out.',
  E_TEXT_INCOMPLETE:
    'Lines of a record are missing, and its status register with them, so no record was made of the lines that are there.',
  E_TEXT_VALUE:
    'A line among values is none, or a statement of mce-inject is none, gives what is no value or a second one, or belongs to no record. Nothing was made of it.',
  E_TEXT_LONG:
    'A line is longer than is read of one, and it mentions what lines about errors do. What stands behind the bound was left out; of values and of mce-inject the whole line was, since half of one says something else.',
  E_TEXT_STREAMS:
    'A trace has more streams (layer and source) than are told apart. The lines of the others were left out.',
  E_TEXT_BOUND:
    'A record that is printed as text has more sections, structures or bytes than are read of one. What is beyond the bound was left out.',
  E_TEXT_TRUNCATED:
    'A line or the input ends in the middle of a record: a register has fewer digits than are always printed, or a value fewer bytes than were announced. What it was cannot be told, so no record was made.',
} as const;

export type TextNoteCode = keyof typeof TEXT_NOTES;

export interface McaItem extends Place {
  type: 'mca';
  record: X86McaRecord;
  notes: TextNote[];
  /** Printed by an exception handler (true) or a poller (false), where the text says so. */
  exception?: boolean;
  /** The text names no bank; the record's `bank` is 0 only because it needs one. */
  bankUnknown?: true;
}

export interface CperItem extends Place {
  type: 'cper';
  record: CperRecord;
  notes: TextNote[];
  /** Linux's extended log gave it (acpi_extlog.c): that only prints, and the machine check of it comes on its own. */
  extlog?: true;
  /** The number that Linux gave the report. */
  seq?: number;
}

interface ArmItem extends Place {
  type: 'arm';
  record: ArmSeaRecord;
  /** Whether the text calls it a synchronous abort, an SError, or says nothing. */
  as: 'sea' | 'serror' | 'esr';
  notes: TextNote[];
}

/** What the page frame numbers of a kernel count, as far as its log says. */
export type PageFacts = { pageShift: number } | { arch: 'arm64' } | undefined;

/**
 * One thing a line says: an event of the catalogue. Most are page handling, signals, panics; some stand beside records, at once
 * where the record is still to come.
 */
export type EventItem<K extends EventKind = EventKind> = {
  [N in K]: Place & { type: 'event'; name: N; fields: KindFields<N>; pages?: PageFacts; notes?: readonly TextNote[] };
}[K];

/** An event that somebody wrote as JSON: its name and its fields are his, and may be those of another version. */
export interface ForeignEventItem extends Place {
  type: 'foreign-event';
  name: string;
  fields: Readonly<Record<string, FieldValue>>;
}

/** Text about errors that could not become part of a record. */
interface NoteItem extends Place {
  type: 'note';
  note: TextNote;
}

/** What is said of a line of which `kept` bytes or characters were read; `offset`: where it, or what was left out, begins. */
export function longLine(form: TextForm, lineNumber: number, kept: number, offset: number): NoteItem {
  const message =
    kept === 0
      ? 'the line is too long for what it should be; nothing of it was read'
      : `the line is longer than ${kept} characters; what stands behind them was not read`;
  const note: TextNote = { code: 'E_TEXT_LONG', message, offset };
  return { type: 'note', form, firstLine: lineNumber, lastLine: lineNumber, note };
}

/** Text within a line that stands for the bytes of firmware records, or of one section of the type named. */
interface BytesItem extends Place {
  type: 'bytes';
  as: 'hex' | 'base64';
  text: string;
  /** GUID text. */
  section?: string;
}

export type TextItem = McaItem | CperItem | BytesItem | ArmItem | EventItem | ForeignEventItem | NoteItem;

export type ItemSink = (item: TextItem) => void;

/** The event of a line, made by a reader. */
export function eventItem(form: TextForm, lineNumber: number, { name, fields }: KindEvent): EventItem {
  return { type: 'event', form, name, fields, firstLine: lineNumber, lastLine: lineNumber } as EventItem;
}
