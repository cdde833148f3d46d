/** Whether an answer is one that the document of the API declares. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { apiDocument } from '../routes.ts';
import type { Said } from './site.ts';

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  method: string;
  path: string;
  operationId: string;
  role: string | undefined;
  parameters: readonly { name: string; in: string; schema: Json }[];
  body: Json | undefined;
  responses: Readonly<Record<string, { content?: Readonly<Record<string, { schema: Json }>> }>>;
}

const document = apiDocument() as {
  paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  components: { schemas: Readonly<Record<string, Json>> };
};

/** All operations, with nothing that stands elsewhere but the schemas. */
export const OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const content = (operation['requestBody'] as { content: Record<string, { schema: Json }> } | undefined)?.content;
    return {
      method: method.toUpperCase(),
      path,
      operationId: String(operation['operationId']),
      role: operation['x-role'] as string | undefined,
      parameters: operation['parameters'] as Operation['parameters'],
      body: content?.['application/json']?.schema,
      responses: operation['responses'] as Operation['responses'],
    };
  }),
);

const ajv = new Ajv2020({ strict: false, allErrors: false });
ajv.addSchema({ $id: 'document', components: document.components });
const resolved = (schema: Json): Json =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components')) as Json;
const validators = new Map<string, ReturnType<typeof ajv.compile>>();

/** What is wrong with an answer to an operation; undefined where it is as the document says. */
export function undeclared(
  { method, path, responses }: Operation,
  { status, headers, json, body }: Said,
): string | undefined {
  const at = `${method} ${path} ${status}`;
  const declared = responses[String(status)];
  if (declared === undefined) return `${at} is not declared: ${body.slice(0, 300)}`;
  const type = headers['content-type'];
  if (declared.content === undefined) return type === undefined && body === '' ? undefined : `${at} has a body`;
  const media = declared.content[type ?? ''];
  if (media === undefined) return `${at} has the type ${type}, which is not declared`;
  if (type?.startsWith('text/') === true) return undefined;
  const key = `${at} ${type}`;
  const validate = validators.get(key) ?? ajv.compile(resolved(media.schema));
  validators.set(key, validate);
  if (!validate(json)) return `${at}: ${JSON.stringify(validate.errors)} in ${body.slice(0, 600)}`;
  const strange = Object.keys(json).filter(name => !namesOf(media.schema).includes(name));
  return strange.length === 0 || namesOf(media.schema).length === 0
    ? undefined
    : `${at} has ${strange.join(', ')} more`;
}

/** The properties of an object's schema. */
function namesOf(schema: Json): string[] {
  const ref = schema['$ref'] as string | undefined;
  const target = ref === undefined ? schema : document.components.schemas[ref.split('/').at(-1) ?? ''];
  return Object.keys((target?.['properties'] as Json | undefined) ?? {});
}
