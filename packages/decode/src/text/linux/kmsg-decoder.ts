/**
 * @module Records of /dev/kmsg, one by one, so that nobody but the kernel speaks in them. Format:
 * Documentation/ABI/testing/dev-kmsg of Linux. What a record says begins with its text: names that users choose stand further on.
 */
import type { LogEvent } from '../../events/event.ts';
import { kernelMessages } from '../event-reader.ts';

interface KmsgRecord {
  /** 0 is the kernel; users can write all others. */
  facility: number;
  level: number;
  /** Grows by one with each record. */
  seq: number;
  /** Since boot, µs. */
  us: number;
  /** The task or CPU that printed it, where the kernel says so: `T12`, `C3`. */
  caller?: string;
  text: string;
}

/** A priority is the facility times this, and the level (RFC 5424 6.2.1). */
const LEVELS = 8;

/** Takes a record apart; undefined for what is none. Lines behind the first (its dictionary) are left out. */
export function kmsgRecord(record: string): KmsgRecord | undefined {
  const end = record.indexOf('\n');
  const line = end < 0 ? record : record.slice(0, end);
  const m = /^(\d{1,10}),(\d{1,16}),(\d{1,16}),[^,;]{0,16}((?:,[^;]{0,256})?);(.*)$/s.exec(line);
  if (m === null) return undefined;
  const [, prefix, seq, us, more = '', text = ''] = m;
  const caller = /(?:^|,)caller=([TC]\d{1,10})(?:,|$)/.exec(more)?.[1];
  return {
    facility: Math.floor(Number(prefix) / LEVELS),
    level: Number(prefix) % LEVELS,
    seq: Number(seq),
    us: Number(us),
    ...(caller === undefined ? {} : { caller }),
    text: text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  };
}

/** Events that are of the host's memory and its consequences: what else the kernel prints is not ours to keep. */
const isWanted = ({ name }: LogEvent): boolean => name !== 'host.boot';

/** Turns records into events, and counts those that were overwritten before they were read. */
export class KmsgDecoder {
  #reader = kernelMessages('host');
  #next: number | undefined;
  readonly #from: number;

  /** @param from records before it were read by an earlier run */
  constructor(from = 0) {
    this.#from = from;
  }

  /** The seq that is to come next. */
  get next(): number {
    return this.#next ?? this.#from;
  }

  /** Takes a record. */
  push(text: string): { events: LogEvent[]; lost: number; record: KmsgRecord | undefined } {
    const record = kmsgRecord(text);
    if (record === undefined) return { events: [], lost: 0, record };
    const expected = this.#next ?? (this.#from > 0 ? Math.min(this.#from, record.seq + 1) : record.seq);
    // From an earlier run on, the first that is there may be a later one.
    const first = this.#next === undefined && this.#from > 0 && record.seq > this.#from ? this.#from : expected;
    const lost = Math.max(0, record.seq - first);
    this.#next = record.seq + 1;
    // What was overwritten may have been the middle of a record.
    const events = lost > 0 ? this.#reader.end() : [];
    if (lost > 0) this.#reader = kernelMessages('host');
    if (record.seq < this.#from || record.facility !== 0) return { events, lost, record };
    // What the kernel quotes may hold an end of line: it ends no message.
    const said = this.#reader.push(record.text.replaceAll('\n', ' '), record.caller);
    return { events: [...events, ...said].filter(isWanted), lost, record };
  }

  /** Nothing came for a while: what was open is whole. */
  flush(): LogEvent[] {
    const events = this.#reader.end();
    this.#reader = kernelMessages('host');
    return events.filter(isWanted);
  }
}
