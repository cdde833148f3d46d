import type { FieldValue, TraceEvent } from './event.ts';

/**
 * When an injection began (ns). What is noted only once it was accepted says itself when it was sent: its first effects may
 * have come before the answer.
 */
export function injectedAt({ t, fields }: TraceEvent): number {
  return typeof fields?.sent === 'number' ? Math.min(fields.sent, t) : t;
}

/**
 * What is asked of a trace again and again, kept up as events come: events by name, saved values, the time from which
 * expectations count.
 */
export class TraceIndex {
  readonly #byName = new Map<string, TraceEvent[]>();
  readonly values: Map<string, FieldValue> = new Map();
  last: TraceEvent | undefined;

  constructor(events: Iterable<TraceEvent> = []) {
    for (const event of events) this.add(event);
  }

  add(event: TraceEvent): void {
    this.last = event;
    const { name, fields } = event;
    if (name === undefined) return;
    const same = this.#byName.get(name);
    if (same) same.push(event);
    else this.#byName.set(name, [event]);
    if (name === 'lab.value' && fields?.value !== undefined) this.values.set(String(fields.name), fields.value);
  }

  /** All events of a name, in order. */
  named(name: string): readonly TraceEvent[] {
    return this.#byName.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** The first injection, else the start of the steps, else 0 (ns). */
  get zero(): number {
    const first = this.named('lab.injected')[0];
    return first ? injectedAt(first) : (this.named('lab.step')[0]?.t ?? 0);
  }

  /** What {@link zero} is, in words. */
  get zeroName(): 'the injection' | 'the first step' | 'the start' {
    if (this.has('lab.injected')) return 'the injection';
    return this.has('lab.step') ? 'the first step' : 'the start';
  }

  /** Names that occur. */
  names(): IterableIterator<string> {
    return this.#byName.keys();
  }
}
