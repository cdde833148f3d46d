/** Shapes of arguments that several steps have. */
import { z } from 'zod';
import { eventNames } from '@syndrome/decode/events/catalog.ts';
import { parseDuration } from '@syndrome/trace/duration.ts';

/** A u64 is a number, a `0x…` text, or `$name` for a value saved by an earlier step. */
export const u64 = z
  .union([
    // An editor's schema check sees large hex numbers as rounded doubles; here they arrive as exact text.
    z.number().min(0).refine(Number.isSafeInteger, 'write a number this large as 0x…'),
    z.string().regex(/^(0x[0-9a-fA-F]{1,16}|\d{1,20}|\$[A-Za-z][\w.]*)$/, 'expected 0x…, a number or $name'),
  ])
  .describe('a 64-bit value: 0x…, a number, or $name of a saved value');

export const duration = z.string().regex(/^\d+(\.\d+)?(ms|s|m)$/, 'expected a duration such as 500ms, 10s or 2m');

/** A process, a page, a counter. */
export const ident = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,14}$/, 'expected a short name: letters, digits, - and _');

/** Nanoseconds of a duration that has this shape. */
export const ns = (text: string): number => parseDuration(text) ?? 0;

/** A condition on an event. The published schema has the names of all events: an editor completes them, and marks what is none. */
export const condition: z.ZodString = z.string().meta({
  description: 'a condition on an event: its name, and comparisons of its fields (docs/events.md)',
  pattern: `^(?:${eventNames()
    .map(name => name.replaceAll('.', '\\.'))
    .join('|')})(?:\\s|$)`,
  examples: eventNames(),
});
