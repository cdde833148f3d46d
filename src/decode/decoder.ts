/** @module The front door: any input in, decoded records out, with bounded memory. */
import { decodeGhesBlock } from '../cper/ghes.ts';
import type { McaVendor } from '../mca/record.ts';
import { LineScanner } from '../text/line-scanner.ts';
import type { TextItem } from '../text/item.ts';
import { LogReader } from '../text/log-reader.ts';
import { values } from '../text/values.ts';
import { ArmDecoded } from './arm-record.ts';
import { CperDecoded } from './cper-record.ts';
import { detect } from './detect.ts';
import type { Detection } from './detect.ts';
import type { Form } from './form.ts';
import { EventDecoded } from './event-record.ts';
import { McaDecoded } from './mca-record.ts';
import type { DecodedRecord, DecodedSource, Diagnostic } from './record.ts';

export interface DecoderOptions {
  /** Called for each record, in the order of the input. */
  onRecord: (record: DecodedRecord) => void;
  /** Called once, when it is known how the input is read, and why. */
  onDetected?: (detection: Detection) => void;
  /** Called for text about errors that could not become part of a record. */
  onDiagnostic?: (diagnostic: Diagnostic, source: DecodedSource) => void;
  /** How to read the input. Default `auto`. */
  from?: Form;
  /** Name of the input, for `source`. Default `-`. */
  input?: string;
  /** CPU vendor of records that do not name theirs. */
  vendor?: McaVendor;
  /** CPUID signature of records that do not name theirs. */
  cpuid?: bigint;
  /** A lone value is an ESR. */
  esr?: boolean;
}

export interface Decoder {
  /** Takes any part of the input; bytes are not kept. A string is taken as UTF-8. */
  push(chunk: Uint8Array | string): void;
  /** The input ended: emits what was still open. */
  end(): void;
}

/** What is looked at before the form is decided. */
const HEAD = 65_536;
/** Binary input is held whole; more is cut off. */
const MAX_BINARY = 16 << 20;

const utf8 = new TextEncoder();

/** Makes a decoder. It never throws on data; what `onRecord` throws passes through. */
export function createDecoder(options: DecoderOptions): Decoder {
  const input = options.input ?? '-';
  let head: Uint8Array | undefined = new Uint8Array(0);
  let scanner: LineScanner | undefined;
  let log: LogReader | undefined;
  let binary: { parts: Uint8Array[]; length: number; detection: Detection } | undefined;

  function emit(item: TextItem): void {
    const source: DecodedSource = {
      input,
      from: item.form,
      firstLine: item.firstLine,
      lastLine: item.lastLine,
    };
    if (item.type === 'note') {
      options.onDiagnostic?.(item.note, source);
      return;
    }
    if (item.type === 'mca') {
      const { record } = item;
      if (record.vendor === undefined && options.vendor !== undefined) record.vendor = options.vendor;
      if (record.cpuid === undefined && options.cpuid !== undefined) record.cpuid = options.cpuid;
      options.onRecord(new McaDecoded(record, source, item.notes, item.bankUnknown !== true));
    } else if (item.type === 'event') options.onRecord(new EventDecoded(item.name, item.fields, source, []));
    else if (item.type === 'cper') options.onRecord(new CperDecoded(item.record, source, item.notes));
    else options.onRecord(new ArmDecoded(item.record, source, item.notes));
  }

  function start(bytes: Uint8Array, ended: boolean): void {
    head = undefined;
    const detection = detect(bytes, ended, options.from ?? 'auto');
    options.onDetected?.(detection);
    if (detection.binary !== undefined) {
      binary = { parts: [], length: 0, detection };
      take(detection.binary);
      return;
    }
    if (detection.form === 'value') {
      readValues(bytes);
      return;
    }
    log = new LogReader(emit, { input });
    scanner = new LineScanner(log, log.needles);
    scanner.push(bytes);
  }

  function readValues(bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes);
    text.split('\n').forEach((line, i) => {
      if (line.trim() === '') return;
      const place = { form: 'value', firstLine: i + 1, lastLine: i + 1 } as const;
      const found = values(line, options.esr ? { esr: true } : {});
      if (found === undefined) {
        emit({
          type: 'note',
          ...place,
          note: { code: 'W_TEXT_VALUE', message: 'the line holds no value that is known' },
        });
      } else if (found.record.kind === 'x86-mca') {
        const unknown = found.bankUnknown === true ? ({ bankUnknown: true } as const) : {};
        emit({ type: 'mca', ...place, record: found.record, notes: found.notes, ...unknown });
      } else emit({ type: 'arm', ...place, record: found.record, as: 'esr', notes: found.notes });
    });
  }

  function take(bytes: Uint8Array): void {
    if (binary === undefined) return;
    const room = MAX_BINARY - binary.length;
    if (room <= 0) return;
    const part = bytes.slice(0, room);
    binary.parts.push(part);
    binary.length += part.length;
  }

  function endBinary(): void {
    if (binary === undefined) return;
    const bytes = new Uint8Array(binary.length);
    let at = 0;
    for (const part of binary.parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const { value, diagnostics } = decodeGhesBlock(bytes);
    const source: DecodedSource = { input, from: 'ghes', firstByte: 0, endByte: bytes.length };
    if (value === undefined) for (const d of diagnostics) options.onDiagnostic?.(d, source);
    else options.onRecord(new CperDecoded(value, source, diagnostics));
  }

  return {
    push(chunk) {
      const bytes = typeof chunk === 'string' ? utf8.encode(chunk) : chunk;
      if (head === undefined) {
        if (scanner !== undefined) scanner.push(bytes);
        else take(bytes);
        return;
      }
      // The decision is made on the same bytes wherever the chunks end.
      const need = HEAD - head.length;
      const joined = new Uint8Array(head.length + Math.min(need, bytes.length));
      joined.set(head);
      joined.set(bytes.subarray(0, need), head.length);
      head = joined;
      if (head.length < HEAD) return;
      start(joined, false);
      if (bytes.length > need) this.push(bytes.subarray(need));
    },
    end() {
      if (head !== undefined) start(head, true);
      scanner?.end();
      log?.end();
      endBinary();
      scanner = undefined;
      log = undefined;
      binary = undefined;
    },
  };
}

/** Decodes a whole input at once. */
export function decode(
  data: Uint8Array | string,
  options: Omit<DecoderOptions, 'onRecord'> = {},
): { records: DecodedRecord[]; diagnostics: Diagnostic[]; detection: Detection | undefined } {
  const records: DecodedRecord[] = [];
  const diagnostics: Diagnostic[] = [];
  let detection: Detection | undefined;
  const decoder = createDecoder({
    ...options,
    onRecord: r => records.push(r),
    onDetected: d => (detection = d),
    onDiagnostic: d => diagnostics.push(d),
  });
  decoder.push(data);
  decoder.end();
  return { records, diagnostics, detection };
}
