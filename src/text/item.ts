/** @module What the text readers hand on: records, events, and remarks about text that could not be used. */
import type { ArmSeaRecord } from '../arm/record.ts';
import type { CperRecord } from '../cper/record.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { FieldValue } from './event.ts';

/** The program or format a text came from. */
export type TextForm =
  | 'linux'
  | 'xen'
  | 'mcelog'
  | 'rasdaemon'
  | 'mce-inject'
  | 'qemu'
  | 'qmp'
  | 'journal-export'
  | 'journal-json'
  | 'trace'
  | 'value';

/** Where in the input, in lines counted from 1. */
export interface Place {
  form: TextForm;
  firstLine: number;
  lastLine: number;
}

/** A remark with a stable code: `W_…` something is odd, `E_…` something was lost. */
export interface TextNote {
  code: TextNoteCode;
  message: string;
}

export type TextNoteCode =
  | 'W_TEXT_INCOMPLETE'
  | 'W_TEXT_UNATTRIBUTED'
  | 'W_TEXT_FLAGS'
  | 'W_TEXT_SPLIT'
  | 'W_TEXT_SECTION'
  | 'W_TEXT_VENDOR'
  | 'W_TEXT_VALUE'
  | 'E_TEXT_TRUNCATED';

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
  /** What the text said and the record cannot hold, by section. */
  text?: readonly string[];
}

export interface ArmItem extends Place {
  type: 'arm';
  record: ArmSeaRecord;
  /** Whether the text calls it a synchronous abort, an SError, or says nothing. */
  as: 'sea' | 'serror' | 'esr';
  notes: TextNote[];
}

/** One thing the log says that is no register record: page handling, signals, panics, events of QEMU. */
export interface EventItem extends Place {
  type: 'event';
  /** Name without a layer: `memory-failure`, `panic`, … */
  name: string;
  fields: Readonly<Record<string, FieldValue>>;
}

/** Text about errors that could not become part of a record. */
export interface NoteItem extends Place {
  type: 'note';
  note: TextNote;
}

export type TextItem = McaItem | CperItem | ArmItem | EventItem | NoteItem;

export type ItemSink = (item: TextItem) => void;

/** Reads lines of one form. It never throws on text and keeps a bounded amount of it. */
export interface TextReader {
  /** Takes a line; returns whether the next one is wanted whatever it holds. */
  line(text: string, lineNumber: number): boolean;
  /** Lines without interest passed. */
  skipped(lines: number): void;
  /** The source ended. */
  end(): void;
}
