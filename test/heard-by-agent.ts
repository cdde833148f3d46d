/** What the sources of the supervisor's agent make of a log that was kept: the sources themselves, over files. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import { KmsgDecoder } from '@syndrome/decode/text/linux/kmsg-decoder.ts';
import { linuxLine } from '@syndrome/decode/text/transport/line.ts';
import { Positions } from '@syndrome/supervisor/agent/positions.ts';
import type { Source } from '@syndrome/supervisor/agent/source.ts';
import { Emitted } from '@syndrome/supervisor/agent/sources/emitted.ts';
import { QemuLogSource } from '@syndrome/supervisor/agent/sources/qemu-log.ts';
import { TraceSource } from '@syndrome/supervisor/agent/sources/trace.ts';
import { VmmLogSource } from '@syndrome/supervisor/agent/sources/vmm-log.ts';
import { Vms } from '@syndrome/supervisor/agent/vms.ts';

/** Runs a source until it has read what is there; the events that it tells. */
async function toldBy(source: Source): Promise<LogEvent[]> {
  const told: LogEvent[] = [];
  const end = new AbortController();
  let pulses = 0;
  await source.run(
    said => {
      if (said.kind === 'event') told.push(said.event);
    },
    end.signal,
    // The first is of the file being open.
    () => (pulses++ > 0 ? end.abort() : undefined),
  );
  return told;
}

async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'heard-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A kernel log as records of /dev/kmsg: what a prefix names another program is of another facility there. */
export function heardFromKmsg(text: string): LogEvent[] {
  const decoder = new KmsgDecoder();
  const records = text.split('\n').map((raw, seq) => {
    const { text: message, caller, kernel } = linuxLine(raw);
    return `${kernel ? 3 : 27},${seq},${seq * 1000},-${caller === undefined ? '' : `,caller=${caller}`};${message}\n`;
  });
  return [...records.flatMap(record => decoder.push(record).events), ...decoder.flush()];
}

/** QEMU's log. Events that it emitted are counted against those that its monitor gave, so that they are told as `lost` only. */
export function heardFromQemuLog(text: string): Promise<LogEvent[]> {
  return inFolder(folder => {
    const path = join(folder, 'log');
    writeFileSync(path, text);
    const positions = new Positions();
    positions.set(`qemu-log:${path}`, `${statSync(path).ino}:0`);
    const emitted = new Emitted('MEMORY_FAILURE');
    return toldBy(new QemuLogSource('web', path, { vms: new Vms(), emitted, positions, pollMs: 1 }));
  });
}

/** The reference VMM's events. */
export function heardFromVmm(text: string): Promise<LogEvent[]> {
  return inFolder(folder => {
    const path = join(folder, 'events');
    writeFileSync(path, text);
    return toldBy(new VmmLogSource('web', path, { vms: new Vms(), epochOf: () => 1, pollMs: 1 }));
  });
}

/** The lines of a trace_pipe, by the format of a kernel. */
export function heardFromTracefs(text: string, format: string): Promise<LogEvent[]> {
  return inFolder(folder => {
    const event = 'events/ras/memory_failure_event';
    for (const place of ['', 'instances/syndrome']) mkdirSync(join(folder, place, event), { recursive: true });
    writeFileSync(join(folder, event, 'format'), format);
    writeFileSync(join(folder, 'instances/syndrome/trace_pipe'), text);
    return toldBy(new TraceSource({ root: folder, pollMs: 1 }));
  });
}
