/** @module QEMU's error output, its monitor's answers and QMP events → items. */
import type { EventName } from '../../events/catalog.ts';
import type { LogEvent } from '../../events/event.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { hmpOutputEvents, stderrEvent } from './messages.ts';
import { qmpEvent } from './qmp-events.ts';
import { EMITTED } from './trace-log.ts';

/** Words of what QEMU says about memory errors. */
export const QEMU_NEEDLES: readonly string[] = [
  'ardware memory error',
  'MCE Memory Error',
  'MEMORY_FAILURE',
  'triple fault',
  'reporting disabled',
  'MCE injection not',
  'Invalid MCE ',
  'MCA broadcast',
  EMITTED,
];

type QemuEvent = Extract<EventName, `vmm.${string}`>;

/** What the monitor prints about machine checks. */
const MONITOR =
  /^CPU \d+: |^(?:.{0,32}\(qemu\) |(?:Error|error): )?(?:MCE injection not supported|Invalid MCE |Guest CPU does not support MCA broadcast)/;

/** A message that a mail broke: it is put together from the lines that follow at once. */
const BROKEN = /Guest MCE Memory Error at (?:QEMU|qemu) addr\b(?!.* (?:injected|ignored on AMD guest)\b)/s;
const MAX_PIECES = 4;

/** Reads single lines among those of others, and makes nothing of what may be anybody's. */
export class QemuReader implements Reader {
  readonly #sink: ItemSink;
  #held: { text: string; firstLine: number; lastLine: number; pieces: number } | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** A line of QEMU's error output or of its monitor. */
  push(text: string, lineNumber: number): boolean {
    const held = this.#held;
    this.#held = undefined;
    if (held?.lastLine === lineNumber - 1 && held.pieces < MAX_PIECES) {
      const joined = `${held.text.trimEnd()} ${text.replace(/^[>\s]{0,16}/, '').trimEnd()}`;
      if (!BROKEN.test(joined)) {
        const event = stderrEvent(joined);
        if (event !== undefined && event.name !== 'vmm.message') {
          return this.#events([event], 'qemu', lineNumber, held.firstLine);
        }
      } else if (joined.length < 512) {
        this.#held = { ...held, text: joined, lastLine: lineNumber, pieces: held.pieces + 1 };
        return true;
      }
    }
    if (BROKEN.test(text)) {
      this.#held = { text, firstLine: lineNumber, lastLine: lineNumber, pieces: 1 };
      return true;
    }
    if (text.includes('emory error') || text.includes('Memory Error') || text.includes(EMITTED)) {
      const event = stderrEvent(text);
      return event !== undefined && this.#events([event], 'qemu', lineNumber);
    }
    return MONITOR.test(text) && this.#events(hmpOutputEvents(text), 'qemu', lineNumber);
  }

  /** A QMP message that was parsed; only events can matter. */
  qmp(message: Readonly<Record<string, unknown>>, lineNumber: number): boolean {
    const { event, data } = message;
    return typeof event === 'string' && this.#events([qmpEvent({ event, data })], 'qmp', lineNumber);
  }

  /** True while the rest of a message may follow, which holds no word to look for. */
  get wanted(): boolean {
    return this.#held !== undefined;
  }

  get since(): number {
    return this.#held?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  end(): void {
    this.#held = undefined;
  }

  #events(
    events: readonly LogEvent<QemuEvent>[],
    form: 'qemu' | 'qmp',
    lineNumber: number,
    firstLine = lineNumber,
  ): boolean {
    let taken = false;
    for (const event of events) {
      // Without its program's name a message may be of anybody.
      if (event.name === 'vmm.message') continue;
      this.#sink({ ...eventItem(form, lineNumber, event), firstLine });
      taken = true;
    }
    return taken;
  }
}
