import { catalogEvent } from '@syndrome/decode/events/catalog.ts';
import { pairs } from '@syndrome/decode/events/show.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { carriedWords } from './carried-words.ts';
import type { TraceEvent } from './event.ts';

/** What a reader is told of an event; undefined for events that only machinery needs. */
export function summarize(event: TraceEvent): string | undefined {
  if (event.name === undefined) return undefined;
  const { name, fields = {} } = event;
  const line = catalogEvent(name)?.line;
  if (line === undefined) return `${safeText(name, 64)} ${pairs(fields)}`.trim();
  return line?.(fields, { layer: event.layer, words: () => carriedWords(event) });
}
