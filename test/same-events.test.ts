/** Holds lab and decode to the same events on every golden log: there is one reader for each wire. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseObject } from '@syndrome/decode/common/json.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import { linuxEvents, qemuEvents, vmmEvents, xenEvents } from '@syndrome/decode/text/event-reader.ts';
import type { EventReader } from '@syndrome/decode/text/event-reader.ts';
import { hmpOutputEvents } from '@syndrome/decode/text/qemu/messages.ts';
import { qmpEvent } from '@syndrome/decode/text/qemu/qmp-events.ts';
import { agentEvent, agentLine } from '@syndrome/decode/text/syndrome/agent-events.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import { parseEvent } from '@syndrome/trace/testing/parse.ts';
import { decodedOf, heardByLab, tracedOf } from './same-events.ts';

const TEXT = join(import.meta.dirname, '../packages/decode/src/text/golden');
const DECODE = join(import.meta.dirname, '../packages/decode/src/decode/golden');

const READERS: Readonly<Record<string, () => EventReader>> = {
  linux: () => linuxEvents(),
  host: () => linuxEvents('host'),
  xen: xenEvents,
  qemu: qemuEvents,
};

function eventsOf(reader: EventReader, lines: readonly string[]): LogEvent[] {
  return [...lines.flatMap(line => reader.push(line)), ...reader.end()];
}

describe('lab and decode see the same in', () => {
  it.each(globSync('*/*.log', { cwd: TEXT }))('%s', file => {
    const text = readFileSync(join(TEXT, file), 'utf8');
    const [writer = ''] = file.split(/[\\/]/);
    const reader = READERS[writer];
    if (reader === undefined) throw new Error(`no reader for ${file}`);
    expect(tracedOf(eventsOf(reader(), text.split('\n')))).toEqual(decodedOf(text));
  });
});

/** What the lab makes of the line of a trace, by its source. */
function heard(event: TraceEvent, readers: Map<string, EventReader>, isXen: boolean): LogEvent[] {
  const { layer, source, raw = '' } = event;
  if (source === 'qmp') {
    const message = parseObject(raw);
    return typeof message?.['event'] === 'string' ? [qmpEvent({ event: message['event'], data: message['data'] })] : [];
  }
  if (source === 'hmp') return hmpOutputEvents(raw);
  if (source === 'agent') {
    const line = agentLine(raw);
    const found = line && agentEvent(line.name, Object.fromEntries(line.fields), layer === 'host' ? 'host' : 'guest');
    return found === undefined ? [] : [found];
  }
  if (source !== 'console' && source !== 'stderr' && source !== 'events') return [];
  // Xen and dom0 write on one console.
  const key = isXen && source === 'console' ? 'xen' : `${layer} ${source}`;
  const made =
    source === 'stderr'
      ? qemuEvents
      : source === 'events'
        ? vmmEvents
        : isXen
          ? xenEvents
          : () => linuxEvents(layer === 'host' ? 'host' : 'guest');
  const reader = readers.get(key) ?? made();
  readers.set(key, reader);
  return reader.push(raw);
}

/**
 * Inputs that are the lines of a console or of its log. acpi_extlog only prints, and the lab has no event for it: the machine
 * check of its report comes on its own.
 */
const consoles = globSync('{linux,note,no}-*.in', { cwd: DECODE, exclude: ['linux-extlog.in'] });
/** A line that journald wrote as JSON: no wire of the lab. */
const JSON_LINE = /^(?:\u001e|data: |\t)?\s*(?:\{"|"\w+"\s?:)/;

describe('lab and decode see the same in the inputs of decode:', () => {
  it.each(consoles)('%s', file => {
    const lines = readFileSync(join(DECODE, file), 'utf8').split('\n');
    const text = lines.filter(line => !JSON_LINE.test(line)).join('\n');
    const reader = text.includes('(XEN) ') ? xenEvents() : linuxEvents();
    expect(tracedOf(eventsOf(reader, text.split('\n')))).toEqual(decodedOf(text, ['linux', 'xen']));
  });

  it.each(globSync('trace-*.in', { cwd: DECODE }))('%s', file => {
    const text = heardByLab(readFileSync(join(DECODE, file), 'utf8'));
    const lines = text.split('\n').flatMap(line => parseEvent(line) ?? []);
    const readers = new Map<string, EventReader>();
    const isXen = lines.some(({ layer }) => layer === 'xen');
    const events = lines.flatMap(line => (line.raw === undefined ? [] : heard(line, readers, isXen)));
    for (const reader of readers.values()) events.push(...reader.end());
    expect(tracedOf(events).length).toBeGreaterThan(0);
    expect(tracedOf(events)).toEqual(decodedOf(text));
  });
});
