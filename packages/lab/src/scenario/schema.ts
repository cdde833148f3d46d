import { z } from 'zod';
import { MAX_EXPECTATIONS } from '@syndrome/trace/expect/expectation.ts';
import { OUTCOMES } from '@syndrome/trace/expect/outcome.ts';
import { machineSchema } from '../machines/registry.ts';
import { exceptSchema, paramsSchema } from '../params/space.ts';
import { NEEDED_OPTIONS } from '../kernel-options.ts';
import { condition } from '../steps/arguments.ts';
import { stepKinds } from '../steps/registry.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'use lower-case letters, digits and dashes');

const header = {
  name,
  title: z.string().max(100).describe('one line for lists'),
  about: z.string().describe('what is injected, into which layer'),
  why: z.string().describe('why this outcome: which rule of which consumer decides'),
  sources: z.array(z.string()).min(1).describe('manuals with section, or the code that decides'),
  machine: machineSchema,
  without: z
    .array(z.enum(NEEDED_OPTIONS))
    .min(1)
    .optional()
    .describe('it is about a guest kernel that is built without these options, and skipped with any other'),
  timeout: z.string().default('180s').describe('the whole run is given up after this long'),
  settle: z.string().default('200ms').describe('how long to keep watching after everything expected was seen'),
  expect: z
    .array(z.record(z.string(), condition))
    .min(1)
    .max(MAX_EXPECTATIONS)
    .describe('one key each: "within 10s", "never", "count 1 within 10s" or "count 1"; the value is a condition'),
  outcome: z
    .union([z.enum(OUTCOMES), z.array(z.enum(OUTCOMES)).min(2)])
    .describe('the worst that happens to the system; a list where it varies from run to run'),
};

/** The shape of a file before its steps are looked at one by one (for errors that name the step). */
export const looseScenarioSchema = z.strictObject({
  ...header,
  steps: z.array(z.record(z.string(), z.unknown())).min(1),
});

/** The same of a space, whose cells are judged by the outlook: it states nothing that it expects. */
export const spaceSchema = looseScenarioSchema.omit({ expect: true, outcome: true });

/** One of the steps: an object with exactly one key. */
const stepSchema = z.union(stepKinds.map(({ name: key, schema }) => z.strictObject({ [key]: schema })));

/** The whole shape; `scenarios/scenario.schema.json` is made of it. */
const scenarioSchema = z.strictObject({
  ...header,
  params: paramsSchema.optional(),
  except: exceptSchema.optional(),
  steps: z.array(stepSchema).min(1),
});

/** As much of a JSON Schema as is gone through. */
interface Node {
  [key: string]: unknown;
  properties?: Record<string, Node>;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
}

const PARAMETER = { $ref: '#/$defs/parameter' };

/** The same shape where any value, also one that is no text, may be a parameter. */
function orParameter(schema: Node): Node {
  const inner = inside(schema);
  // A constant tells shapes apart: it stands there itself.
  return 'const' in schema ? inner : { anyOf: [inner, PARAMETER] };
}

function inside(schema: Node): Node {
  const made = { ...schema };
  if (schema.properties !== undefined) {
    made.properties = Object.fromEntries(Object.entries(schema.properties).map(([key, of]) => [key, orParameter(of)]));
  }
  if (schema.items !== undefined) made.items = orParameter(schema.items);
  for (const key of ['anyOf', 'oneOf'] as const) {
    const of = schema[key];
    if (of !== undefined) made[key] = of.map(inside);
  }
  return made;
}

/** JSON Schema (draft 2020-12) of a scenario file, for editors. */
export function scenarioJsonSchema(): object {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input' }) as Node;
  const filled = ['machine', 'steps', 'expect', 'outcome', 'without'];
  const properties = Object.entries(schema.properties ?? {}).map(([key, of]): [string, Node] => [
    key,
    filled.includes(key) ? orParameter(of) : of,
  ]);
  return {
    ...schema,
    properties: Object.fromEntries(properties),
    $defs: {
      parameter: {
        type: 'string',
        pattern: '^\\$\\{[^{}]+\\}$',
        description: 'a parameter of the file (params): ${axis} or ${axis.field}',
      },
    },
    $id: 'scenario.schema.json',
    title: 'Syndrome scenario',
  };
}
