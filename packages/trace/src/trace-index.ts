import type { EventName } from '@syndrome/decode/events/catalog.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import type { NamedEvent, TraceEvent } from './event.ts';

/**
 * When an injection began (ns). What is noted only once it was accepted says itself when it was sent: its first effects may
 * have come before the answer.
 */
export function injectedAt({ t, fields }: NamedEvent<'lab.injected'>): number {
  return typeof fields?.sent === 'number' ? Math.min(fields.sent, t) : t;
}

/**
 * What is asked of a trace again and again, kept up as events come: events by name, saved values, the time from which
 * expectations count.
 */
export class TraceIndex {
  readonly #byName = new Map<EventName, NamedEvent[]>();
  readonly values: Map<string, FieldValue> = new Map();
  last: TraceEvent | undefined;

  constructor(events: Iterable<TraceEvent> = []) {
    for (const event of events) this.add(event);
  }

  add(event: TraceEvent): void {
    this.last = event;
    if (event.name === undefined) return;
    const same = this.#byName.get(event.name);
    if (same) same.push(event);
    else this.#byName.set(event.name, [event]);
    if (event.name === 'lab.value' && event.fields?.value !== undefined) {
      this.values.set(String(event.fields.name), event.fields.value);
    }
  }

  /** All events of a name, in order. */
  named<N extends EventName>(name: N): readonly NamedEvent<N>[] {
    return (this.#byName.get(name) ?? []) as unknown as readonly NamedEvent<N>[];
  }

  has(name: EventName): boolean {
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
  names(): IterableIterator<EventName> {
    return this.#byName.keys();
  }
}
