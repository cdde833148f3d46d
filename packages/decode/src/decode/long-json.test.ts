/** JSON in one line that is longer than is held of a line: each message in it is read, and what is not is told. */
import { describe, expect, it } from 'vitest';
import { createDecoder } from './decoder.ts';
import { beginsJson } from '../text/transport/long-json.ts';
import { MAX_LINE_BYTES } from '../text/transport/line-scanner.ts';

const COUNT = 700;
const message = (i: number): string =>
  `Nov 30 09:00:00 host kernel: Memory failure: 0x${(0x1000 + i).toString(16)}: recovery action for dirty LRU page: Recovered`;
const all = Array.from({ length: COUNT }, (_, i) => message(i));

interface Found {
  pages: number[];
  lines: Set<number | undefined>;
  codes: string[];
  times: (number | undefined)[];
}

function read(text: string, size = 4096): Found {
  const found: Found = { pages: [], lines: new Set(), codes: [], times: [] };
  const decoder = createDecoder({
    onRecord(record) {
      found.pages.push(Number(record.registers['pfn']));
      found.lines.add(record.source.firstLine);
      found.times.push(record.time?.seconds);
    },
    onDiagnostic: ({ code }) => found.codes.push(code),
  });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
  decoder.end();
  return found;
}

const PAGES = all.map((_, i) => 0x1000 + i);
const SHAPES: Readonly<Record<string, unknown>> = {
  'an array of objects': all.map(m => ({ message: m })),
  'an array of texts': all,
  'a member of an object (CloudWatch)': { events: all.map(m => ({ timestamp: 1_700_000_000_000, message: m })) },
  'hits of a search (Elasticsearch)': { hits: { total: 1, hits: all.map(m => ({ _source: { message: m } })) } },
  'pairs in streams (Loki)': {
    data: { result: [{ stream: { host: 'a' }, values: all.map(m => ['1700000000000000000', m]) }] },
  },
  'one text of many lines': { name: 'dmesg', content: all.join('\n') },
};

describe.each(Object.entries(SHAPES))('%s', (_name, value) => {
  const text = JSON.stringify(value);

  it('is read to its end, wherever it was cut in pieces, and its messages are in the line that it is', () => {
    expect(text.length).toBeGreaterThan(MAX_LINE_BYTES);
    for (const size of [1 << 20, 65_536, 1000]) {
      const { pages, lines, codes } = read(`# one\n${text}\n${message(0x9000)}\n`, size);
      expect(pages).toEqual([...PAGES, 0xa000]);
      expect([...lines]).toEqual([2, 3]);
      expect(codes).toEqual([]);
    }
  });

  it('gives what is whole where the end is missing', () => {
    const { pages } = read(text.slice(0, -40));
    expect(pages.length).toBeGreaterThanOrEqual(COUNT - 1);
    expect(pages).toEqual(PAGES.slice(0, pages.length));
  });
});

it('takes the time of an entry with it', () => {
  const events = all.map((m, i) => ({
    timestamp: 1_700_000_000_000 + 1000 * i,
    message: m.replace(/^.*kernel: /, ''),
  }));
  expect(read(JSON.stringify({ events })).times).toEqual(events.map(e => e.timestamp / 1000));
});

it('says what is too deep, or one text without an end', () => {
  const deep = `${'[{"a":'.repeat(40)}${JSON.stringify(all)}${'}]'.repeat(40)}`;
  expect(read(`${deep}\n`).codes).toEqual(['E_TEXT_LONG']);
  expect(read(`${JSON.stringify([all.join(' ')])}\n`).codes).toContain('E_TEXT_LONG');
  expect(read(`${JSON.stringify(['x'.repeat(200_000), message(0)])}\n`)).toMatchObject({ pages: [0x1000], codes: [] });
});

it.each([
  ['[{"a":1}]', true],
  ['[["a"]]', true],
  ['{ "a": 1 }', true],
  ['"a"', false],
  ['{1}[Hardware Error]: x', false],
  ['[    1.2] x', false],
  ['[Hardware Error]: x', false],
])('%s begins as JSON does: %s', (text, expected) => {
  const bytes = new TextEncoder().encode(text);
  expect(beginsJson(bytes, 0, bytes.length)).toBe(expected);
});
