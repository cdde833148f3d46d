import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Said } from '../../core/said.ts';
import { findTraceEvent, TraceSource } from './trace.ts';

/** By the documented layout, of the words as many as are printed here. */
const FORMAT = `name: memory_failure_event
ID: 117
format:
\tfield:unsigned long pfn;\toffset:8;\tsize:8;\tsigned:0;

print fmt: "pfn %#lx: recovery action for %s: %s", REC->pfn, __print_symbolic(REC->type, { 3, "huge page" }), __print_symbolic(REC->result, { 2, "Delayed" })
`;

describe('TraceSource', () => {
  test.each(['events/ras', 'events/memory_failure'])(
    'finds the event in %s, and switches it on in its own instance',
    async place => {
      const root = mkdtempSync(join(tmpdir(), 'tracefs-'));
      const event = join(place, 'memory_failure_event');
      mkdirSync(join(root, event), { recursive: true });
      writeFileSync(join(root, event, 'format'), FORMAT);
      expect(findTraceEvent(root)?.place).toBe(place);
      // What the kernel makes of mkdir.
      const instance = join(root, 'instances/syndrome');
      mkdirSync(join(instance, event), { recursive: true });
      writeFileSync(
        join(instance, 'trace_pipe'),
        'CPU:0 [LOST 2 EVENTS]\n x-1 [000] ..... 1.0: memory_failure_event: pfn 0x6: recovery action for huge page: Delayed\n',
      );
      const said: Said[] = [];
      const end = new AbortController();
      await new TraceSource({ root, pollMs: 1 }).run(
        s => said.push(s),
        end.signal,
        () => end.abort(),
      );
      expect(readFileSync(join(instance, event, 'enable'), 'utf8')).toBe('1');
      expect(said).toMatchObject([
        { state: 'reading' },
        { state: 'back', lostEvents: 2 },
        { source: 'tracefs', event: { fields: { pfn: 6n, page: 'huge page', result: 'Delayed' } } },
      ]);
      rmSync(root, { recursive: true });
    },
  );

  test('says that a kernel has none', async () => {
    const root = mkdtempSync(join(tmpdir(), 'tracefs-'));
    const said: Said[] = [];
    const end = new AbortController();
    const sink = (s: Said): void => {
      said.push(s);
      end.abort();
    };
    await new TraceSource({ root }).run(sink, end.signal, () => undefined);
    expect(said).toMatchObject([{ state: 'lost', reason: expect.stringContaining('events/ras') }]);
    rmSync(root, { recursive: true });
  });
});
