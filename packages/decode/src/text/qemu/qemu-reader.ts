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
const MONITOR = /^CPU \d+: |MCE injection not supported|^Invalid MCE |support MCA broadcast/;

/** Reads single lines among those of others, and makes nothing of what may be anybody's; nothing is kept between them. */
export class QemuReader implements Reader {
  readonly #sink: ItemSink;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** A line of QEMU's error output or of its monitor. */
  push(text: string, lineNumber: number): boolean {
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

  end(): void {}

  #events(events: readonly LogEvent<QemuEvent>[], form: 'qemu' | 'qmp', lineNumber: number): boolean {
    let taken = false;
    for (const event of events) {
      // Without its program's name a message may be of anybody.
      if (event.name === 'vmm.message') continue;
      this.#sink(eventItem(form, lineNumber, event));
      taken = true;
    }
    return taken;
  }
}
