/** @module One stream of log lines: the readers of the programs that may write into it, and who gets a line. */
import type { ItemSink } from './item.ts';
import { KernelReader } from './linux/kernel-reader.ts';
import { KernelTraceReader } from './linux/kernel-trace-reader.ts';
import { MAX_LINE, cleanLine, isPrinted, isSource, syslogLine } from './transport/line.ts';
import { QemuReader } from './qemu/qemu-reader.ts';
import type { Reader } from './reader.ts';
import { TOOLS, toolOf } from './tools/registry.ts';
import { mceCommand } from './values/values.ts';
import { TAG, XenReader } from './xen/xen-reader.ts';

/** Who writes what Xen says into a log: dom0's kernel, and what reads its console. */
const XEN_PROGRAMS = /^(?:kernel$|xen|xl$|xm$|hypervisor)/;

export class LogContext {
  readonly kernel: KernelReader;
  readonly qemu: QemuReader;
  readonly #xen: XenReader;
  readonly #trace: KernelTraceReader;
  /** Those of TOOLS, in their order. */
  readonly #tools: readonly Reader[];
  readonly #sink: ItemSink;
  /** What the tools have open, asked for again only when one of them was given something: most lines are the kernel's. */
  #asked = false;
  #toolsWant = false;
  #toolsSince = Number.POSITIVE_INFINITY;

  constructor(sink: ItemSink, input: string) {
    this.#sink = sink;
    this.kernel = new KernelReader(sink, input);
    this.qemu = new QemuReader(sink);
    this.#xen = new XenReader(sink, input, () => this.kernel.end());
    this.#trace = new KernelTraceReader(sink, undefined, input);
    this.#tools = TOOLS.map(tool => tool.open(sink, input));
  }

  /** True while something is open whose lines carry no word to look for. */
  get wanted(): boolean {
    if (this.kernel.wanted || this.qemu.wanted) return true;
    this.#ask();
    return this.#toolsWant;
  }

  /** The first line of the oldest record that is open; Infinity when none is. */
  get since(): number {
    this.#ask();
    return Math.min(this.kernel.since, this.qemu.since, this.#toolsSince);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#toolsWant = this.#tools.some(tool => tool.wanted === true);
    this.#toolsSince = Math.min(...this.#tools.map(tool => tool.since ?? Number.POSITIVE_INFINITY));
  }

  /** A line with whatever prefixes its transport gave it; returns whether a reader took it. */
  line(raw: string, lineNumber: number): boolean {
    if (isSource(raw.slice(0, MAX_LINE)) && !isPrinted(raw)) return false;
    if (!raw.includes(TAG)) return this.#plain(raw, lineNumber);
    const line = cleanLine(raw);
    const { text, program } = syslogLine(line);
    if (program !== undefined) {
      if (!text.startsWith(TAG) || !XEN_PROGRAMS.test(program)) return this.#plain(line, lineNumber);
      return this.#xen.push(text.slice(TAG.length), lineNumber);
    }
    const tag = line.indexOf(TAG);
    // Xen may start in the middle of a dom0 line.
    if (tag > 0) this.#plain(line.slice(0, tag), lineNumber);
    return tag >= 0 && this.#xen.push(line.slice(tag + TAG.length), lineNumber);
  }

  /** A message whose program is known, such as journald delivers it. */
  message(text: string, program: string | undefined, lineNumber: number): void {
    if (program === undefined) this.line(text, lineNumber);
    else if (program === 'kernel') {
      if (text.includes(TAG)) this.line(text, lineNumber);
      else if (!this.kernel.push(text, lineNumber) && !this.#trace.push(text, lineNumber)) {
        this.#program(text, 'kernel', lineNumber);
      }
    } else this.#program(text, program, lineNumber);
  }

  skipped(lines: number): void {
    this.kernel.skipped(lines);
    this.#asked = false;
    for (const tool of this.#tools) tool.skipped?.(lines);
  }

  end(): void {
    this.kernel.end();
    this.#xen.end();
    this.#asked = false;
    for (const tool of this.#tools) tool.end();
  }

  #program(text: string, program: string, lineNumber: number): boolean {
    const tool = this.#tools[toolOf(program)];
    this.#asked = false;
    if (tool !== undefined) return tool.push(text, lineNumber);
    return program.startsWith('qemu') && this.qemu.push(text, lineNumber);
  }

  #plain(raw: string, lineNumber: number): boolean {
    const { text, program } = syslogLine(raw);
    if (program !== undefined && program !== 'kernel') return this.#program(text, program, lineNumber);
    if (this.kernel.push(raw, lineNumber)) return true;
    // Linux is not the only one that is called so.
    if (program !== undefined) return this.#trace.push(text, lineNumber) || this.#program(text, program, lineNumber);
    // Before the tools: mcelog's blocks have no end of their own, and take what follows for theirs.
    const command = mceCommand(text);
    if (command?.record.kind === 'x86-mca') {
      const place = { form: 'value', firstLine: lineNumber, lastLine: lineNumber } as const;
      this.#sink({ type: 'mca', ...place, record: command.record, notes: command.notes });
      return true;
    }
    return this.tool(text, lineNumber);
  }

  /** A line of a program that is not known, without prefixes; any but the kernel's own. */
  tool(text: string, lineNumber: number): boolean {
    this.#asked = false;
    return (
      this.#trace.push(text, lineNumber) ||
      this.#tools.some(tool => tool.push(text, lineNumber)) ||
      this.qemu.push(text, lineNumber)
    );
  }
}
