import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { describe, expect, test } from 'vitest';
import { TRACE_VERSION } from './event.ts';
import { judgeFile } from './expect/verdict.ts';
import { modernizer, STEPS } from './modernize.ts';
import { parseHeader, parseTrace } from './testing/parse.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const files = readdirSync(GOLDEN).filter(file => file.endsWith('.ndjson'));
const text = (file: string): string => readFileSync(join(GOLDEN, file), 'utf8');
const old = Array.from({ length: TRACE_VERSION - 1 }, (_, i) => i + 1);

describe('every older version', () => {
  test.each(old)('%i has a step to the next, and a trace to try it with', version => {
    expect(STEPS[version]).toBeDefined();
    expect(files.filter(file => file.startsWith(`v${version}-`))).not.toEqual([]);
  });

  test.each(files.filter(file => !file.startsWith('v99-')))(
    '%s is read whole, and written anew it is the same',
    file => {
      const trace = parseTrace(text(file), file);
      expect(trace.version).toBe(Number(/^v(\d+)-/.exec(file)?.[1]));
      expect(trace.header.version).toBe(TRACE_VERSION);
      expect(trace.events.length).toBe(text(file).trim().split('\n').length - 1);
      expect([trace.diagnostics, trace.departures]).toEqual([[], []]);
      const anew = parseTrace([trace.header, ...trace.events].map(line => stringify(line)).join('\n'), file);
      expect(anew).toEqual({ ...trace, version: TRACE_VERSION });
      expect(judgeFile(trace)).toMatchObject({ verdict: 'pass', outcome: trace.header.outcome });
    },
  );

  test('a step changes nothing of what it is given', () => {
    for (const version of old) {
      const line = Object.freeze({ type: 'trace', version, parts: Object.freeze({ xen: '4.20' }) });
      expect(modernizer(version).header(line)).toMatchObject({ version: TRACE_VERSION });
      expect(line.version).toBe(version);
    }
  });
});

test.each([
  [{}, ['lab', 'vmm', 'guest', 'process']],
  [{ xen: '4.20' }, ['lab', 'vmm', 'xen', 'guest', 'process']],
  [{ hostKernel: '7.2' }, ['lab', 'machine', 'host', 'vmm', 'guest', 'process']],
  [null, ['lab', 'vmm', 'guest', 'process']],
  ['xen', ['lab', 'vmm', 'guest', 'process']],
])('version 1 of a machine of the parts %j gets its layers', (parts, layers) => {
  expect(parseHeader(JSON.stringify({ type: 'trace', version: 1, parts }), 'x').layers).toEqual(layers);
});

describe('a version that this program does not know', () => {
  test('is refused with what it is, what is read, and what to do', () => {
    expect(() => parseTrace(text('v99-made-up.ndjson'), 'tomorrow.ndjson')).toThrow(
      expect.objectContaining({
        code: 'E_LAB_TRACE_VERSION',
        message: `tomorrow.ndjson is a trace of version 99, written by syndrome 9.9.0; this program reads versions 1 to ${TRACE_VERSION}`,
        hint: 'Use a newer Syndrome to read it: each reads all versions up to its own.',
      }),
    );
  });

  test.each([0, -1, 1.5])('is none when it is %d', version => {
    expect(() => parseHeader(JSON.stringify({ type: 'trace', version }), 'x')).toThrow(
      expect.objectContaining({
        code: 'E_LAB_TRACE_FORMAT',
        message: `x says that it is a trace of version ${version}; there is none`,
      }),
    );
  });
});

test('a header names layers that there are, each once, in its own order', () => {
  const layers = ['guest', 'lab', 'moon', 'guest', 7, null];
  expect(parseHeader(JSON.stringify({ type: 'trace', version: 2, layers }), 'x').layers).toEqual(['guest', 'lab']);
  expect(parseHeader('{"type":"trace","version":2,"layers":"guest"}', 'x').layers).toEqual([]);
});

describe('the identity in a header', () => {
  const one = '0123456789abcdef'.repeat(2);
  const read = (identity: unknown): unknown =>
    parseHeader(JSON.stringify({ type: 'trace', version: 2, identity }), 'x').identity;

  test('is of the run and of each state, as it was written', () => {
    expect(read({ run: one, states: [one, one], more: 1 })).toEqual({ run: one, states: [one, one] });
    expect(read({ run: one, states: [] })).toEqual({ run: one, states: [] });
  });

  test.each([
    undefined,
    null,
    7,
    one,
    [],
    {},
    { run: one },
    { run: one, states: one },
    { run: one, states: [one, 7] },
    { run: `${one}0`, states: [] },
    { run: one.toUpperCase(), states: [] },
    { run: one, states: Array.from({ length: 10_001 }, () => one) },
  ])('is none where it is no identity: %#', identity => {
    const header = parseHeader(JSON.stringify({ type: 'trace', version: 2, identity }), 'x');
    expect(header).not.toHaveProperty('identity');
  });

  test('is absent in traces from before it, and names the kept state that the machine came from', () => {
    const golden = (name: string) => {
      const file = join(import.meta.dirname, 'golden', name);
      return parseTrace(readFileSync(file, 'utf8'), file);
    };
    expect(golden('v2-intel-srar-process.ndjson').header).not.toHaveProperty('identity');
    const { header, events } = golden('v2-intel-ce-logged.ndjson');
    const steps = events.filter(e => e.name === 'lab.step');
    expect(header.identity?.states).toHaveLength(steps.length + 1);
    const restored = events.find(e => e.name === 'lab.restored');
    expect(basename(String(restored?.fields?.file), '.state')).toBe(header.identity?.states[0]);
  });
});
