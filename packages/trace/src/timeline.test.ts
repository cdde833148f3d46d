import { describe, expect, test } from 'vitest';
import type { Layer, TraceEvent } from './event.ts';
import { plain } from './style.ts';
import { summarize } from './summary.ts';
import { lanesOf, Timeline, wrap } from './timeline.ts';

test('a hostile console line cannot write escape sequences to the terminal', () => {
  const timeline = new Timeline({ style: plain, layers: ['lab', 'vmm', 'guest', 'process'], all: true });
  const lines = timeline.lines({
    seq: 1,
    t: 0,
    layer: 'guest',
    source: 'console',
    raw: '\u001b]0;owned\u0007\u001b[2J\u202egnp',
  });
  expect(lines.join('')).toBe('    0.000  ·     ·     ●     ·     console: \\x1b]0;owned\\x07\\x1b[2J\\u{202e}gnp');
});

test('the time line counts from the injection on', () => {
  const timeline = new Timeline({ style: plain, layers: ['lab', 'vmm', 'guest', 'process'] });
  const event = { seq: 1, layer: 'lab', source: 'lab' } as const;
  const lines = [
    ...timeline.lines({ ...event, t: 7e9, name: 'lab.note', fields: { text: 'before' } }),
    ...timeline.lines({ ...event, t: 8e9, name: 'lab.injected', fields: { kind: 'ghes' } }),
    ...timeline.lines({
      ...event,
      t: 8.06e9,
      layer: 'process',
      name: 'process.exit',
      fields: { proc: 'victim', status: 'exited', code: 7 },
    }),
  ];
  expect(lines).toEqual([
    '    7.000  ●     ·     ·     ·     before',
    '   +0.000  ●     ·     ·     ·     INJECT kind=ghes',
    '   +0.060  ·     ·     ·     ●     victim ends: exited 7',
  ]);
});

test('wrapping breaks at blanks, and inside words only where it must', () => {
  expect(wrap('aa bb ccccccccc d', 5)).toEqual(['aa bb', 'ccccc', 'cccc', 'd']);
});

describe('a trace of somebody else', () => {
  const hostile = '\u001b[2J\u009b31m\u202eevil\u0007\r\n';
  // oxlint-disable-next-line no-control-regex
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u202e]/;
  const event = (more: object): TraceEvent =>
    ({ seq: 1, t: 0, layer: 'guest', source: 'console', ...more }) as unknown as TraceEvent;
  const timeline = new Timeline({ style: plain, layers: ['lab', 'vmm', 'guest'], all: true });

  test.each<[string, object]>([
    ['event.source', { source: hostile, raw: 'x' }],
    ['event.name', { name: hostile }],
    ['a key of the fields', { name: 'guest.odd', fields: { [hostile]: 1 } }],
    ['a value of the fields', { name: 'guest.panic', fields: { message: hostile } }],
    ['the raw line', { raw: hostile }],
    ['the layer', { layer: hostile, raw: 'x' }],
  ])('%s cannot write escapes to the time line', (_what, more) => {
    const lines = timeline.lines(event(more));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('')).not.toMatch(unsafe);
    expect(summarize(event(more)) ?? '').not.toMatch(unsafe);
  });
});

test('a word is broken between characters, not inside of one', () => {
  expect(wrap('a\u{1f600}\u{1f600}b', 2)).toEqual(['a', '\u{1f600}', '\u{1f600}', 'b']);
  expect(wrap('\u{1f600}a', 1)).toEqual(['\u{1f600}', 'a']);
});

test('every layer of a nested machine has a lane when everything is shown; one without is named', () => {
  const layers: Layer[] = ['lab', 'machine', 'host', 'vmm', 'guest', 'process'];
  expect(lanesOf({ layers })).toEqual(['lab', 'host', 'vmm', 'guest', 'process']);
  expect(lanesOf({ layers }, true)).toEqual(layers);
  const timeline = new Timeline({ style: plain, layers: ['lab', 'vmm'], all: true });
  expect(timeline.lines({ seq: 1, t: 0, layer: 'host', source: 'console', raw: 'hello' })).toEqual([
    '    0.000  ·     ·     (host) console: hello',
  ]);
});
