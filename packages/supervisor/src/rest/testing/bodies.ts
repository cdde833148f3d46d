/** Bodies as a schema of the document wants them, and such as are a little otherwise. */
import fc from 'fast-check';
import { apiDocument } from '../routes.ts';

type Json = Readonly<Record<string, unknown>>;

const { schemas } = apiDocument()['components'] as { schemas: Readonly<Record<string, Json>> };
/** What texts and numbers of the tests' site are. */
const KNOWN = ['web', 'a', 'b', 'inc-1', 'none'] as const;

function valueOf(schema: Json): fc.Arbitrary<unknown> {
  const ref = schema['$ref'] as string | undefined;
  if (ref !== undefined) return valueOf(schemas[ref.split('/').at(-1) ?? ''] ?? {});
  const any = (schema['oneOf'] ?? schema['anyOf']) as Json[] | undefined;
  if (any !== undefined) return fc.oneof(...any.map(valueOf));
  if ('const' in schema) return fc.constant(schema['const']);
  if (schema['type'] === 'boolean') return fc.boolean();
  if (schema['type'] === 'integer' || schema['type'] === 'number') return fc.oneof(fc.constant(0), fc.nat());
  if (schema['type'] === 'string') {
    const pattern = schema['pattern'] as string | undefined;
    return pattern?.startsWith('^0x') === true
      ? fc.stringMatching(new RegExp(pattern))
      : fc.oneof(fc.constantFrom(...KNOWN), fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }));
  }
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Json>>;
  return fc.record(Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, valueOf(of)])), {
    requiredKeys: (schema['required'] as string[] | undefined) ?? [],
  });
}

/** The text of a body for a schema: mostly a good one. */
export function bodyFor(schema: Json | undefined): fc.Arbitrary<string> {
  if (schema === undefined) return fc.constant('');
  const good = valueOf(schema);
  const more = fc
    .tuple(good, fc.string(), fc.jsonValue())
    .map(([value, name, extra]) => ({ ...(value as object), [name]: extra }));
  const less = good.map(value => Object.fromEntries(Object.entries(value as object).slice(1)));
  const text = fc.oneof({ weight: 6, arbitrary: good }, more, less, fc.jsonValue()).map(value => JSON.stringify(value));
  return fc.oneof({ weight: 8, arbitrary: text }, fc.string());
}
