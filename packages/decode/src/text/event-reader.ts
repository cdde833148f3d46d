/**
 * @module The readers of text for whoever wants events of the catalogue line by line, such as the lab's tape: one for each wire.
 * They are the readers that `decode` uses, with what single lines of a record say on top.
 */
import { nameIn } from '../events/catalog.ts';
import type { KindFields, LinuxLayer } from '../events/catalog.ts';
import type { LogEvent } from '../events/event.ts';
import { parseObject } from '../common/json.ts';
import { classify } from '../mca/classify.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { ItemSink, TextItem } from './item.ts';
import { KernelReader } from './linux/kernel-reader.ts';
import { KernelTraceReader } from './linux/kernel-trace-reader.ts';
import type { PrintedFields } from './linux/kernel-trace-reader.ts';
import { stderrEvent } from './qemu/messages.ts';
import { vmmEvent } from './syndrome/vmm-events.ts';
import { cleanLine } from './transport/line.ts';
import { TAG, XenReader, isXenLine } from './xen/xen-reader.ts';

/** A stateful reader of one wire. It never throws on text and keeps a bounded amount of it. */
export interface EventReader {
  /** Takes one line, with or without its line end; returns the events it completes. */
  push(line: string): LogEvent[];
  /** The source ended: returns what was still open. */
  end(): LogEvent[];
  /** The layer that wrote a line, on a wire on which more than one writes; undefined for the one whose wire it is. */
  writer?(line: string): 'xen' | undefined;
}

/**
 * The fields of the event that a record of Linux is.
 * @param said what is known of it beside its registers
 */
export function recordFields(
  record: X86McaRecord,
  said: Pick<KindFields<'mce-record'>, 'exception' | 'complete' | 'source'>,
): KindFields<'mce-record'> {
  const { bank, status, cpu, mcgStatus, addr, misc } = record;
  return {
    bank,
    status,
    class: classify(record),
    ...said,
    ...(cpu === undefined ? {} : { cpu }),
    ...(mcgStatus === undefined ? {} : { mcgStatus }),
    ...(addr === undefined ? {} : { addr }),
    ...(misc === undefined ? {} : { misc }),
  };
}

function bankFields(record: X86McaRecord): KindFields<'xen.mce-bank'> {
  const { bank, status, cpu, addr, misc } = record;
  return {
    bank,
    status,
    class: classify(record),
    ...(cpu === undefined ? {} : { cpu }),
    ...(misc === undefined ? {} : { misc }),
    ...(addr === undefined ? {} : { addr }),
  };
}

/** An item as an event in the layer that wrote it; undefined for what other events say already, and for remarks on the text. */
function eventOf(item: TextItem, layer: LinuxLayer): LogEvent | undefined {
  if (item.type === 'event') {
    const name = nameIn(layer, item.name);
    return name === undefined ? undefined : ({ name, fields: item.fields } as LogEvent);
  }
  if (item.type !== 'mca') return undefined;
  const { record, exception, notes } = item;
  if (item.form === 'xen') return { name: 'xen.mce-bank', fields: bankFields(record), record };
  const complete = !notes.some(note => note.code === 'W_TEXT_INCOMPLETE');
  const fields = recordFields(record, { ...(exception === undefined ? {} : { exception }), complete });
  return { name: `${layer}.mce-record`, fields, record } as LogEvent;
}

/** Reports whose severity was told and which have not ended. More never stand mixed. */
const MAX_TOLD = 64;

/**
 * The severity of a report is an event as soon as its line is there. Where that line is missing, or joined to others, it is
 * known when the report ends, and told then: each report of firmware is told once.
 */
class ReportSeverities {
  readonly #told = new Set<number>();
  readonly #layer: LinuxLayer;

  constructor(layer: LinuxLayer) {
    this.#layer = layer;
  }

  /** The event that is still owed for an item; undefined where there is none. */
  owed(item: TextItem): LogEvent | undefined {
    if (item.type === 'event' && item.name === 'cper-severity') {
      this.#told.add(Number(item.fields['seq']));
      const [oldest] = this.#told;
      if (oldest !== undefined && this.#told.size > MAX_TOLD) this.#told.delete(oldest);
    }
    if (item.type !== 'cper' || item.seq === undefined || this.#told.delete(item.seq)) return undefined;
    return { name: `${this.#layer}.cper-severity`, fields: { seq: item.seq, severity: item.record.severity } };
  }
}

/** A record of the boot before has no number by which its lines would be told one by one. */
function previousBoot(item: TextItem, layer: LinuxLayer): LogEvent | undefined {
  if (item.type !== 'cper' || item.record.previousBoot !== true) return undefined;
  const { severity, sections } = item.record;
  const [body] = sections.map(section => section.body);
  const addr = body?.kind === 'memory' ? body.physicalAddress : undefined;
  return {
    name: `${layer}.cper-previous-boot`,
    fields: {
      severity,
      ...(body === undefined ? {} : { section: body.kind }),
      ...(addr === undefined ? {} : { addr }),
    },
  };
}

/** Makes a reader of events out of one of items. */
function eventReader(
  layer: LinuxLayer,
  open: (sink: ItemSink) => { push(line: string, lineNumber: number): void; end(): void },
): EventReader {
  let events: LogEvent[] = [];
  let lineNumber = 0;
  const severities = new ReportSeverities(layer);
  const reader = open(item => {
    const owed = severities.owed(item);
    const event = eventOf(item, layer) ?? owed ?? previousBoot(item, layer);
    if (event !== undefined) events.push(event);
  });
  const taken = (): LogEvent[] => {
    const out = events;
    events = [];
    return out;
  };
  return {
    push(line) {
      reader.push(line, ++lineNumber);
      return taken();
    },
    end() {
      reader.end();
      return taken();
    },
  };
}

const SOURCE = 'console';

/**
 * Reads a console of Linux, or its log: kernel messages with or without time stamps, syslog and journald prefixes.
 * @param layer in front of every event name; `host` for the outer Linux of a nested machine
 */
export function linuxEvents(layer: LinuxLayer = 'guest'): EventReader {
  return eventReader(layer, sink => new KernelReader(sink, SOURCE, true));
}

/** Reads messages of Linux one by one, each as the kernel said it (/dev/kmsg). */
interface MessageReader {
  /**
   * Takes one message, without a prefix of any kind; returns the events it completes.
   * @param caller the task or CPU that printed it (`T12`, `C3`), where it is known
   */
  push(text: string, caller: string | undefined): LogEvent[];
  /** The source ended: returns what was still open. */
  end(): LogEvent[];
}

/** Reads messages of Linux that nothing stands around. */
export function kernelMessages(layer: LinuxLayer): MessageReader {
  let by: string | undefined;
  const reader = eventReader(layer, sink => {
    const kernel = new KernelReader(sink, SOURCE, true);
    return { push: (text, lineNumber) => kernel.message(text, by, lineNumber), end: () => kernel.end() };
  });
  return {
    push(text, caller) {
      by = caller;
      return reader.push(text);
    },
    end: () => reader.end(),
  };
}

/** Reads a console on which Xen (`(XEN) ` lines) and dom0 write: `xen.…` events, and `guest.…` events from everything else. */
export function xenEvents(): EventReader {
  const reader = eventReader('guest', sink => {
    const dom0 = new KernelReader(sink, SOURCE, true);
    const xen = new XenReader(sink, SOURCE, () => dom0.end());
    return {
      push(raw, lineNumber) {
        const line = cleanLine(raw);
        const at = line.indexOf(TAG);
        // Xen may start in the middle of a dom0 line; what stands before it is dom0's.
        if (at !== 0) dom0.push(at < 0 ? line : line.slice(0, at), lineNumber);
        if (at >= 0) xen.push(line.slice(at + TAG.length), lineNumber);
      },
      end() {
        xen.end();
        dom0.end();
      },
    };
  });
  return { ...reader, writer: line => (isXenLine(line) ? 'xen' : undefined) };
}

/**
 * Reads lines of the kernel's trace events.
 * @param fields what the event prints, by the format file of this kernel; without it, as all kernels print it
 */
export function kernelTraceEvents(layer: LinuxLayer = 'host', fields?: PrintedFields): EventReader {
  return eventReader(layer, sink => new KernelTraceReader(sink, fields));
}

/** Reads QEMU's error output, its trace lines among it. */
export function qemuEvents(): EventReader {
  return {
    push(line) {
      const event = stderrEvent(line);
      return event === undefined ? [] : [event];
    },
    end: () => [],
  };
}

/** Reads the events of the reference VMM, one JSON object a line. */
export function vmmEvents(): EventReader {
  return {
    push(line) {
      const data = parseObject(line);
      const event = data === undefined ? undefined : vmmEvent(data);
      return event === undefined ? [] : [event];
    },
    end: () => [],
  };
}
