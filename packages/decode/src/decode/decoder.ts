/** @module The front door: any input in, decoded records out, with bounded memory. */
import type { CperRecord, CperSection } from '../cper/record.ts';
import { decodeSection } from '../cper/sections.ts';
import { linuxMcesIn, mcaOfStructMce } from '../cper/linux-mce.ts';
import { banksOfSection } from '../cper/section-banks.ts';
import { recordOfEvent } from '../events/records.ts';
import { vendorOfCpu } from '../mca/cpu.ts';
import type { McaVendor, X86McaRecord } from '../mca/record.ts';
import { errorsOf } from '../mca/smca-extra.ts';
import { XEN_MCE_BYTES } from '../mca/xen-mcelog.ts';
import type { ItemSink, TextItem } from '../text/item.ts';
import { JournalExportReader } from '../text/transport/journal-export.ts';
import { LinePlaces } from '../text/transport/line-places.ts';
import { LineScanner } from '../text/transport/line-scanner.ts';
import type { LineTaker } from '../text/transport/line-scanner.ts';
import { LineStamps } from '../text/transport/line-stamps.ts';
import { NEEDLES } from '../text/log-needles.ts';
import { LogReader } from '../text/log-reader.ts';
import { SEL_BYTES } from '../text/bmc/raw-record.ts';
import { selEvent } from '../text/bmc/sel-event.ts';
import { columnsOf, mayBeBroken } from '../text/transport/columns.ts';
import { frameOf, mayBeFramed } from '../text/transport/frame.ts';
import type { Frame } from '../text/transport/frame.ts';
import { rasRow } from '../text/tools/ras-rows.ts';
import type { Row } from '../text/tools/ras-rows.ts';
import { MceInjectReader } from '../text/tools/mce-inject-reader.ts';
import { ValueReader } from '../text/values/value-reader.ts';
import { ArmDecoded } from './arm-record.ts';
import { cperReader, rowReader, wholeReader, xenReader } from './binary-reader.ts';
import type { BinaryReader } from './binary-reader.ts';
import { Base64Text, HexText } from './byte-text.ts';
import type { ByteText } from './byte-text.ts';
import { CperDecoded } from './cper-record.ts';
import { detect, surelyLog } from './detect.ts';
import type { Detection } from './detect.ts';
import type { Form } from './form.ts';
import { EventDecoded } from './event-record.ts';
import { Kept } from './kept.ts';
import type { LazyRecord } from './lazy.ts';
import { McaDecoded } from './mca-record.ts';
import type { DecodedRecord, DecodedSource, Diagnostic } from './record.ts';
import { Utf16Places, recoder } from './utf16.ts';

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
  /** The input is one bare section of this type (GUID text). */
  section?: string;
}

interface Decoder {
  /** Takes a row of rasdaemon's database, by its table and number; false for one that says nothing that can be read. */
  row(table: string, id: number | undefined, row: Row): boolean;
  /** Takes any part of the input; bytes are not kept. A string is taken as UTF-8. */
  push(chunk: Uint8Array | string): void;
  /** The input ended: emits what was still open. */
  end(): void;
}

/** What is looked at before the form is decided. */
const HEAD = 65_536;
const NEWLINE = 0x0a;
const ONE_SECTION = 'nothing behind it was read: one section does not begin anew';
const FROM_DESTAT = 'the deferred error of MCA_DESTAT and MCA_DEADDR; the status is that of MCA_DESTAT';

/**
 * Lines of which the bytes are known, back from the last; a record that reaches further has lines only. An entry of
 * journald has some thirty of them for one of a log, and values are a line each.
 */
const LOG_PLACES = 1024;
const PLACES: Readonly<Partial<Record<Detection['form'], number>>> = { 'journal-export': 32_768, value: 16 };

const utf8 = new TextEncoder();
const utf8Decoder = new TextDecoder();

/** Without a line whose end is not there yet. */
const wholeLines = (bytes: Uint8Array, ended: boolean): Uint8Array =>
  ended ? bytes : bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);

/** A record whose first line is further back has no time of its line. */
const LOG_STAMPS = 256;

/** The taker, behind one that keeps how each line begins. */
function stamped(taker: LineTaker, stamps: LineStamps): LineTaker {
  return {
    line(bytes, start, end, lineNumber, offset) {
      stamps.add(lineNumber, bytes, start, end);
      return taker.line(bytes, start, end, lineNumber, offset);
    },
    // A value within a line begins with no time of its own.
    ...(taker.part === undefined ? {} : { part: taker.part.bind(taker) }),
    isOneRecord: bytes => taker.isOneRecord?.(bytes) === true,
    skipped: lines => taker.skipped(lines),
    cut: (lineNumber, bytes, offset) => taker.cut(lineNumber, bytes, offset),
    unended: () => taker.unended?.(),
  };
}

/**
 * Makes a decoder. It never throws on data; what `onRecord` throws passes through.
 *
 * @example
 * const found = [];
 * const decoder = createDecoder({ onRecord: record => found.push(record.class), vendor: 'intel' });
 * decoder.push('0xbd8000000010');
 * decoder.push('0134\n');
 * decoder.end();
 * found // ['SRAR']
 */
export function createDecoder(options: DecoderOptions): Decoder {
  const input = options.input ?? '-';
  // What is said to be binary begins as it likes.
  const isText =
    options.section === undefined &&
    !['cper', 'ghes', 'mce-erst', 'xen-mcelog', 'ipmi-sel'].includes(options.from ?? 'auto');
  const text = isText ? recoder() : undefined;
  const kept = new Kept();
  let head: Uint8Array | undefined = new Uint8Array(0);
  let headLength = 0;
  let lookedAt = 0;
  let [surely, sure, settled] = [false, false, false];
  let mayBeBinary = false;
  /** What takes the input once it is known how to read it. */
  let reader: ByteText | undefined;
  /** Where the bytes that it takes stand in the input; undefined where they are those of the input. */
  let origins: Utf16Places | undefined;
  /** What the first line of the item begins with that records are made of; of bytes there is none. */
  let stamp: string | number | undefined;

  function sourceOf({ form: from, firstLine, lastLine }: TextItem, places: LinePlaces): DecodedSource {
    const firstByte = places.startOf(firstLine);
    const endByte = places.endOf(lastLine);
    return firstByte === undefined || endByte === undefined
      ? { input, from, firstLine, lastLine }
      : { input, from, firstLine, lastLine, firstByte, endByte };
  }

  function emit(item: TextItem, source: DecodedSource, at: string | number | undefined): void {
    stamp = at;
    if (item.type === 'note') {
      note(item.note, source);
      return;
    }
    if (item.type === 'mca') {
      const { record } = item;
      if (record.cpuid === undefined && options.cpuid !== undefined) record.cpuid = options.cpuid;
      if (record.vendor === undefined) {
        const byCpu = record.cpuid === undefined ? undefined : vendorOfCpu(record.cpuid);
        // Only AMD has the register.
        const vendor = options.vendor ?? byCpu ?? (record.destat === undefined ? undefined : 'amd');
        if (vendor !== undefined) record.vendor = vendor;
      }
      emitMca(record, source, item.notes, item.bankUnknown !== true);
    } else if (item.type === 'event') {
      const record = recordOfEvent(item.name, item.fields);
      if (record === undefined) return;
      give(new EventDecoded(record.name, { ...record.fields, ...item.pages }, source, item.notes ?? []));
    } else if (item.type === 'foreign-event') {
      give(new EventDecoded(item.name, item.fields, source, []));
    } else if (item.type === 'bytes') {
      emitBytes(item, source);
    } else if (item.type === 'cper') {
      // What Linux prints of a section it prints of its banks too, as far as it looks at them.
      if (item.form === 'windows') emitCper(item.record, source, item.notes);
      else give(new CperDecoded(item.record, source, item.notes, item.extlog === true));
    } else give(new ArmDecoded(item.record, source, item.notes));
  }

  function give(record: LazyRecord): void {
    record.stamp = stamp;
    options.onRecord(record);
  }

  /** The errors of a bank: one of scalable MCA may hold a deferred one beside that of its status. */
  function emitMca(bank: X86McaRecord, source: DecodedSource, notes: readonly Diagnostic[], bankKnown = true): void {
    // What `--json` printed has a deferred error as a record of its own already.
    if (bank.destat === undefined || source.from === 'record') {
      give(new McaDecoded(bank, source, notes, kept, bankKnown));
      return;
    }
    for (const { record, fromDestat } of errorsOf(bank)) {
      const all = fromDestat ? [...notes, { code: 'W_MCA_DESTAT', message: FROM_DESTAT }] : notes;
      give(new McaDecoded(record, source, all, kept, bankKnown));
    }
  }

  /** A remark about the text of the input. */
  function note({ offset, ...rest }: Diagnostic, source: DecodedSource): void {
    // Most readers know the line only; so does everyone of what was another encoding.
    const given = offset === undefined || origins !== undefined ? undefined : offset + (text?.mark ?? 0);
    const at = given ?? source.firstByte;
    options.onDiagnostic?.(at === undefined ? rest : { ...rest, offset: at }, source);
  }

  function start(bytes: Uint8Array, ended: boolean): void {
    head = undefined;
    const from = options.from ?? (options.section === undefined ? 'auto' : 'cper');
    const detection = detect(bytes, ended, from, options.esr);
    options.onDetected?.(detection);
    if (text?.recoded === true) origins = new Utf16Places(text);
    const isLog = detection.form === 'log';
    const columns = isLog && !settled ? columnsOf(bytes) : undefined;
    const frame = isLog && columns === undefined ? frameOf(utf8Decoder.decode(wholeLines(bytes, ended))) : undefined;
    reader = detection.binary === undefined ? lineReader(detection.form, columns, frame) : byteReader(detection);
    read(bytes);
  }

  function read(bytes: Uint8Array): void {
    origins?.piece(bytes);
    reader?.push(bytes);
  }

  function lineReader(form: Detection['form'], columns: number | undefined, frame: Frame | undefined): ByteText {
    const before = origins === undefined ? (text?.mark ?? 0) : 0;
    const places = new LinePlaces(before, PLACES[form] ?? LOG_PLACES, origins);
    const stamps = form === 'log' ? new LineStamps(LOG_STAMPS) : undefined;
    const sink: ItemSink = item => emit(item, sourceOf(item, places), item.stamp ?? stamps?.of(item.firstLine));
    // Where a terminal broke the lines a word may stand in two rows: these are searched when they are put together.
    const broken = columns === undefined ? undefined : { width: columns, over: () => scanner.search(NEEDLES) };
    const taker =
      form === 'value'
        ? new ValueReader(sink, options.esr ? { esr: true } : {})
        : form === 'journal-export'
          ? new JournalExportReader(sink, input, places)
          : form === 'mce-inject'
            ? new MceInjectReader(sink, input)
            : new LogReader(sink, input, broken, frame);
    const scanner: LineScanner = new LineScanner(
      stamps === undefined ? taker : stamped(taker, stamps),
      form === 'log' && columns === undefined ? NEEDLES : undefined,
      true,
      places,
    );
    return {
      push: bytes => scanner.push(bytes),
      end() {
        scanner.end();
        taker.end();
      },
    };
  }

  /** Reads bytes, or text that stands for bytes. */
  function byteReader({ form, text: open }: Detection): ByteText {
    let taken = 0;
    /** One section does not begin anew. */
    let broken = false;
    let told = false;
    const isText = open !== undefined;
    let binary = binaryReader(form, 0, isText);
    if (open === undefined) return binary;
    const bytes = open({
      bytes(bytes) {
        taken += bytes.length;
        if (!broken) binary.push(bytes);
        else if (!told) {
          told = true;
          options.onDiagnostic?.({ code: 'E_INPUT_BYTES', message: ONE_SECTION }, { input, from: 'cper' });
        }
      },
      broken(message, offset, line) {
        const source = { input, from: form === 'xen-mcelog' ? form : 'cper', firstLine: line, lastLine: line } as const;
        if (options.section !== undefined) {
          if (message !== undefined && !told) {
            note({ code: 'E_INPUT_BYTES', message: `${message}; ${ONE_SECTION}`, offset }, source);
            told = true;
          }
          broken = true;
          return;
        }
        if (message !== undefined) note({ code: 'E_INPUT_BYTES', message, offset }, source);
        binary.end();
        binary = binaryReader(form, taken, isText);
      },
    });
    return {
      push: piece => bytes.push(piece),
      end() {
        bytes.end();
        binary.end();
      },
    };
  }

  /** Reads bytes of which the first is the `offset`th of the input, or of what its text stands for. */
  function binaryReader(form: Detection['form'], offset: number, isText: boolean): BinaryReader {
    const note = ({ offset: at, ...rest }: Diagnostic): void => {
      // Places of the input are those of its text.
      const place = isText ? { message: `${rest.message} (at byte ${at} of the decoded bytes)` } : { offset: at };
      const said = at === undefined ? rest : { ...rest, ...place };
      options.onDiagnostic?.(said as Diagnostic, { input, from: form === 'xen-mcelog' ? form : 'cper' });
    };
    const { section } = options;
    const counted = isText ? ({ bytesOf: 'decoded' } as const) : {};
    if (section !== undefined) {
      return wholeReader(offset, {
        whole(bytes) {
          const source = { input, from: 'cper-section', firstByte: 0, endByte: bytes.length, ...counted } as const;
          emitSection(section, bytes, source);
        },
        note,
      });
    }
    if (form === 'mce-erst') {
      return wholeReader(offset, {
        whole(bytes) {
          let at = offset;
          for (const one of linuxMcesIn(bytes) ?? [bytes]) {
            const source = { input, from: 'mce-erst', firstByte: at, endByte: at + one.length, ...counted } as const;
            emitMca(mcaOfStructMce(one), source, []);
            at += one.length;
          }
        },
        note,
      });
    }
    if (form === 'xen-mcelog') {
      return xenReader(offset, {
        record(record, at) {
          const source = { input, from: 'xen-mcelog', firstByte: at, endByte: at + XEN_MCE_BYTES, ...counted } as const;
          options.onRecord(new McaDecoded(record, source, [], kept));
        },
        note,
      });
    }
    if (form === 'ipmi-sel') {
      return rowReader(offset, SEL_BYTES, {
        row(bytes, at) {
          const event = selEvent([...bytes]);
          const record = event === undefined ? undefined : recordOfEvent(event.name, event.fields);
          if (record === undefined) return;
          const source = { input, from: 'ipmi-sel', firstByte: at, endByte: at + SEL_BYTES, ...counted } as const;
          give(new EventDecoded(record.name, record.fields, source, []));
        },
        rest(length, at) {
          const message = `${length} bytes at the end are no whole record of an event log, which has ${SEL_BYTES}`;
          note({ code: 'E_INPUT_SEL', message, offset: at });
        },
      });
    }
    return cperReader(offset, {
      record({ offset: firstByte, end: endByte, record, diagnostics }) {
        const from = record.header === undefined ? 'ghes' : 'cper';
        emitCper(record, { input, from, firstByte, endByte, ...counted }, diagnostics);
      },
      note,
    });
  }

  /** What a text within a line stands for: firmware records, or one section. */
  function emitBytes({ as, text: digits, section }: TextItem & { type: 'bytes' }, source: DecodedSource): void {
    const said = ({ offset: at, ...rest }: Diagnostic): void => {
      const message = at === undefined ? rest.message : `${rest.message} (at byte ${at} of the decoded bytes)`;
      options.onDiagnostic?.({ ...rest, message }, source);
    };
    const binary =
      section === undefined
        ? cperReader(0, { record: found => emitCper(found.record, source, found.diagnostics), note: said })
        : wholeReader(0, { whole: bytes => emitSection(section, bytes, source), note: said });
    const bytes = new (as === 'hex' ? HexText : Base64Text)({
      bytes: part => binary.push(part),
      broken: message => message === undefined || said({ code: 'E_INPUT_BYTES', message }),
    });
    bytes.push(utf8.encode(digits));
    bytes.end();
    binary.end();
  }

  function emitSection(type: string, bytes: Uint8Array, source: DecodedSource): void {
    const { value: body, diagnostics } = decodeSection(type, bytes);
    const section: CperSection = { type, severity: 'none', revision: 0x300, flags: 0, body };
    const record: CperRecord = { kind: 'cper', severity: 'none', sections: [section] };
    emitCper(record, source, diagnostics);
  }

  /** The record, and the machine check banks that its processor sections carry. */
  function emitCper(record: CperRecord, source: DecodedSource, diagnostics: readonly Diagnostic[]): void {
    const decoded = new CperDecoded(record, source, diagnostics);
    const within = { within: decoded.ofPreviousBoot ? 'previous-boot' : 'report' } as const;
    give(decoded);
    for (const { body } of record.sections) {
      // Linux took its own from the CPU.
      const taken = body.kind === 'linux-mce' ? {} : within;
      for (const bank of banksOfSection(body)) emitMca({ ...bank, ...taken }, source, []);
    }
  }

  return {
    row(table, id, row) {
      const item = rasRow(table, row);
      if (item === undefined) return false;
      const time = row['timestamp'];
      const source = { input, from: item.form, table, ...(id === undefined ? {} : { row: id }) };
      emit(item, source, typeof time === 'string' ? time.slice(0, 40) : undefined);
      return true;
    },
    push(chunk) {
      const bytes = typeof chunk === 'string' ? utf8.encode(chunk) : chunk;
      pushed(text === undefined ? bytes : text.take(bytes));
    },
    end() {
      if (text !== undefined) pushed(text.end());
      if (head !== undefined) start(head.subarray(0, headLength), true);
      reader?.end();
      reader = undefined;
    },
  };

  /** Whether the lines that end in `part` settle what the input is; none is looked at twice. */
  function settledBy(part: Uint8Array, there: Uint8Array): boolean {
    if (mayBeBinary || (options.from ?? 'auto') !== 'auto' || !part.includes(NEWLINE)) return false;
    mayBeBinary = there.includes(0, lookedAt);
    surely ||= surelyLog(there, lookedAt, options.esr) !== undefined;
    // Line by line, so that it does not matter how many of them came together.
    for (let at = there.indexOf(NEWLINE, lookedAt); at >= 0; at = there.indexOf(NEWLINE, lookedAt)) {
      lookedAt = at + 1;
      sure ||= surely && surelyLog(there.subarray(0, lookedAt), 0, options.esr) !== undefined;
      const whole = there.subarray(0, lookedAt);
      if (sure && !mayBeBroken(whole) && !mayBeFramed(utf8Decoder.decode(whole))) return (settled = true);
    }
    return false;
  }

  function pushed(bytes: Uint8Array): void {
    if (head === undefined) {
      read(bytes);
      return;
    }
    // The decision is made on the same bytes wherever the chunks end.
    const part = bytes.subarray(0, HEAD - headLength);
    if (head.length < headLength + part.length) {
      const bigger = new Uint8Array(Math.min(HEAD, 2 * (headLength + part.length)));
      bigger.set(head.subarray(0, headLength));
      head = bigger;
    }
    head.set(part, headLength);
    headLength += part.length;
    const there = head.subarray(0, headLength);
    if (headLength < HEAD && !settledBy(part, there)) return;
    start(there, false);
    if (bytes.length > part.length) read(bytes.subarray(part.length));
  }
}

/**
 * Decodes a whole input at once.
 *
 * @example
 * const { records } = decode('kernel: mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 9: 9c00000000000135\n');
 * records[0].severity // 'corrected'
 * records[0].source.firstLine // 1
 */
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
