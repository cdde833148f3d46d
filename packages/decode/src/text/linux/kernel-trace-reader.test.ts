import { describe, expect, test } from 'vitest';
import type { LogEvent } from '../../events/event.ts';
import { kernelTraceEvents } from '../event-reader.ts';
import { printedFields, traceFormat } from './trace-format.ts';

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
  const reader = kernelTraceEvents('host', printedFields(traceFormat(FORMAT)!));
  const read = (text: string): LogEvent[] => reader.push(text);
  const line = (text: string): string =>
    `    kworker/0:1-12      [000] .....    12.345678: memory_failure_event: ${text}`;

  test('becomes the event of the catalogue, in the words of the format', () => {
    const said = line('pfn 0x5000: recovery action for free buddy page: Recovered');
    const event = {
      name: 'host.memory-failure',
      fields: { pfn: 0x5000n, page: 'free buddy page', result: 'Recovered' },
    };
    expect(read(said)).toEqual([event]);
    expect(kernelTraceEvents().push(said)).toEqual([event]);
  });

  test('a value without a word stays a number; other words are not those of this kernel', () => {
    expect(read(line('pfn 0x1: recovery action for 0x2: 0x9'))).toMatchObject([
      { fields: { page: '0x2', result: '0x9' } },
    ]);
    expect(read(line('pfn 0x1: recovery action for a page: Recovered'))).toEqual([]);
    expect(read(line('pfn 0x1: recovery action for huge page: Recovered and more'))).toEqual([]);
    expect(read('x: other_event: pfn 0x5000')).toEqual([]);
  });

  test('lost events are counted', () => {
    expect(read('CPU:3 [LOST 17 EVENTS]')).toEqual([{ name: 'host.trace-lost', fields: { cpu: 3, count: 17 } }]);
  });
});
