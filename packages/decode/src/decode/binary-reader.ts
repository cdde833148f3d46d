/** @module Bytes of firmware records, of one section, or of a Xen dom0's /dev/mcelog, in pieces → what they hold. */
import { CperReader } from '../cper/reader.ts';
import type { CperDiagnostic } from '../cper/error.ts';
import type { CperFound } from '../cper/reader.ts';
import { XEN_MCE_BYTES, decodeXenMcelog } from '../mca/xen-mcelog.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { InputNoteCode } from './input-notes.ts';

/** Bytes held of one record; more is left out, and said. */
const MAX_HELD = 16 << 20;

export interface BinaryReader {
  push(bytes: Uint8Array): void;
  end(): void;
}

/** Firmware records, as {@link CperReader} finds them. */
export function cperReader(
  offset: number,
  sink: { record(found: CperFound): void; note(diagnostic: CperDiagnostic): void },
): BinaryReader {
  return new CperReader(
    {
      record: found => sink.record(found),
      gap: (_from, _to, diagnostics) => diagnostics.forEach(d => sink.note(d)),
    },
    MAX_HELD,
    offset,
  );
}

/** Everything at once, up to the bound. */
export function wholeReader(
  offset: number,
  sink: { whole(bytes: Uint8Array): void; note(diagnostic: CperDiagnostic): void },
): BinaryReader {
  let held = new Uint8Array(0);
  let length = 0;
  let over = 0;
  return {
    push(bytes) {
      const part = bytes.subarray(0, MAX_HELD - length);
      if (held.length < length + part.length) {
        const bigger = new Uint8Array(Math.min(MAX_HELD, 2 * (length + part.length)));
        bigger.set(held.subarray(0, length));
        held = bigger;
      }
      held.set(part, length);
      length += part.length;
      over += bytes.length - part.length;
    },
    end() {
      sink.whole(held.slice(0, length));
      const message = `the section is longer than the ${MAX_HELD} bytes that are held; ${over} bytes were not read`;
      if (over > 0) sink.note({ code: 'E_CPER_LIMIT', message, offset: offset + length });
    },
  };
}

/** Records one behind another, each of the same length. */
export function rowReader(
  offset: number,
  length: number,
  sink: { row(bytes: Uint8Array, offset: number): void; rest(bytes: number, offset: number): void },
): BinaryReader {
  const one = new Uint8Array(length);
  let held = 0;
  let at = offset;
  return {
    push(bytes) {
      for (let from = 0; from < bytes.length; ) {
        const part = bytes.subarray(from, from + length - held);
        one.set(part, held);
        held += part.length;
        from += part.length;
        if (held < length) return;
        sink.row(one, at);
        held = 0;
        at += length;
      }
    },
    end() {
      if (held > 0) sink.rest(held, at);
    },
  };
}

/** Records of /dev/mcelog. */
export function xenReader(
  offset: number,
  sink: {
    record(record: X86McaRecord, offset: number): void;
    note(note: { code: InputNoteCode; message: string; offset: number }): void;
  },
): BinaryReader {
  return rowReader(offset, XEN_MCE_BYTES, {
    row(one, at) {
      const [record] = decodeXenMcelog(one);
      // A place that holds nothing is all zero.
      if (record !== undefined) sink.record(record, at);
      else if (one.some(b => b !== 0)) {
        sink.note({ code: 'E_INPUT_XEN', message: 'a record that was not finished; it was left out', offset: at });
      }
    },
    rest(length, at) {
      const message = `${length} bytes at the end are no whole record, which has ${XEN_MCE_BYTES}`;
      sink.note({ code: 'E_INPUT_XEN', message, offset: at });
    },
  });
}
