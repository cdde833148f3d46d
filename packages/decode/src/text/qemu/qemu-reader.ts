/** @module QEMU's error output, its monitor's answers and QMP events → items. */
import type { LogEvent } from '../event.ts';
import type { ItemSink } from '../item.ts';
import { hmpOutputEvents, qemuStderrParser } from './qemu.ts';
import { qmpEvent } from './qmp-events.ts';

/** The parts of QEMU's output that are about memory errors; anything else is no record. */
const EVENTS: ReadonlySet<string> = new Set([
  'vmm.sigbus-injected',
  'vmm.memory-error',
  'vmm.triple-fault',
  'vmm.mce-rejected',
  'vmm.memory-failure',
]);

/** Reads single lines; nothing is kept between them. */
export class QemuReader {
  readonly #sink: ItemSink;
  readonly #stderr = qemuStderrParser();

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** A line of QEMU's error output or of its monitor. */
  message(text: string, lineNumber: number): boolean {
    let taken = false;
    if (text.includes('emory error') || text.includes('Memory Error')) {
      for (const event of this.#stderr.push(text)) taken = this.#event(event, 'qemu', lineNumber) || taken;
    } else if (/^CPU \d+: |MCE injection not supported|^Invalid MCE |support MCA broadcast/.test(text)) {
      for (const event of hmpOutputEvents(text)) taken = this.#event(event, 'qemu', lineNumber) || taken;
    }
    return taken;
  }

  /** A QMP message that was parsed; only events can matter. */
  qmp(message: Readonly<Record<string, unknown>>, lineNumber: number): boolean {
    const { event, data } = message;
    if (typeof event !== 'string') return false;
    return this.#event(qmpEvent({ event, data }), 'qmp', lineNumber);
  }

  #event(event: LogEvent, form: 'qemu' | 'qmp', lineNumber: number): boolean {
    if (!EVENTS.has(event.name)) return false;
    const name = event.name.slice('vmm.'.length);
    this.#sink({
      type: 'event',
      form,
      name: `qemu-${name}`,
      fields: event.fields,
      firstLine: lineNumber,
      lastLine: lineNumber,
    });
    return true;
  }
}
