import { expect, test } from 'vitest';
import { TraceError } from './errors.ts';
import { parseEvent, parseHeader } from './testing/parse.ts';
import { type Trace, traceOf } from './reader.ts';

const HEADER = '{"type":"trace","version":2,"scenario":"x"}';

/** Reads a text that comes in pieces of a few characters. */
async function read(text: string): Promise<Trace> {
  async function* pieces(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += 7) yield await Promise.resolve(text.slice(at, at + 7));
  }
  return traceOf(pieces(), 'x');
}

const event = (seq: number): string => `{"seq":${seq},"t":${seq},"layer":"lab","source":"lab","name":"lab.note"}`;

test('lines end with LF or CRLF, the last one with the file; empty ones do not count as damage', async () => {
  const { header, events, diagnostics } = await read(`${HEADER}\r\n${event(1)}\n\n${event(2)}\r\n${event(3)}`);
  expect([header.scenario, events.map(e => e.seq), diagnostics]).toEqual(['x', [1, 2, 3], []]);
});

test('a cut line is damage, with its number', async () => {
  const { events, diagnostics } = await read(`${HEADER}\n${event(1)}\n${event(2).slice(0, 20)}`);
  expect([events.length, diagnostics.map(d => d.line)]).toEqual([1, [3]]);
});

test('a header with more expectations than a trace has is refused', async () => {
  const expectations = (n: number): string => JSON.stringify(Array(n).fill('never: guest.panic'));
  const header = (n: number): string => `{"type":"trace","version":2,"expect":${expectations(n)}}\n`;
  expect((await read(header(100))).header.expect).toHaveLength(100);
  await expect(read(header(101))).rejects.toMatchObject({
    code: 'E_LAB_TRACE_FORMAT',
    message: 'x: its header has 101 expectations; a trace has at most 100',
  });
});

test('a header whose patterns together have more states than are taken is refused', () => {
  const header = (n: number): string => {
    const expect = Array<string>(n).fill('never: guest.line text~"(a?b?a?b?){48}d"');
    return JSON.stringify({ type: 'trace', version: 2, expect });
  };
  expect(parseHeader(header(2), 'x').expect).toHaveLength(2);
  for (const n of [3, 100]) {
    expect(() => parseHeader(header(n), 'x')).toThrow(
      expect.objectContaining({
        code: 'E_LAB_TRACE_FORMAT',
        message: 'x: the expectations in the header are not taken',
        cause: expect.objectContaining({
          code: 'E_EXPECT_SYNTAX',
          message: `the patterns of all expectations together have ${n * 386} states; at most 1000 are taken`,
        }),
      }),
    );
  }
});

test('a text with more events than a trace has is refused before it fills the memory', async () => {
  const thousand = `${event(1)}\n`.repeat(1000);
  let given = 0;
  async function* pieces(): AsyncGenerator<string> {
    yield `${HEADER}\n`;
    for (; given < 30; given++) yield await Promise.resolve(thousand);
  }
  await expect(traceOf(pieces(), 'x', 20_000)).rejects.toMatchObject({
    code: 'E_LAB_TRACE_FORMAT',
    message: 'x has more events than any trace: at most 20000 are read',
  });
  expect(given).toBe(20);
});

test.each([
  ['a position that no number holds', '"seq":1e999'],
  ['a position below nothing', '"seq":-1'],
  ['half a nanosecond', '"t":0.5'],
  ['a time without end', '"t":1e999'],
])('an event with %s is damage', (_what, member) => {
  const [name = ''] = member.split(':');
  const line = event(1).replace(new RegExp(`${name}:\\d+`), member);
  expect(parseEvent(event(1))).toMatchObject({ seq: 1, t: 1 });
  expect(line).not.toBe(event(1));
  expect(parseEvent(line)).toBeUndefined();
});

test('an event has the members of one and no others, and no field without end', () => {
  const line = event(1).replace('}', ',"extra":1,"__proto__":{"x":1},"fields":{"a":1e999,"b":2}}');
  expect(parseEvent(line)).toEqual({
    seq: 1,
    t: 1,
    layer: 'lab',
    source: 'lab',
    name: 'lab.note',
    fields: { b: 2 },
  });
});

test.each(['tool', 'scenario', 'startedAt', 'outcome', 'settle'])('a header whose %s is no word has none', name => {
  for (const odd of [{ toString: 1, valueOf: 1 }, [[{ toString: null }]], null]) {
    const header = parseHeader(JSON.stringify({ ...JSON.parse(HEADER), scenario: 'x', [name]: odd }), 'f');
    expect(header[name as 'tool']).toBe(name === 'settle' ? 0 : '');
  }
});

test('expectations and parts that are no words are none', () => {
  const odd = { toString: 1, valueOf: 1 };
  const line = (more: object): string => JSON.stringify({ ...JSON.parse(HEADER), ...more });
  expect(parseHeader(line({ parts: { qemu: odd, kernel: 7 }, settle: -1 }), 'f')).toMatchObject({
    parts: { qemu: '', kernel: '7' },
    settle: 0,
  });
  expect(() => parseHeader(line({ expect: [odd] }), 'f')).toThrow(TraceError);
});
