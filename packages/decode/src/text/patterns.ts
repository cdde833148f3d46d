/** @module Tables of one-line patterns: a regular expression, an event name and how its groups become fields. */
import type { FieldValue, LogEvent } from './event.ts';
import { hexU64 } from './transport/line.ts';

/** How a group is read: `hex` → bigint, `dec` → number, `text` → string, cut to a bounded length. */
type Capture = 'hex' | 'dec' | 'text';

export interface Pattern {
  /** Anchored, with bounded repetition: lines are untrusted. */
  re: RegExp;
  /** Event name without the layer. */
  event: string;
  /** Per group of `re`, in order: the field and how to read it. A group that did not take part sets no field. */
  captures: readonly (readonly [field: string, as: Capture])[];
  /** Fields every match carries. */
  fixed?: Readonly<Record<string, FieldValue>>;
  /** The fixed text of the program (its format string), as the source of the pattern. */
  source: string;
}

const MAX_TEXT = 512;

function read(value: string, as: Capture): FieldValue | undefined {
  if (as === 'hex') return hexU64(value);
  if (as === 'text') return value.slice(0, MAX_TEXT).trim();
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : undefined;
}

/** The event of the first pattern that matches, or undefined. */
export function matchPattern(patterns: readonly Pattern[], prefix: string, text: string): LogEvent | undefined {
  for (const p of patterns) {
    const m = p.re.exec(text);
    if (m === null) continue;
    const fields: Record<string, FieldValue> = { ...p.fixed };
    p.captures.forEach(([field, as], i) => {
      const group = m[i + 1];
      const value = group === undefined ? undefined : read(group, as);
      if (value !== undefined) fields[field] = value;
    });
    return { name: `${prefix}.${p.event}`, fields };
  }
  return undefined;
}
