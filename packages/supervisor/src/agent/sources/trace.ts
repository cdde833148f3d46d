/** @module The kernel's `memory_failure_event`, from a trace instance of our own: nobody else's tracing is touched. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { event, type LogEvent } from '@syndrome/decode/events/event.ts';
import { keepReading, type ReconnectOptions } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import { readRecords } from './poll-reader.ts';
import { printedFields, type TraceFormat, traceFormat } from './trace-format.ts';

const EVENT = 'memory_failure_event';
/** It moved (commit 31807483d395) and moved back (e57d6e9e20b5). */
const PLACES = ['events/ras', 'events/memory_failure'] as const;
/** Of the instance. */
const INSTANCE = 'instances/syndrome';
const MAX_RAW = 512;

/** Where the event is below a tracefs, with its format; undefined where this kernel has none. */
export function findTraceEvent(root: string): { place: string; format: TraceFormat } | undefined {
  for (const place of PLACES) {
    try {
      const format = traceFormat(readFileSync(join(root, place, EVENT, 'format'), 'utf8'));
      if (format !== undefined) return { place, format };
    } catch {
      // The other place, or none.
    }
  }
  return undefined;
}

/** Makes a reader of the lines of trace_pipe: the event of a line, or how many the kernel lost before it. */
export function traceReader(format: TraceFormat): (line: string) => { event?: LogEvent; lost?: number } {
  const fields = printedFields(format);
  const name = `${format.name}: `;
  return line => {
    const lost = /^CPU:\d+ \[LOST (\d+) EVENTS\]$/.exec(line)?.[1];
    if (lost !== undefined) return { lost: Number(lost) };
    const at = line.indexOf(name);
    const said = at < 0 ? undefined : fields(line.slice(at + name.length));
    const pfn = parseU64(said?.['pfn'] ?? '');
    if (said === undefined || pfn === undefined) return {};
    return { event: event('host.memory-failure', { pfn, page: said['type'] ?? '', result: said['result'] ?? '' }) };
  };
}

interface TraceOptions extends ReconnectOptions {
  /** The mounted tracefs. Default `/sys/kernel/tracing`. */
  root?: string;
  pollMs?: number;
}

/** Reads the event for as long as the agent runs. */
export class TraceSource implements Source {
  readonly name = 'tracefs';
  readonly #options: TraceOptions;

  constructor(options: TraceOptions = {}) {
    this.#options = options;
  }

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const { root = '/sys/kernel/tracing', pollMs = 200 } = this.#options;
    return keepReading(
      { source: 'tracefs' },
      async session => {
        const found = findTraceEvent(root);
        if (found === undefined) throw new Error(`this kernel has no ${EVENT} in ${PLACES.join(' or ')} of ${root}`);
        // It stays when the agent ends: what the kernel writes into it meanwhile is read by the next one.
        const instance = join(root, INSTANCE);
        mkdirSync(instance, { recursive: true });
        writeFileSync(join(instance, found.place, EVENT, 'enable'), '1');
        const read = traceReader(found.format);
        let rest = '';
        const take = (text: string): void => {
          const lines = (rest + text).split('\n');
          rest = (lines.pop() ?? '').slice(-MAX_RAW);
          for (const line of lines) {
            const { event: seen, lost } = read(line);
            if (lost !== undefined)
              sink({ kind: 'source', source: 'tracefs', state: 'back', gapMs: 0, lostEvents: lost });
            if (seen !== undefined)
              sink({ kind: 'event', source: 'tracefs', event: seen, raw: line.slice(0, MAX_RAW) });
          }
        };
        session.up();
        await readRecords(join(instance, 'trace_pipe'), take, {
          signal: session.signal,
          pollMs,
          idle: pulse,
          lost: () => undefined,
        });
      },
      sink,
      signal,
      this.#options,
    );
  }
}
