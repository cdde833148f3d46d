/** @module The front door: any input in, decoded records out, with bounded memory. */
import type { CperRecord, CperSection } from '../cper/record.ts';
import { decodeCper } from '../cper/region.ts';
import { decodeSection } from '../cper/sections.ts';
import { mcaBanksOf } from '../cper/x86-mca.ts';
import { vendorOfCpu } from '../mca/cpu.ts';
import type { McaVendor, X86McaRecord } from '../mca/record.ts';
import { errorsOf } from '../mca/smca-extra.ts';
import { decodeXenMcelog } from '../mca/xen-mcelog.ts';
import type { TextItem } from '../text/item.ts';
import { JournalExportReader } from '../text/journal-export.ts';
import { MAX_LINE } from '../text/line.ts';
import { LineScanner } from '../text/line-scanner.ts';
import type { LineTaker } from '../text/line-scanner.ts';
import { LOG_NEEDLES, LogReader } from '../text/log-reader.ts';
import { MceInjectReader } from '../text/mce-inject-reader.ts';
import { NeedleSet } from '../text/needles.ts';
import { values } from '../text/values.ts';
import { ArmDecoded } from './arm-record.ts';
import { CperDecoded } from './cper-record.ts';
import { detect, surelyLog } from './detect.ts';
import type { Detection } from './detect.ts';
import type { Form } from './form.ts';
import { EventDecoded } from './event-record.ts';
import { McaDecoded } from './mca-record.ts';
import type { DecodedRecord, DecodedSource, Diagnostic } from './record.ts';
import { recoder } from './utf16.ts';

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

const FROM_DESTAT = 'the deferred error of MCA_DESTAT and MCA_DEADDR; the status is that of MCA_DESTAT';

const utf8 = new TextEncoder();
const NEEDLES = new NeedleSet(LOG_NEEDLES);

function mceInjectTaker(reader: MceInjectReader): LineTaker & { end(): void } {
  const text = new TextDecoder();
  return {
    line(bytes, start, end, lineNumber) {
      reader.message(text.decode(bytes.subarray(start, Math.min(end, start + MAX_LINE))), lineNumber);
      return false;
    },
    skipped: () => {},
    end: () => reader.end(),
  };
}

/** Makes a decoder. It never throws on data; what `onRecord` throws passes through. */
export function createDecoder(options: DecoderOptions): Decoder {
  const input = options.input ?? '-';
  // What is said to be binary begins as it likes.
  const isText = options.section === undefined && !['cper', 'ghes', 'xen-mcelog'].includes(options.from ?? 'auto');
  const text = isText ? recoder() : undefined;
  let head: Uint8Array | undefined = new Uint8Array(0);
  let scanner: LineScanner | undefined;
  let log: (LineTaker & { end(): void }) | undefined;
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
      if (record.cpuid === undefined && options.cpuid !== undefined) record.cpuid = options.cpuid;
      if (record.vendor === undefined) {
        const byCpu = record.cpuid === undefined ? undefined : vendorOfCpu(record.cpuid);
        // Only AMD has the register.
        const vendor = options.vendor ?? byCpu ?? (record.destat === undefined ? undefined : 'amd');
        if (vendor !== undefined) record.vendor = vendor;
      }
      emitMca(record, source, item.notes, item.bankUnknown !== true);
    } else if (item.type === 'event') options.onRecord(new EventDecoded(item.name, item.fields, source, []));
    else if (item.type === 'cper')
      options.onRecord(new CperDecoded(item.record, source, item.notes, item.extlog === true));
    else options.onRecord(new ArmDecoded(item.record, source, item.notes));
  }

  /** The errors of a bank: one of scalable MCA may hold a deferred one beside that of its status. */
  function emitMca(bank: X86McaRecord, source: DecodedSource, notes: readonly Diagnostic[], bankKnown = true): void {
    // What `--json` printed has a deferred error as a record of its own already.
    if (bank.destat === undefined || source.from === 'record') {
      options.onRecord(new McaDecoded(bank, source, notes, bankKnown));
      return;
    }
    for (const { record, fromDestat } of errorsOf(bank)) {
      const all = fromDestat ? [...notes, { code: 'W_MCA_DESTAT', message: FROM_DESTAT }] : notes;
      options.onRecord(new McaDecoded(record, source, all, bankKnown));
    }
  }

  function start(bytes: Uint8Array, ended: boolean): void {
    head = undefined;
    const detection = detect(
      bytes,
      ended,
      options.from ?? (options.section === undefined ? 'auto' : 'cper'),
      options.esr,
    );
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
    if (detection.form === 'journal-export') log = new JournalExportReader(emit, input);
    else if (detection.form === 'mce-inject') log = mceInjectTaker(new MceInjectReader(emit, input));
    else log = new LogReader(emit, input);
    scanner = new LineScanner(log, detection.form === 'log' ? NEEDLES : undefined);
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
    const whole: DecodedSource = { input, from: 'cper', firstByte: 0, endByte: bytes.length };
    if (options.section !== undefined) {
      const { value: body, diagnostics } = decodeSection(options.section, bytes);
      const section: CperSection = { type: options.section, severity: 'none', revision: 0x300, flags: 0, body };
      const record: CperRecord = { kind: 'cper', severity: 'none', sections: [section] };
      emitCper(record, { ...whole, from: 'cper-section' }, diagnostics);
      return;
    }
    if (binary.detection.form === 'xen-mcelog') {
      for (const record of decodeXenMcelog(bytes)) {
        options.onRecord(new McaDecoded(record, { ...whole, from: 'xen-mcelog' }, []));
      }
      return;
    }
    const { value, diagnostics } = decodeCper(bytes);
    const { records } = value;
    records.forEach(({ offset, record }, i) => {
      const end = records[i + 1]?.offset ?? bytes.length;
      const from = record.header === undefined ? 'ghes' : 'cper';
      const mine = diagnostics.filter(d => d.offset >= offset && d.offset < end && d.code !== 'E_CPER_UNKNOWN');
      emitCper(record, { input, from, firstByte: offset, endByte: end }, mine);
    });
    for (const d of diagnostics)
      if (d.code === 'E_CPER_UNKNOWN' || records.length === 0) options.onDiagnostic?.(d, whole);
  }

  /** The record, and the machine check banks that its processor sections carry. */
  function emitCper(record: CperRecord, source: DecodedSource, diagnostics: readonly Diagnostic[]): void {
    const decoded = new CperDecoded(record, source, diagnostics);
    const within = decoded.ofPreviousBoot ? 'previous-boot' : 'report';
    options.onRecord(decoded);
    for (const { body } of record.sections) {
      if (body.kind !== 'x86-processor') continue;
      for (const bank of mcaBanksOf(body)) emitMca({ ...bank, within }, source, []);
    }
  }

  return {
    push(chunk) {
      const bytes = typeof chunk === 'string' ? utf8.encode(chunk) : chunk;
      pushed(text === undefined ? bytes : text.take(bytes));
    },
    end() {
      if (text !== undefined) pushed(text.end());
      if (head !== undefined) start(head, true);
      scanner?.end();
      log?.end();
      endBinary();
      scanner = undefined;
      log = undefined;
      binary = undefined;
    },
  };

  function pushed(bytes: Uint8Array): void {
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
    if (head.length < HEAD && !((options.from ?? 'auto') === 'auto' && surelyLog(head) !== undefined)) return;
    start(joined, false);
    if (bytes.length > need) pushed(bytes.subarray(need));
  }
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
