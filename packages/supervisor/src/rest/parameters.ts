/** @module The parameters of an address, as their schemas want them. */
import type { Context } from 'hono';
import type { z } from 'zod';
import { refuse } from './errors.ts';
import type { Route } from './route.ts';

/** What a text of an address can stand for: itself, a whole number, a truth value. */
const readings = (text: string): readonly unknown[] => [
  text,
  ...(/^(?:0|[1-9]\d{0,14})$/.test(text) ? [Number(text)] : []),
  ...(text === 'true' || text === 'false' ? [text === 'true'] : []),
];

function valueOf(name: string, schema: z.ZodType, text: string): unknown {
  const read = readings(text).map(value => schema.safeParse(value));
  const good = read.find(({ success }) => success);
  if (good !== undefined) return good.data;
  const why = read.at(-1)?.error?.issues[0]?.message ?? 'it has no such value';
  throw refuse(400, 'E_API_PARAMETER', `${name}: ${why}`);
}

/** @throws Refusal 400 */
export const paramsOf = (route: Route, c: Context): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(route.params).map(([name, schema]) => [name, valueOf(name, schema, c.req.param(name) ?? '')]),
  );

/**
 * What an address says behind its question mark. What is unknown here would be meant to change what is answered.
 * @throws Refusal 400
 */
export function queryOf(route: Route, c: Context): Record<string, unknown> {
  const given = c.req.queries();
  const strange = Object.keys(given).find(name => !Object.hasOwn(route.query, name));
  if (strange !== undefined) {
    const known = Object.keys(route.query);
    throw refuse(400, 'E_API_PARAMETER', 'a parameter is unknown here', {
      hint: known.length === 0 ? 'This address takes none.' : `It takes ${known.join(', ')}.`,
    });
  }
  return Object.fromEntries(
    Object.entries(route.query).flatMap(([name, schema]) => {
      const [first, second] = given[name] ?? [];
      if (second !== undefined) throw refuse(400, 'E_API_PARAMETER', `${name} is given twice`);
      if (first !== undefined) return [[name, valueOf(name, schema, first)]];
      const missing = schema.safeParse(undefined);
      return missing.success && missing.data !== undefined ? [[name, missing.data]] : [];
    }),
  );
}
