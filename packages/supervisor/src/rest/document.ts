/** @module The document of the API (OpenAPI 3.1.1), made of the table of routes. JSON Schema there is that of zod: draft 2020-12. */
import { VERSION } from '@syndrome/decode/common/version.ts';
import { z } from 'zod';
import type { Route } from './route.ts';
import { KEY } from './once.ts';
import { SCHEMAS, type SchemaName } from './schemas.ts';

type Json = Record<string, unknown>;

const refTo = (id: string): string => `#/components/schemas/${id}`;
const ref = (id: SchemaName): Json => ({ $ref: refTo(id) });

function withoutId(schema: Json): Json {
  const { $id: _, $schema: __, ...rest } = schema;
  return rest;
}

/** The schemas by their names; where one is part of another it stands as a reference. */
function components(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: refTo }) as { schemas: Record<string, Json> };
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutId(schema)]));
}

const inline = (schema: z.ZodType): Json => withoutId(z.toJSONSchema(schema, { io: 'input' }) as Json);

const parameters = (where: 'path' | 'query', fields: Route['params']): Json[] =>
  Object.entries(fields).map(([name, schema]) => {
    const { description, ...rest } = inline(schema);
    return {
      name,
      in: where,
      ...(where === 'path' ? { required: true } : {}),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });

/** Of whatever orders. */
const ORDER_PROBLEMS: Readonly<Record<number, string>> = {
  411: 'the body does not say its length beforehand',
  415: 'the body is no application/json',
  422: 'the key was used for another request',
};

/** Why each route may refuse, by status. */
function problemsOf(route: Route): Readonly<Record<number, string>> {
  return {
    ...(route.kind === 'plain' ? {} : { 503: 'this controller does not work at the moment' }),
    ...(route.role === 'public' ? {} : { 401: 'no token of the site' }),
    400: 'a parameter or the request is wrong',
    403: 'a page of another origin asks, or no role covers it',
    413: route.kind === 'order' ? 'the body is too long' : 'a body where none is taken',
    ...(route.kind === 'order' ? ORDER_PROBLEMS : {}),
    414: 'the address is too long',
    421: 'the request is for another host than this machine',
    ...route.problems,
  };
}

const HEADER = (description: string): Json => ({ description, schema: { type: 'string' } });

function answersOf(route: Route): Json {
  const problems = Object.entries(problemsOf(route)).map(([status, description]) => [
    status,
    { description, content: { 'application/problem+json': { schema: ref('Problem') } } },
  ]);
  const good: Json =
    'text' in route
      ? { 200: { description: route.what, content: { [route.text]: { schema: { type: 'string' } } } } }
      : 'events' in route
        ? { 200: { description: route.events, content: { 'text/event-stream': { schema: { type: 'string' } } } } }
        : {
            [route.status]: {
              description: route.what,
              headers:
                route.kind === 'order'
                  ? { 'Idempotency-Replayed': HEADER('`true`: it was done before, and this was answered') }
                  : { ETag: HEADER('changes with the answer') },
              content: { 'application/json': { schema: ref(route.answer) } },
            },
            ...(route.kind === 'order' ? {} : { 304: { description: 'it is as If-None-Match says' } }),
          };
  return { ...good, ...Object.fromEntries(problems) };
}

function headersOf(route: Route): Json[] {
  const header = (name: string, description: string): Json => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  });
  if (route.kind === 'order')
    return [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'a text of the caller’s, a new one for each order; not needed with dryRun',
        schema: { type: 'string', pattern: KEY.source },
      },
      ...(route.ifMatch === undefined ? [] : [header('If-Match', route.ifMatch)]),
    ];
  if (route.kind === 'text') return [];
  return route.kind === 'events'
    ? [header('Last-Event-ID', 'the last event that is known; it goes before `after`')]
    : [header('If-None-Match', 'an ETag that is known: 304 where the answer is still that')];
}

function operation(route: Route): Json {
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.role === 'public' ? { security: [] } : { 'x-role': route.role }),
    parameters: [...parameters('path', route.params), ...parameters('query', route.query), ...headersOf(route)],
    ...(route.kind === 'order'
      ? { requestBody: { required: true, content: { 'application/json': { schema: ref(route.takes) } } } }
      : {}),
    responses: answersOf(route),
  };
}

/** The document of these routes. */
export function documentOf(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Syndrome, the API of a controller',
      version: VERSION,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Hosts, VMs, incidents, the ledger of poisoned pages and of decisions. Problems are those of RFC 9457, with a code. Times are ms UTC, 64-bit values 0x and 16 hex digits.',
    },
    servers: [
      { url: '/', description: 'a site that is one ledger' },
      {
        url: '/shards/{shard}',
        description: 'a shard of a site that has several',
        variables: { shard: { default: 'north', description: 'its name in the file of the site' } },
      },
    ],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: components(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}
