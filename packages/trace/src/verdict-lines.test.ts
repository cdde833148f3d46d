import { expect, test } from 'vitest';
import { TRACE_VERSION, type TraceEvent, type TraceHeader } from './event.ts';
import { judgeTrace } from './expect/verdict.ts';
import type { Style } from './style.ts';
import { outcomeWord, verdictLines } from './verdict-lines.ts';

const marking: Style = (format, text) => (format === 'reset' ? text : `<${String(format)}>${text}</>`);

test('what was not judged stands with its mark and reason under a run that was killed, and not under one that cannot be', () => {
  const header: TraceHeader = {
    type: 'trace',
    version: TRACE_VERSION,
    tool: 't',
    scenario: 'k',
    startedAt: '2026-01-01T00:00:00Z',
    layers: ['lab', 'vmm', 'guest', 'process'],
    parts: {},
    expect: ['within 5s: guest.mce-record', 'never: guest.panic'],
    outcome: 'logged',
    settle: 0,
  };
  const event = (seq: number, name: 'lab.injected' | 'lab.note' | 'lab.skip'): TraceEvent => ({
    seq,
    t: seq * 1e9,
    layer: 'lab',
    source: 'lab',
    name,
  });
  const look = { style: marking, width: 140 };
  const killed = judgeTrace(header, [event(1, 'lab.injected'), event(2, 'lab.note')]);
  const lines = verdictLines('k', killed, undefined, look);
  expect(lines.slice(0, 6)).toEqual([
    '  <yellow>?</> within 5s: guest.mce-record',
    expect.stringMatching(/^ {6}<yellow>not judged: the run was killed; /),
    '  <yellow>?</> never: guest.panic',
    expect.stringMatching(/^ {6}<yellow>not judged: the run was killed; /),
    '  <yellow>?</> outcome: logged',
    expect.stringMatching(/^ {6}<yellow>not judged: the run was killed; /),
  ]);
  expect(lines[6]).toContain('E_LAB_TRACE_CUT');
  const skip = verdictLines('k', judgeTrace(header, [event(1, 'lab.skip')]), undefined, look);
  expect(skip.filter(l => l.includes('?</>'))).toEqual([]);
});

test('of a run that broke off before anything was seen nobody knows what it came to', () => {
  expect(outcomeWord({ verdict: 'error', outcome: 'none' })).toBe('not known');
  expect(outcomeWord({ verdict: 'error', outcome: 'panicked' })).toBe('panicked');
  expect(outcomeWord({ verdict: 'pass', outcome: 'none' })).toBe('none');
});
