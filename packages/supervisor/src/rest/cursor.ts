/** @module Pages of lists: a cursor is the place of the last item, in a form that is nobody's business. */
import { refuse } from './errors.ts';

type Place = readonly (string | number)[];

/** @param list which list it is of: it is good for no other one */
const cursorOf = (list: string, place: Place): string =>
  Buffer.from(JSON.stringify([list, ...place])).toString('base64url');

/**
 * The place that a cursor names.
 * @param kinds of its parts
 * @throws Refusal 400 where it is none of this list
 */
export function placeOf(list: string, cursor: string, kinds: readonly ('string' | 'number')[]): Place {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    place = undefined;
  }
  if (Array.isArray(place) && place.length === kinds.length + 1 && place[0] === list) {
    const parts = place.slice(1) as unknown[];
    if (parts.every((part, i) => typeof part === kinds[i] && (typeof part === 'string' || Number.isSafeInteger(part))))
      return parts as Place;
  }
  throw refuse(400, 'E_API_CURSOR', 'the cursor is none of this list');
}

/** A page of a list, and where the next one begins; without `next` it was the last. */
export interface Page {
  items: readonly unknown[];
  next?: string;
}

/** A page of items that were read beyond one place, one more than fit where there are more. */
export function pageOfRead<T>(list: string, read: readonly T[], limit: number, place: (item: T) => Place): Page {
  const items = read.slice(0, limit);
  const last = items.at(-1);
  return { items, ...(read.length > limit && last !== undefined ? { next: cursorOf(list, place(last)) } : {}) };
}

/** A page of what is in memory, in the order of its keys: what comes or goes meanwhile moves nothing else. */
export function pageOfAll<T>(
  list: string,
  all: readonly T[],
  { limit, after }: { limit: number; after?: string | undefined },
  key: (item: T) => string,
): Page {
  const [last] = after === undefined ? [] : placeOf(list, after, ['string']);
  const keyed = all.map(item => [key(item), item] as const);
  const behind = last === undefined ? keyed : keyed.filter(([k]) => k > String(last));
  behind.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const read = behind.slice(0, limit + 1);
  const page = pageOfRead(list, read, limit, ([k]) => [k]);
  return { ...page, items: read.slice(0, limit).map(([, item]) => item) };
}
