import { expect, test } from 'vitest';
import { CATALOG } from '@syndrome/decode/events/catalog.ts';

const TYPES: readonly (readonly [type: string, text: string])[] = [
  ['`string`, `number`, `boolean`', 'as they are; a condition compares numbers as numbers'],
  ['`address`, `register`, `bigint`', '64 bits; in a trace `0x` and 16 hex digits'],
  ['`pfn`', 'number of a page frame: an address shifted by 12'],
  ['`any`', 'any of these'],
];

/** The document of all events: what an expectation may name, in the order of the layers. */
function document(): string {
  const layers = [...new Set(CATALOG.map(({ layer }) => layer))];
  const rows = (layer: string): string[] =>
    CATALOG.filter(event => event.layer === layer).map(({ name, fieldTypes, severity, text }) => {
      const fields = Object.entries(fieldTypes).map(
        ([field, { type, optional }]) => `\`${field}\`${optional ? '?' : ''} ${type}`,
      );
      return `| \`${name}\` | ${fields.join(', ')} | ${severity} | ${text.replaceAll('|', '\\|')} |`;
    });
  return [
    '# Events',
    '',
    'What a trace may hold, and an expectation or a `wait` may name: made of the catalogue (`packages/decode/src/events`) by',
    '`UPDATE_GOLDEN=1 npx vitest run test/events-doc.test.ts`, do not write in it. A field with a question mark may be missing.',
    'The lines of a console are events too, beside what they mean: `guest.line ~ "text"`.',
    '',
    '| type | value |',
    '|---|---|',
    ...TYPES.map(([type, text]) => `| ${type} | ${text} |`),
    ...layers.flatMap(layer => [
      '',
      `## ${layer}`,
      '',
      '| event | fields | severity | what it says |',
      '|---|---|---|---|',
      ...rows(layer),
    ]),
    '',
  ].join('\n');
}

test('docs/events.md is the catalogue', async () => {
  await expect(document()).toMatchFileSnapshot('../docs/events.md');
});
