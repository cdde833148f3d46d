/**
 * @module The kernel's `memory_failure_event`, and `mc_event` of the memory controllers' drivers where there is one, from a trace instance of our
 * own: nobody else's tracing is touched.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import { kernelTraceEvents } from '@syndrome/decode/text/event-reader.ts';
import { printedFields, type TraceFormat, traceFormat } from '@syndrome/decode/text/linux/trace-format.ts';
import { keepReading, type ReconnectOptions } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import { wallOf } from './kmsg.ts';
import { readRecords } from './poll-reader.ts';

const EVENT = 'memory_failure_event';
/** It moved (commit 31807483d395) and moved back (e57d6e9e20b5). */
const PLACES = ['events/ras', 'events/memory_failure'] as const;
/** Of include/ras/ras_event.h: corrected errors, with the DIMM. */
const CONTROLLERS = 'events/ras/mc_event';
/** Since boot, by the clock of the kernel's log: what is told there as well is known by its time. */
const STAMP = / (\d{1,10})\.(\d{6}): /;
/** Of the instance. */
const INSTANCE = 'instances/syndrome';
const MAX_RAW = 512;
/** Of what is read of a line so far. */
const MAX_LINE = 4096;

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

interface TraceOptions extends ReconnectOptions {
  /** The mounted tracefs. Default `/sys/kernel/tracing`. */
  root?: string;
  pollMs?: number;
}

/** What a driver tells is told by the kernel's log, too, at the same time. */
function whenOf({ name }: LogEvent, line: string): { when?: number } {
  const [, seconds, us] = name.startsWith('host.edac-') ? (STAMP.exec(line) ?? []) : [];
  return seconds === undefined ? {} : { when: wallOf(Number(seconds) * 1e6 + Number(us)) };
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
        if (existsSync(join(instance, CONTROLLERS))) writeFileSync(join(instance, CONTROLLERS, 'enable'), '1');
        const reader = kernelTraceEvents('host', printedFields(found.format));
        let rest = '';
        const take = (text: string): void => {
          const lines = (rest + text).split('\n');
          rest = (lines.pop() ?? '').slice(-MAX_LINE);
          for (const line of lines) {
            for (const event of reader.push(line)) {
              if (event.name === 'host.trace-lost')
                sink({ kind: 'source', source: 'tracefs', state: 'back', gapMs: 0, lostEvents: event.fields.count });
              else
                sink({ kind: 'event', source: 'tracefs', event, ...whenOf(event, line), raw: line.slice(0, MAX_RAW) });
            }
          }
        };
        session.up();
        await readRecords(join(instance, 'trace_pipe'), take, {
          signal: session.signal,
          pollMs,
          alive: pulse,
          lost: () => undefined,
        });
      },
      sink,
      signal,
      this.#options,
    );
  }
}
