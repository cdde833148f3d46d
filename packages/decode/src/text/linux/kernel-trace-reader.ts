/**
 * @module Lines of the kernel's trace events, as trace and trace_pipe of a tracefs, `trace-cmd report` and `perf script` print
 * them: `kworker/0:1-12 [000] ..... 12.345678: memory_failure_event: pfn 0x5000: …`. Source: include/ras/ras_event.h of Linux.
 */
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

const NAME = 'memory_failure_event: ';
/** The text that the event has in every kernel; the words in it are looked up by whoever printed it. */
const PRINTED = /^ {0,8}pfn (0x[0-9a-f]{1,16}|0): recovery action for (.{1,64}): (\w{1,16})$/s;
/** kernel/trace/trace.c, where a reader was too slow. */
const LOST = /^CPU:(\d{1,6}) \[LOST (\d{1,15}) EVENTS\]$/;

/** What stands behind the event's name, as its fields; undefined where it is not what the event prints. */
export type PrintedFields = (text: string) => Readonly<Record<string, string>> | undefined;

const printed: PrintedFields = text => {
  const [, pfn, type, result] = PRINTED.exec(text) ?? [];
  return pfn === undefined || type === undefined || result === undefined ? undefined : { pfn, type, result };
};

/** Reads single lines; nothing is kept between them. */
export class KernelTraceReader implements Reader {
  readonly #sink: ItemSink;
  readonly #fields: PrintedFields;

  /** @param fields by the format file of the kernel that prints, where there is one (trace-format.ts) */
  constructor(sink: ItemSink, fields: PrintedFields = printed) {
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
    const pfn = hexU64(said?.['pfn']);
    if (said === undefined || pfn === undefined) return false;
    const fields = { pfn, page: said['type'] ?? '', result: said['result'] ?? '' };
    this.#sink(eventItem('tracefs', lineNumber, { name: 'memory-failure', fields }));
    return true;
  }

  end(): void {}
}
