/** `npm run api:client`: makes the client of the API of its document. What it has made stands in the repository; a test holds it to this. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { apiDocument } from '@syndrome/supervisor/rest/routes.ts';

type Json = Readonly<Record<string, unknown>>;
interface Operation {
  operationId: string;
  summary: string;
  'x-role'?: string;
  parameters: readonly { name: string; in: string; description?: string; schema: Json }[];
  requestBody?: { content: Readonly<Record<string, { schema: Json }>> };
  responses: Readonly<Record<string, { content?: Readonly<Record<string, { schema: Json }>> }>>;
}

/** Where it stands. */
export const CLIENT = 'packages/supervisor/src/rest/client.ts';
/** And what it answers with, which pages know, too. */
export const TYPES = 'packages/supervisor/src/client/types.ts';

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const keyOf = (name: string): string => (/^[a-z_$][\w$]*$/i.test(name) ? name : quoted(name));
const doc = (text: unknown, indent: string): string =>
  typeof text === 'string' ? `${indent}/** ${text.replaceAll('*/', '* /')} */\n` : '';

/** A schema as a type of TypeScript. */
function typeOf(schema: Json, indent = ''): string {
  const ref = schema['$ref'] as string | undefined;
  if (ref !== undefined) return ref.split('/').at(-1) ?? 'unknown';
  const any = (schema['oneOf'] ?? schema['anyOf']) as Json[] | undefined;
  if (any !== undefined) return any.map(one => typeOf(one, indent)).join(' | ');
  if ('const' in schema) return literal(schema['const']);
  const values = schema['enum'] as unknown[] | undefined;
  if (values !== undefined) return values.map(literal).join(' | ');
  switch (schema['type']) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array': {
      const item = typeOf(schema['items'] as Json, indent);
      return /[ |{]/.test(item) ? `(${item})[]` : `${item}[]`;
    }
    case 'object':
      return objectOf(schema, indent);
    default:
      return 'unknown';
  }
}

const literal = (value: unknown): string => (typeof value === 'string' ? quoted(value) : JSON.stringify(value));

function objectOf(schema: Json, indent: string): string {
  const properties = schema['properties'] as Readonly<Record<string, Json>> | undefined;
  const more = schema['additionalProperties'];
  if (properties === undefined || Object.keys(properties).length === 0)
    return `Record<string, ${typeof more === 'object' ? typeOf(more as Json, indent) : 'unknown'}>`;
  const required = (schema['required'] as string[] | undefined) ?? [];
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(
    ([name, of]) =>
      `${doc(of['description'], inner)}${inner}${keyOf(name)}${required.includes(name) ? '' : '?'}: ${typeOf(of, inner)};\n`,
  );
  return `{\n${lines.join('')}${indent}}`;
}

/** One method of the client. */
function methodOf(path: string, method: string, operation: Operation): string {
  const { operationId, summary, parameters, requestBody, responses } = operation;
  const of = (where: string) => parameters.filter(p => p.in === where);
  const at = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `\${encodeURIComponent(${name})}`);
  const [[, good] = []] = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  const answer = typeOf(good?.content?.['application/json']?.schema ?? {});
  const body = requestBody?.content['application/json']?.schema;
  const query = of('query');
  const queryType = `{ ${query.map(p => `${keyOf(p.name)}?: ${typeOf(p.schema)}`).join('; ')} }`;
  const isStream = good?.content?.['text/event-stream'] !== undefined;
  const given = [
    ...of('path').map(p => `${p.name}: string`),
    ...(body === undefined ? [] : [`body: ${typeOf(body)}`]),
    ...(query.length === 0 ? [] : [`query: ${queryType} = {}`]),
    `options: ${body === undefined ? 'CallOptions' : 'OrderOptions'} = {}`,
  ].join(', ');
  const role = operation['x-role'] === undefined ? '' : ` Role: ${operation['x-role']}.`;
  const queryGiven = query.length === 0 ? '{}' : 'query';
  const call = isStream
    ? `this.events(\`${at}\`, ${queryGiven}, options)`
    : body === undefined
      ? `this.read(\`${at}\`, ${queryGiven}, options)`
      : `this.send(${quoted(method.toUpperCase())}, \`${at}\`, ${queryGiven}, body, options)`;
  const result = isStream ? 'AsyncGenerator<ApiEvent, void>' : `Promise<ApiAnswer<${answer}>>`;
  return `  /** ${summary}.${role} \`${method.toUpperCase()} ${path}\` */\n  ${operationId}(${given}): ${result} {\n    return ${call};\n  }\n`;
}

const isText = ({ responses }: Operation): boolean =>
  Object.keys(responses['200']?.content ?? {}).some(type => type.startsWith('text/plain'));

/** The texts of the client and of its types, before they are formatted. */
export function clientTexts(): { client: string; types: string } {
  const document = apiDocument() as {
    paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    components: { schemas: Readonly<Record<string, Json>> };
  };
  const types = Object.entries(document.components.schemas).map(([name, schema]) => {
    const type = typeOf(schema);
    return 'properties' in schema && type.startsWith('{')
      ? `export interface ${name} ${type}\n`
      : `export type ${name} = ${type};\n`;
  });
  const methods = Object.entries(document.paths).flatMap(([path, byMethod]) =>
    // A text is for others: Prometheus.
    Object.entries(byMethod).flatMap(([method, operation]) =>
      isText(operation) ? [] : [methodOf(path, method, operation)],
    ),
  );
  const names = Object.keys(document.components.schemas).filter(name => methods.some(m => m.match(`\\b${name}\\b`)));
  const client = [
    '/**\n * @module The client of the API of a controller, made of its document by `npm run api:client`: whatever is changed here is lost.\n */\n',
    "import { type ApiAnswer, ApiClient, type ApiEvent, type CallOptions, type OrderOptions } from './client-base.ts';\n\n",
    "export { type ApiAnswer, type ApiEvent, ApiProblem, type CallOptions, type ClientOptions, type OrderOptions } from './client-base.ts';\n\n",
    `import type { ${names.join(', ')} } from '../client/types.ts';\n\nexport type * from '../client/types.ts';\n`,
    `\n/** Each operation of the document. An answer that is a problem is thrown as an \`ApiProblem\`. */\nexport class SyndromeClient extends ApiClient {\n${methods.join('\n')}}\n`,
  ].join('');
  const about =
    '/**\n * @module What the API of a controller answers with, made of its document by `npm run api:client`: whatever is changed here is lost.\n */\n';
  return { client, types: about + types.join('\n') };
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const { client, types } = clientTexts();
  writeFileSync(join(root, CLIENT), client);
  writeFileSync(join(root, TYPES), types);
  const biome = join(root, 'node_modules/.bin/biome');
  process.exitCode = (
    await runChild(process.execPath, [biome, 'format', '--write', CLIENT, TYPES], { cwd: root })
  ).code;
}
