import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { Tape } from '../tape.ts';
import { TRACE_VERSION, type TraceHeader } from '@syndrome/trace/event.ts';
import { TraceRecorder } from './recorder.ts';

const folder = mkdtempSync(join(tmpdir(), 'recorder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const header: TraceHeader = {
  type: 'trace',
  version: TRACE_VERSION,
  tool: 'test',
  scenario: 'x',
  startedAt: '',
  layers: [],
  expect: [],
  settle: 0,
  parts: {},
};
const MIB = 1 << 20;
const notes = (recorder: TraceRecorder): unknown[] => recorder.index.named('lab.note').map(e => e.fields?.text);

describe('a source that floods is cut, told once, and does not silence the others', () => {
  test.each([
    [
      'many short lines',
      'x',
      200_001,
      'guest console has said 200000 lines; what more it says is not recorded',
      200_000,
    ],
    ['long lines', 'x'.repeat(MIB), 40, 'guest console has said 32 MiB; what more it says is not recorded', 32],
  ])('%s', (_what, raw, count, note, kept) => {
    const recorder = new TraceRecorder(header);
    for (let i = 0; i < count; i++) recorder.record({ layer: 'guest', source: 'console', raw });
    expect(notes(recorder)).toEqual([note]);
    expect(recorder.events.filter(e => e.source === 'console')).toHaveLength(kept);
    recorder.record({ layer: 'guest', source: 'agent', raw });
    recorder.record({ layer: 'lab', source: 'lab', name: 'lab.step' });
    expect(recorder.events.slice(-2).map(e => e.source)).toEqual(['agent', 'lab']);
  });

  test('what is long in the fields counts too', () => {
    const recorder = new TraceRecorder(header);
    const fields = { message: 'x'.repeat(MIB) };
    for (let i = 0; i < 40; i++) recorder.record({ layer: 'guest', source: 'console', name: 'guest.panic', fields });
    expect(recorder.index.named('guest.panic')).toHaveLength(32);
  });

  test('an agent that is not ours, on its line, to the file', { timeout: 120_000 }, async () => {
    const file = join(folder, 'trace.ndjson');
    const recorder = new TraceRecorder(header, file);
    const port = new PassThrough();
    const agent = new Tape(recorder).agent(port as unknown as Socket, 'guest', () => undefined);
    const lines = Buffer.from(`D 1 ${'A'.repeat(3900)}\n`.repeat(256));
    for (let i = 0; i < 48; i++) {
      port.write(lines);
      await new Promise(setImmediate);
    }
    agent.close();
    await recorder.close();
    expect(notes(recorder)).toContain('guest agent has said 32 MiB; what more it says is not recorded');
    expect(statSync(file).size).toBeLessThan(36 * MIB);
    expect(statSync(file).size).toBeGreaterThan(31 * MIB);
  });
});
