/** @module One stream of log lines: the readers of the programs that may write into it, and who gets a line. */
import type { ItemSink } from './item.ts';
import { KernelReader } from './linux/kernel-reader.ts';
import { cleanLine, syslogLine } from './transport/line.ts';
import { McelogReader } from './tools/mcelog-reader.ts';
import { QemuReader } from './qemu/qemu-reader.ts';
import { RasdaemonReader } from './tools/rasdaemon-reader.ts';
import { mceCommand } from './values/values.ts';
import { TAG, XenReader } from './xen/xen-reader.ts';

export class LogContext {
  readonly kernel: KernelReader;
  readonly qemu: QemuReader;
  readonly #xen: XenReader;
  readonly #mcelog: McelogReader;
  readonly #rasdaemon: RasdaemonReader;
  readonly #sink: ItemSink;

  constructor(sink: ItemSink, input: string) {
    this.#sink = sink;
    this.kernel = new KernelReader(sink, input);
    this.qemu = new QemuReader(sink);
    this.#xen = new XenReader(sink, input, () => this.kernel.end());
    this.#mcelog = new McelogReader(sink, input);
    this.#rasdaemon = new RasdaemonReader(sink, input);
  }

  /** True while something is open whose lines carry no word to look for. */
  get wanted(): boolean {
    return this.kernel.wanted || this.#mcelog.wanted;
  }

  /** The first line of the oldest record that is open; Infinity when none is. */
  get since(): number {
    return Math.min(this.kernel.since, this.#mcelog.since);
  }

  /** A line with whatever prefixes its transport gave it. */
  line(raw: string, lineNumber: number): void {
    const at = raw.indexOf(TAG);
    if (at < 0) {
      this.#plain(raw, lineNumber);
      return;
    }
    const line = cleanLine(raw);
    const tag = line.indexOf(TAG);
    // Xen may start in the middle of a dom0 line; a syslog prefix is no such line.
    if (tag > 0 && syslogLine(line).program === undefined) this.#plain(line.slice(0, tag), lineNumber);
    if (tag >= 0) this.#xen.push(line.slice(tag + TAG.length), lineNumber);
  }

  /** A message whose program is known, such as journald delivers it. */
  message(text: string, program: string | undefined, lineNumber: number): void {
    if (program === undefined || program === 'kernel') {
      if (text.includes(TAG)) this.line(text, lineNumber);
      else this.kernel.push(text, lineNumber);
    } else this.#program(text, program, lineNumber);
  }

  skipped(lines: number): void {
    this.kernel.skipped(lines);
    this.#mcelog.skipped(lines);
  }

  end(): void {
    this.kernel.end();
    this.#xen.end();
    this.#mcelog.end();
  }

  #program(text: string, program: string, lineNumber: number): boolean {
    if (program === 'mcelog') return this.#mcelog.push(text, lineNumber);
    if (program === 'rasdaemon') return this.#rasdaemon.push(text, lineNumber);
    return program.startsWith('qemu') && this.qemu.push(text, lineNumber);
  }

  #plain(raw: string, lineNumber: number): void {
    const { text, program } = syslogLine(raw);
    if (program !== undefined && program !== 'kernel') {
      this.#program(text, program, lineNumber);
      return;
    }
    if (this.kernel.push(raw, lineNumber) || program !== undefined) return;
    // Before mcelog: its blocks have no end of their own, and take what follows for theirs.
    const command = mceCommand(text);
    if (command?.record.kind === 'x86-mca') {
      const place = { form: 'value', firstLine: lineNumber, lastLine: lineNumber } as const;
      this.#sink({ type: 'mca', ...place, record: command.record, notes: command.notes });
      return;
    }
    if (this.#mcelog.push(text, lineNumber)) return;
    if (this.#rasdaemon.push(text, lineNumber)) return;
    this.qemu.push(text, lineNumber);
  }
}
