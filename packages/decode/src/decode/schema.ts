/** @module The JSON Schema (draft 2020-12) of one line of `syndrome decode --json`. */
import { CLASS_WORDS } from '../mca/explain.ts';
import { CONSUMERS } from '../outlook/consumer.ts';
import { OUTLOOK_OUTCOMES } from '../outlook/prediction.ts';
import { PLACE_WORDS, isPlaceNumber } from './place.ts';
import { DECODED_SCHEMA_VERSION } from './record.ts';

const u64 = { type: 'string', pattern: '^0x[0-9a-f]{16}$', description: 'an unsigned 64-bit value' };
const text = { type: 'string' };
const count = { type: 'integer' };
const line = { type: 'integer', minimum: 1 };
const bit = { type: 'integer', minimum: 0, maximum: 63 };
const byte = { type: 'integer', minimum: 0 };

const object = (
  properties: Record<string, unknown>,
  required: readonly string[] = Object.keys(properties),
): Record<string, unknown> => ({ type: 'object', properties, required, additionalProperties: false });

const finding = object(
  {
    code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]+$' },
    severity: { enum: ['error', 'warning', 'info'] },
    message: text,
    section: text,
    members: { type: 'array', items: text, description: 'of `raw`, that the finding speaks of' },
    bits: { type: 'array', items: object({ member: text, register: text, hi: bit, lo: bit }) },
  },
  ['code', 'severity', 'message'],
);

const diagnostic = object({ code: { type: 'string', pattern: '^[EW]_[A-Z0-9_]+$' }, message: text, offset: byte }, [
  'code',
  'message',
]);

const ARM_CLASSES = ['sea', 'sea-walk', 'parity', 'parity-walk', 'serror', 'mmu-fault', 'reserved', 'other'];

/** The classes of each kind of record that has a fixed set of them. */
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  'x86-mca': Object.keys(CLASS_WORDS),
  'arm-sea': ARM_CLASSES,
  'arm-serror': ARM_CLASSES,
  cper: ['recoverable', 'fatal', 'corrected', 'none', 'unknown'],
};

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:syndrome:decoded-record:1',
  title: 'Decoded memory error record',
  type: 'object',
  properties: {
    schemaVersion: { const: DECODED_SCHEMA_VERSION },
    source: object(
      {
        input: text,
        from: text,
        firstLine: line,
        lastLine: line,
        firstByte: byte,
        endByte: byte,
        table: { ...text, description: 'of a database' },
        row: { type: 'integer', description: 'number (id) of the row in the table' },
        copies: {
          type: 'array',
          items: object({ input: text, firstLine: line, lastLine: line }, ['input']),
          description: 'further places with the same lines',
        },
        bytesOf: { const: 'decoded', description: 'the range counts the bytes that the text of the input stands for' },
      },
      ['input', 'from'],
    ),
    kind: { enum: ['x86-mca', 'arm-sea', 'arm-serror', 'cper', 'memory-failure', 'event'] },
    cpu: count,
    bank: count,
    registers: { type: 'object', additionalProperties: u64 },
    flags: { type: 'array', items: text },
    class: { ...text, description: 'of machine checks, aborts and firmware records: see anyOf; of an event its name' },
    severity: {
      enum: ['none', 'corrected', 'deferred', 'uncorrected-recoverable', 'uncorrected', 'fatal', 'unknown', 'info'],
    },
    mcacod: object(
      {
        value: { type: 'integer', minimum: 0, maximum: 0xffff },
        class: text,
        mnemonic: text,
        text,
        filtered: { type: 'boolean' },
        extended: object({ value: { type: 'integer', minimum: 0, maximum: 0x3f }, text }),
      },
      ['value', 'class', 'mnemonic', 'text'],
    ),
    address: object(
      {
        value: u64,
        space: { enum: ['physical', 'guest-physical', 'virtual', 'unknown'] },
        pfn: u64,
        lsb: { type: 'integer', minimum: 0, maximum: 63 },
        pages: u64,
      },
      ['value', 'space'],
    ),
    component: object({ area: text, name: text, detail: text, basis: text }, ['area', 'name']),
    place: object(Object.fromEntries(PLACE_WORDS.map(([name]) => [name, isPlaceNumber(name) ? byte : text])), []),
    count: { type: 'integer', minimum: 0, description: 'errors that the record stands for; without it, one' },
    threshold: { enum: ['green', 'yellow'] },
    time: object({
      text,
      clock: { enum: ['utc', 'local', 'local-no-year', 'boot'] },
      seconds: { type: 'number' },
      from: { enum: ['record', 'line'] },
    }),
    lint: { type: 'array', items: finding },
    diagnostics: { type: 'array', items: diagnostic },
    headline: text,
    explanation: text,
    nextStep: text,
    outlook: {
      type: 'array',
      items: object({
        consumer: { enum: CONSUMERS },
        context: { type: 'object', additionalProperties: text },
        outcome: { enum: OUTLOOK_OUTCOMES },
        certainty: { enum: ['certain', 'depends'] },
        rule: object({ id: text, text }),
        dependsOn: { type: 'array', items: text },
        messages: { type: 'array', items: text },
      }),
    },
    raw: { type: 'object', properties: { kind: text }, required: ['kind'] },
  },
  required: [
    'schemaVersion',
    'source',
    'kind',
    'registers',
    'flags',
    'class',
    'severity',
    'lint',
    'diagnostics',
    'headline',
    'explanation',
    'nextStep',
    'raw',
  ],
  additionalProperties: false,
  anyOf: [
    ...Object.entries(CLASSES).map(([kind, classes]) => ({
      properties: { kind: { const: kind }, class: { enum: classes } },
    })),
    { properties: { kind: { enum: ['memory-failure', 'event'] } } },
  ],
} as const;

/** The schema as text, two blanks a level. */
export function decodedSchema(): string {
  return JSON.stringify(SCHEMA, undefined, 2);
}
