/** @module Xen's messages → items. */
import type { LogEvent } from '../event.ts';
import type { ItemSink } from '../item.ts';
import { XenLines } from './xen.ts';

/** Panics and bugs of Xen that a machine check causes; others are no memory errors. */
const MACHINE_CHECK = /machine check|MCE|HARDWARE ERROR|mcheck/i;

/** Events that stand by themselves; banks become records, and the rest is the machine's own course. */
const EVENTS: ReadonlySet<string> = new Set(['fatal-mce', 'vmce-injected', 'virq']);

/** A bank that holds an error has 16 digits. */
const CUT = /(?:^|\] )Bank (\d{1,4}): {0,20}[0-9a-f]{0,15}$/;

/** Reads what stands behind `(XEN) `. */
export class XenReader {
  readonly #sink: ItemSink;
  readonly #lines: XenLines;
  #lastLine = 0;

  constructor(sink: ItemSink, input: string) {
    this.#sink = sink;
    this.#lines = new XenLines(input);
  }

  /** Returns whether anything was made of it. */
  message(text: string, lineNumber: number): boolean {
    this.#lastLine = lineNumber;
    const cut = CUT.exec(text.trimEnd());
    if (cut !== null) {
      const place = { form: 'xen', firstLine: lineNumber, lastLine: lineNumber } as const;
      const message = `the line of bank ${cut[1]} ends before its status register does; no record was made of it`;
      this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_TRUNCATED', message } });
      return true;
    }
    const events = this.#lines.push(text, lineNumber);
    for (const event of events) this.#event(event, lineNumber);
    return events.length > 0;
  }

  end(): void {
    for (const event of this.#lines.end()) this.#event(event, this.#lastLine);
  }

  #event(event: LogEvent, lineNumber: number): void {
    const place = { form: 'xen', firstLine: lineNumber, lastLine: lineNumber } as const;
    if (event.record?.kind === 'x86-mca') {
      this.#sink({ type: 'mca', ...place, record: event.record, notes: [] });
      return;
    }
    const name = event.name.slice('xen.'.length);
    const about = `${String(event.fields['message'] ?? '')} ${String(event.fields['file'] ?? '')}`;
    if (EVENTS.has(name) || ((name === 'panic' || name === 'bug') && MACHINE_CHECK.test(about))) {
      this.#sink({ type: 'event', ...place, name: `xen-${name}`, fields: event.fields });
    }
  }
}
