/**
 * @module Lines of the kernel's trace events, as trace and trace_pipe of a tracefs, `trace-cmd report` and `perf script` print
 * them, and the console with tp_printk: `kworker/0:1-12 [000] ..... 12.345678: memory_failure_event: pfn 0x5000: …`. Source:
 * include/ras/ras_event.h of Linux.
 */
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { memoryFailureItem, printedMemoryFailure, traceItem } from './trace-events.ts';

const NAME = 'memory_failure_event: ';
/** kernel/trace/trace.c, where a reader was too slow. */
const LOST = /^CPU:(\d{1,6}) \[LOST (\d{1,15}) EVENTS\]$/;

/** What stands behind the event's name, as its fields; undefined where it is not what the event prints. */
export type PrintedFields = (text: string) => Readonly<Record<string, string>> | undefined;

/** Reads single lines; nothing is kept between them. */
export class KernelTraceReader implements Reader {
  readonly #sink: ItemSink;
  readonly #fields: PrintedFields;
  readonly #input: string;

  /** @param fields by the format file of the kernel that prints, where there is one (trace-format.ts) */
  constructor(sink: ItemSink, fields: PrintedFields = printedMemoryFailure, input = '') {
    this.#input = input;
    this.#sink = sink;
    this.#fields = fields;
  }

  push(text: string, lineNumber: number): boolean {
    const [, cpu, count] = LOST.exec(text) ?? [];
    if (count !== undefined) {
      const fields = { cpu: Number(cpu), count: Number(count) };
      this.#sink(eventItem('tracefs', lineNumber, { name: 'trace-lost', fields }));
      return true;
    }
    const at = text.indexOf(NAME);
    const said = at < 0 ? undefined : this.#fields(text.slice(at + NAME.length));
    const item = said === undefined ? traceItem(text, lineNumber, this.#input) : memoryFailureItem(said, lineNumber);
    if (item === undefined) return false;
    this.#sink(item);
    return true;
  }

  end(): void {}
}
