/** Holds lab, decode and the supervisor's agent to the same events on every golden log: there is one reader for each wire. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseObject } from '@syndrome/decode/common/json.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import {
  linuxEvents,
  qemuEvents,
  kernelTraceEvents,
  vmmEvents,
  xenEvents,
} from '@syndrome/decode/text/event-reader.ts';
import type { EventReader } from '@syndrome/decode/text/event-reader.ts';
import { hmpOutputEvents } from '@syndrome/decode/text/qemu/messages.ts';
import { qmpEvent } from '@syndrome/decode/text/qemu/qmp-events.ts';
import { agentEvent, agentLine } from '@syndrome/decode/text/syndrome/agent-events.ts';
import { lifecycle } from '@syndrome/qemu/libvirt/states.ts';
import { virshEvents } from '@syndrome/decode/text/testing/virsh-events.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import { parseEvent } from '@syndrome/trace/testing/parse.ts';

import { libvirtEvent } from '@syndrome/decode/text/libvirt/libvirt-events.ts';
import { heardFromKmsg, heardFromQemuLog, heardFromTracefs, heardFromVmm } from './heard-by-agent.ts';
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
 * check of its report comes on its own. A file of /proc is on no console.
 */
const consoles = globSync('{linux,note,no}-*.in', { cwd: DECODE, exclude: ['linux-extlog.in', 'linux-meminfo.in'] });
/** A message that a mail broke: on a console it is put together again, a record of /dev/kmsg is never broken, and holds one message. */
const BROKEN: readonly string[] = [
  'linux-edac-pages.in',
  'linux-not-hardware.in',
  'linux-pointers.in',
  'linux-wrapped-prefix.in',
  'linux-wrapped.in',
];
/** Source and prose in which messages stand: no kernel prints it, and what it prints is no source. */
const UNPRINTED: readonly string[] = ['no-prose.in', 'no-source-code.in'];
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

const read = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');
/** What the agent counts against the events that QEMU's monitor gave, and tells as lost only. */
const COUNTED = /^qemu-event-emitted /;

describe('the agent hears the same as decode in', () => {
  it.each([
    ...globSync('{linux,host}/*.log', { cwd: TEXT }).map(file => [file, TEXT] as const),
    ...consoles.filter(file => ![...BROKEN, ...UNPRINTED].includes(file)).map(file => [file, DECODE] as const),
  ])('/dev/kmsg of %s', (file, folder) => {
    const lines = read(folder, file)
      .split('\n')
      .filter(line => !JSON_LINE.test(line) && !line.includes('(XEN) '));
    const text = lines.join('\n');
    expect(tracedOf(heardFromKmsg(text))).toEqual(decodedOf(text, ['linux']));
  });

  it.each([
    ...globSync('qemu/*.log', { cwd: TEXT }).map(file => [file, TEXT] as const),
    ...['qemu-log.in', 'qemu-stderr.in'].map(file => [file, DECODE] as const),
  ])("QEMU's log of %s", async (file, folder) => {
    // Its monitor's answers go to whoever asked; syslog is no file of a VM.
    const lines = read(folder, file)
      .split('\n')
      .filter(line => !/^CPU \d|^[A-Z][a-z]{2} \d/.test(line));
    const text = `${lines.join('\n')}\n`;
    const decoded = decodedOf(text).filter(line => !COUNTED.test(line));
    expect(tracedOf(await heardFromQemuLog(text))).toEqual(decoded);
    expect(tracedOf(eventsOf(qemuEvents(), lines)).filter(line => !COUNTED.test(line))).toEqual(decoded);
  });

  it('the log of the reference VMM', async () => {
    const text = read(DECODE, 'vmm-events.in');
    const heard = tracedOf(await heardFromVmm(`${text}\n`));
    expect(heard.length).toBeGreaterThan(0);
    expect(heard).toEqual(decodedOf(text, ['vmm']));
  });

  it('the trace_pipe of a kernel', async () => {
    const text = read(DECODE, 'tracefs.in');
    const words = (from: string): string[] =>
      [...text.matchAll(new RegExp(from, 'g'))].map(m => m[1] ?? '').filter(word => !word.startsWith('0x'));
    const symbols = (list: readonly string[]): string => list.map((word, i) => `{ ${i}, "${word}" }`).join(', ');
    const format = `name: memory_failure_event\nID: 7\n\nprint fmt: "pfn %#lx: recovery action for %s: %s", REC->pfn, __print_symbolic(REC->type, ${symbols(words('action for ([^:]+):'))}), __print_symbolic(REC->result, ${symbols(words('action for [^:]+: (\\w+)'))})\n`;
    const decoded = decodedOf(text, ['tracefs']);
    expect(decoded).toHaveLength(5);
    expect(tracedOf(await heardFromTracefs(text, format))).toEqual(decoded);
    expect(tracedOf(eventsOf(kernelTraceEvents(), text.split('\n')))).toEqual(decoded);
  });
});

/** How virsh writes a word of libvirt, and where it has others: tools/virsh-domain-event.c. */
const VIRSH_WORDS: Readonly<Record<string, string>> = {
  'shutdown finished': 'Finished',
  'shutdown guest request': 'Finished after guest request',
  'shutdown host request': 'Finished after host request',
  'suspended I/O error': 'I/O Error',
  'suspended post-copy failed': 'Post-copy Error',
};
const virshWords = (type: string, detail: string): string => {
  const plain = detail === 'from snapshot' ? 'snapshot' : detail;
  const words = VIRSH_WORDS[`${type} ${detail}`] ?? `${plain.charAt(0).toUpperCase()}${plain.slice(1)}`;
  return `${type.charAt(0).toUpperCase()}${type.slice(1)} ${words}`;
};

describe("libvirt's RPC and virsh tell the same", () => {
  it('of every turn in the life of a domain', () => {
    const turns = Array.from({ length: 9 }, (_, type) =>
      Array.from({ length: 9 }, (__, detail) => lifecycle(type, detail)).filter(
        turn => turn !== undefined && !/^detail \d/.test(turn.detail),
      ),
    ).flat();
    expect(turns.length).toBeGreaterThan(30);
    for (const turn of turns) {
      if (turn === undefined) continue;
      const line = `event 'lifecycle' for domain 't1': ${virshWords(turn.type, turn.detail)}`;
      const said = libvirtEvent({ event: 'lifecycle', ...turn });
      expect([line, virshEvents([line])]).toEqual([line, said === undefined ? [] : [said]]);
    }
  });

  it('of one run, by its own events and by those of the monitor', () => {
    const failures = (file: string): string[] => {
      const text = read(DECODE, file);
      const decoded = decodedOf(text);
      expect(tracedOf(virshEvents(text.split('\n')))).toEqual(decoded);
      return [...new Set(decoded)];
    };
    const seen = failures('virsh-event.in');
    expect(seen).toHaveLength(2);
    expect(failures('virsh-monitor-event.in')).toEqual(seen);
  });
});
