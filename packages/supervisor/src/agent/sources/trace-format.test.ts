import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Said } from '../../core/said.ts';
import { traceFormat } from './trace-format.ts';
import { findTraceEvent, traceReader, TraceSource } from './trace.ts';

/** Made by the documented layout, with some of the words of Linux 7.3, where 2 does not exist and 13 is "dirty LRU page". */
const FORMAT = `name: memory_failure_event
ID: 117
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:unsigned long pfn;\toffset:8;\tsize:8;\tsigned:0;
\tfield:int type;\toffset:16;\tsize:4;\tsigned:1;
\tfield:int result;\toffset:20;\tsize:4;\tsigned:1;

print fmt: "pfn %#lx: recovery action for %s: %s", REC->pfn, __print_symbolic(REC->type, { 0, "reserved kernel page" }, { 1, "high-order kernel page" }, { 3, "huge page" }, { 4, "free huge page" }, { 13, "dirty LRU page" }, { 14, "clean LRU page" }, { 15, "already poisoned page" }, { 16, "free buddy page" }, { 19, "unknown page" }), __print_symbolic(REC->result, { 0, "Ignored" }, { 1, "Failed" }, { 2, "Delayed" }, { 3, "Recovered" })
`;
const MC_EVENT = `name: mc_event
ID: 120
format:
\tfield:__data_loc char[] msg;\toffset:12;\tsize:4;\tsigned:0;

print fmt: "%d %s error%s:%s%s on %s (mc:%d location:%d:%d:%d address:0x%08lx grain:%d syndrome:0x%08lx%s%s)", REC->error_count, mc_event_error_type(REC->error_type), REC->error_count > 1 ? "s" : "", __get_str(msg)
`;

describe('a format file', () => {
  test('is taken apart', () => {
    const format = traceFormat(FORMAT);
    expect(format).toMatchObject({ name: 'memory_failure_event', id: 117 });
    expect(format?.arguments.map(a => a.field)).toEqual(['pfn', 'type', 'result']);
    expect(format?.arguments[1]?.symbols?.get(13)).toBe('dirty LRU page');
    expect(format?.arguments[2]?.symbols?.get(3)).toBe('Recovered');
  });

  test('of another event too, with what is not understood left open', () => {
    expect(traceFormat(MC_EVENT)).toMatchObject({ name: 'mc_event', arguments: { length: 4 } });
    for (const bad of ['', 'name: x', FORMAT.replace('ID: 117', '')]) expect(traceFormat(bad)).toBeUndefined();
  });
});

describe('what the kernel prints', () => {
  const read = traceReader(traceFormat(FORMAT)!);
  const line = (text: string): string =>
    `    kworker/0:1-12      [000] .....    12.345678: memory_failure_event: ${text}`;

  test('becomes the event of the catalogue, in the words of the format', () => {
    expect(read(line('pfn 0x5000: recovery action for free buddy page: Recovered')).event).toEqual({
      name: 'host.memory-failure',
      fields: { pfn: 0x5000n, page: 'free buddy page', result: 'Recovered' },
    });
  });

  test('a value without a word stays a number; other words are not those of this kernel', () => {
    expect(read(line('pfn 0x1: recovery action for 0x2: 0x9')).event?.fields).toMatchObject({
      page: '0x2',
      result: '0x9',
    });
    expect(read(line('pfn 0x1: recovery action for a page: Recovered'))).toEqual({});
    expect(read(line('pfn 0x1: recovery action for huge page: Recovered and more'))).toEqual({});
    expect(read('x: other_event: pfn 0x5000')).toEqual({});
  });

  test('lost events are counted', () => {
    expect(read('CPU:3 [LOST 17 EVENTS]')).toEqual({ lost: 17 });
  });
});

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
