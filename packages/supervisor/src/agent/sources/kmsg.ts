/** @module The kernel log, from /dev/kmsg: record by record, so that nobody but the kernel speaks in it. */
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import { KmsgDecoder } from '@syndrome/decode/text/linux/kmsg-decoder.ts';
import type { Positions } from '../positions.ts';
import { bootId } from '../proc.ts';
import { keepReading, type ReconnectOptions } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import { readRecords } from './poll-reader.ts';

/** A raw line for a person is no longer. */
const MAX_RAW = 512;

interface KmsgOptions extends ReconnectOptions {
  /** Default `/dev/kmsg`. */
  path?: string;
  pollMs?: number;
  positions?: Positions;
}

/** The wall clock of a time since boot, ms UTC; what the kernel prints is behind suspends by as long as they were. */
export function wallOf(us: number): number {
  return Date.now() - Math.round(Number(process.hrtime.bigint() / 1000n - BigInt(us)) / 1000);
}

/** Reads the kernel log of this boot from its begin, or from where an earlier run was. */
export class KmsgSource implements Source {
  readonly name = 'kmsg';
  readonly #options: KmsgOptions;

  constructor(options: KmsgOptions = {}) {
    this.#options = options;
  }

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const { path = '/dev/kmsg', pollMs = 200, positions } = this.#options;
    const name = `kmsg:${bootId()}`;
    return keepReading(
      { source: 'kmsg' },
      async session => {
        const decoder = new KmsgDecoder(Number(positions?.get(name) ?? 0));
        let raw: string | undefined;
        let when: number | undefined;
        let sinceOpen = false;
        const say = (events: readonly LogEvent[]): void => {
          for (const event of events) {
            const seen = { kind: 'event', source: 'kmsg', event } as const;
            sink({ ...seen, ...(when === undefined ? {} : { when }), ...(raw === undefined ? {} : { raw }) });
          }
        };
        const take = (text: string): void => {
          const { events, lost, record } = decoder.push(text);
          if (lost > 0)
            sink({ kind: 'source', source: 'kmsg', state: 'back', gapMs: 0, lostEvents: lost, reason: 'overwritten' });
          if (record !== undefined) [raw, when] = [record.text.slice(0, MAX_RAW), wallOf(record.us)];
          if (events.length > 0) sinceOpen = true;
          else if (record?.facility === 0) sinceOpen = true;
          say(events);
        };
        session.up();
        await readRecords(path, take, {
          signal: session.signal,
          pollMs,
          lost: () => undefined, // the numbers of the records tell how many
          alive: pulse,
          idle: () => {
            if (!sinceOpen) return;
            sinceOpen = false;
            say(decoder.flush());
            positions?.set(name, String(decoder.next));
          },
        });
      },
      sink,
      signal,
      this.#options,
    );
  }
}
