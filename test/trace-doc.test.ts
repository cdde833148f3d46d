/** docs/trace.md says of the format what the reader does, and its examples are real. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LAYERS, SOURCES, TRACE_VERSION } from '@syndrome/trace/event.ts';
import { TRACE_NOTES } from '@syndrome/trace/terms.ts';
import { parseTrace } from '@syndrome/trace/testing/parse.ts';

const ROOT = join(import.meta.dirname, '..');
const GOLDEN = join(ROOT, 'packages/trace/src/golden');
const RUN = join(GOLDEN, 'v2-intel-srar-process.ndjson');
const doc = readFileSync(join(ROOT, 'docs/trace.md'), 'utf8');

/** Blocks of code. */
const blocks = [...doc.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}));
const of = (language: string): string[] => blocks.flatMap(b => (b.language === language ? [b.text] : []));

/** The first column of the table that begins with this head. */
function rows(head: string): string[] {
  const table = doc.slice(doc.indexOf(`| ${head} |`)).split('\n\n')[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .flatMap(row => [...(row.split('|')[1] ?? '').matchAll(/[\w.]+/g)].map(m => m[0]));
}

test('its example is read whole, and is of the run that it names', () => {
  const run = new Set(readFileSync(RUN, 'utf8').split('\n'));
  expect(of('ndjson')).toHaveLength(1);
  for (const text of of('ndjson')) {
    const { version, header, events, diagnostics, departures } = parseTrace(text, 'docs/trace.md');
    expect([version, diagnostics, departures]).toEqual([TRACE_VERSION, [], []]);
    expect(events.length).toBeGreaterThan(5);
    expect(text.split('\n').filter(line => !run.has(line))).toEqual([]);
    const members = [...Object.keys(header), 'identity'];
    expect(rows('member | what it is').toSorted()).toEqual(members.toSorted());
  }
});

test('it names every member of an event, every layer, source, version and note', () => {
  const { events } = parseTrace(readFileSync(RUN, 'utf8'), 'x');
  const event = doc.slice(doc.indexOf('## Event'), doc.indexOf('### Values'));
  const named = [...event.matchAll(/^\| `(\w+)` \|/gm)].map(m => m[1]);
  expect(named).toEqual(['seq', 't', 'layer', 'source', 'raw', 'dir', 'name', 'fields', 'record', ...LAYERS]);
  expect([...new Set(events.flatMap(e => Object.keys(e)))].filter(key => !named.includes(key))).toEqual([]);
  const sources = event.slice(event.indexOf('Sources:'));
  expect(SOURCES.filter(source => !sources.includes(`\`${source}\``))).toEqual([]);
  expect(Object.keys(TRACE_NOTES).filter(code => !doc.includes(code))).toEqual([]);
  expect(rows('version | what is new')).toEqual(Array.from({ length: TRACE_VERSION }, (_, i) => `${i + 1}`));
});

test('what it shows of an identity is of the run that it names', () => {
  const { header } = parseTrace(readFileSync(join(GOLDEN, 'v2-intel-ce-logged.ndjson'), 'utf8'), 'x');
  expect(of('json').map(text => JSON.parse(text) as unknown)).toEqual([{ identity: header.identity }]);
});

test('what it shows of a version to come is what is said', () => {
  const said = (): unknown => parseTrace(readFileSync(join(GOLDEN, 'v99-made-up.ndjson'), 'utf8'), 'tomorrow.ndjson');
  const shown = blocks
    .find(b => b.text.includes('E_LAB_TRACE_VERSION'))
    ?.text.trimEnd()
    .split('\n');
  const message = shown?.[0]?.replace(/^syndrome: (.*) \[\w+\]$/, '$1');
  expect(said).toThrow(expect.objectContaining({ code: 'E_LAB_TRACE_VERSION', message, hint: shown?.[1] }));
});

test.each(blocks.flatMap(({ language, text }, i) => (language === 'js' ? [[text, blocks[i + 1]?.text ?? '']] : [])))(
  'the program prints what stands under it: %s',
  (text, printed) => {
    // From here it finds the packages; the word stands where the file of the program would.
    const argv = ['--input-type=module', '--eval', text, '--', 'program', RUN];
    const ran = spawnSync(process.execPath, argv, { encoding: 'utf8', cwd: ROOT, timeout: 25_000 });
    expect([ran.stdout, ran.stderr]).toEqual([printed, '']);
  },
);
