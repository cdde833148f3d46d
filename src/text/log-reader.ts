/**
 * @module Any log, line by line, to the reader of the program that wrote the line: Linux, Xen, QEMU, QMP, journald,
 * mcelog, rasdaemon, a trace of the lab. Implements the line scanner's taker.
 */
import type { ItemSink, TextForm } from './item.ts';
import { KernelReader } from './kernel-reader.ts';
import { cleanLine, syslogLine } from './line.ts';
import type { LineTaker } from './line-scanner.ts';
import { NeedleSet } from './needles.ts';
import { QemuReader } from './qemu-reader.ts';
import { TAG } from './xen.ts';
import { XenReader } from './xen-reader.ts';
import { mceCommand } from './values.ts';

/** Words that every line which can matter holds, except in blocks that a line with one of them opened. */
export const LOG_NEEDLES: readonly string[] = [
  '[Hardware Error]',
  'Machine Check',
  'Machine check',
  'hardware memory',
  'ardware memory error',
  'Memory failure',
  'Memory error not',
  'accessed poison',
  'MSR access error',
  'ffline: ',
  'offlining pfn',
  'njecting memory failure',
  'Unpoison: ',
  'SError Interrupt',
  'Internal error: ',
  'Kernel panic',
  'Linux version',
  '(XEN) ',
  'MCE Memory Error',
  'MEMORY_FAILURE',
  'triple fault',
  'reporting disabled',
  'mce 0',
];

const decoder = new TextDecoder();

export interface LogReaderOptions {
  /** Name of the input in record origins. */
  input: string;
  /** Only this program's lines are read; the default is to tell them apart line by line. */
  form?: TextForm;
}

export class LogReader implements LineTaker {
  readonly needles: NeedleSet | undefined;
  readonly #kernel: KernelReader;
  readonly #xen: XenReader;
  readonly #qemu: QemuReader;
  readonly #sink: ItemSink;

  constructor(sink: ItemSink, options: LogReaderOptions) {
    this.#sink = sink;
    this.needles = new NeedleSet(LOG_NEEDLES);
    this.#kernel = new KernelReader(sink, options.input);
    this.#xen = new XenReader(sink, options.input);
    this.#qemu = new QemuReader(sink);
  }

  line(bytes: Uint8Array, start: number, end: number, lineNumber: number): boolean {
    if (!this.#kernel.bytes(bytes, start, end, lineNumber)) {
      this.text(decoder.decode(bytes.subarray(start, end)), lineNumber);
    }
    return this.#kernel.wanted;
  }

  /** A line as a string. */
  text(raw: string, lineNumber: number): void {
    const xen = raw.indexOf(TAG);
    if (xen >= 0) {
      const line = cleanLine(raw);
      const at = line.indexOf(TAG);
      if (at > 0) this.#linux(line.slice(0, at), lineNumber);
      if (at >= 0) this.#xen.message(line.slice(at + TAG.length), lineNumber);
      return;
    }
    this.#linux(raw, lineNumber);
  }

  skipped(lines: number): void {
    this.#kernel.skipped(lines);
  }

  end(): void {
    this.#kernel.end();
    this.#xen.end();
  }

  #linux(raw: string, lineNumber: number): void {
    const { text, program } = syslogLine(raw);
    if (program !== undefined && program !== 'kernel') {
      if (program.startsWith('qemu')) this.#qemu.message(text, lineNumber);
      return;
    }
    if (this.#kernel.line(raw, lineNumber)) return;
    if (program !== undefined) return;
    if (this.#qemu.message(text, lineNumber)) return;
    const command = mceCommand(text);
    if (command?.record.kind === 'x86-mca') {
      this.#sink({
        type: 'mca',
        form: 'value',
        record: command.record,
        notes: command.notes,
        firstLine: lineNumber,
        lastLine: lineNumber,
      });
    }
  }
}
