import { type EventName, foreignName } from '@syndrome/decode/events/catalog.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import type { NamedEvent, Source, TraceEvent } from './event.ts';

/**
 * When an injection began (ns). What is noted only once it was accepted says itself when it was sent: its first effects may
 * have come before the answer.
 */
export function injectedAt({ t, fields }: NamedEvent<'lab.injected'>): number {
  return typeof fields?.sent === 'number' ? Math.min(fields.sent, t) : t;
}

const LINE = '.line';
/** What people read: the other sources carry protocols. */
const PRINTED: ReadonlySet<Source> = new Set<Source>(['console', 'stderr']);

/** Whether it is the name under which the raw lines of a layer are found: `guest.line`. */
export const isLineEvent = (name: string): boolean => name.endsWith(LINE);

/** A printed line as the event that it is beside what it means; undefined for what was not printed. */
function lineOf({ seq, t, layer, source, raw }: TraceEvent): NamedEvent | undefined {
  if (raw === undefined || !PRINTED.has(source)) return undefined;
  const name = foreignName(layer + LINE);
  return { seq, t, layer, source, name, fields: { text: raw } } as NamedEvent;
}

/** Whether an event is found under a name: its own, or that of the raw lines of its layer. */
export function isFoundAs({ name, layer, source, raw }: TraceEvent, wanted: EventName): boolean {
  if (!isLineEvent(wanted)) return name === wanted;
  return raw !== undefined && PRINTED.has(source) && layer + LINE === wanted;
}

/**
 * What is asked of a trace again and again, kept up as events come: events by name, saved values, the time from which
 * expectations count.
 */
export class TraceIndex {
  readonly #byName = new Map<EventName, NamedEvent[]>();
  /** Printed lines by the name of the lines of their layer: no event is named so by itself. */
  readonly #lines = new Map<EventName, NamedEvent[]>();
  readonly values: Map<string, FieldValue> = new Map();
  last: TraceEvent | undefined;

  constructor(events: Iterable<TraceEvent> = []) {
    for (const event of events) this.add(event);
  }

  add(event: TraceEvent): void {
    this.last = event;
    const line = lineOf(event);
    if (line) put(this.#lines, line);
    if (event.name === undefined) return;
    put(this.#byName, event);
    if (event.name === 'lab.value' && event.fields?.value !== undefined) {
      this.values.set(String(event.fields.name), event.fields.value);
    }
  }

  /** All events of a name, or all printed lines of a layer (`guest.line`), in order. */
  named<N extends EventName>(name: N): readonly NamedEvent<N>[] {
    const found = isLineEvent(name) ? this.#lines : this.#byName;
    return (found.get(name) ?? []) as unknown as readonly NamedEvent<N>[];
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

function put(events: Map<EventName, NamedEvent[]>, event: NamedEvent): void {
  const same = events.get(event.name);
  if (same) same.push(event);
  else events.set(event.name, [event]);
}
