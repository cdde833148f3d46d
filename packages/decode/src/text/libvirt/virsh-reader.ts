/**
 * @module What `virsh event` and `virsh qemu-monitor-event` print, with --timestamp, --loop and --pretty or without, in the C
 * locale. Source: libvirt's tools/virsh-domain-event.c and virsh-domain-monitor; seen of libvirt 9.0.
 */
import { parseObject } from '../../common/json.ts';
import { eventItem } from '../item.ts';
import type { EventItem, ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { qmpEvent } from '../qemu/qmp-events.ts';
import { libvirtEvent } from './libvirt-events.ts';
import type { LibvirtNews } from './libvirt-events.ts';

/** Every first line holds it. */
export const VIRSH_NEEDLES: readonly string[] = [' for domain '];

/** `2026-11-30 02:42:16.915+0000: `, and the domain, which older ones do not quote. */
const STAMP = String.raw`^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d{4}: )?`;
const DOMAIN = String.raw`for domain (?:'.{1,255}'|\S{1,255}?)`;
const EVENT = new RegExp(String.raw`${STAMP}event '([a-z-]{1,40})' ${DOMAIN}(?:: ?(.{0,200}))?$`, 's');
const MONITOR_EVENT = new RegExp(
  String.raw`${STAMP}event ([A-Z][A-Z0-9_]{1,63}) (?:at \d{1,12}\.\d{6} )?${DOMAIN}: (<null>|\{.{0,4000})$`,
  's',
);
const MEMBER = /^\s{0,8}(recipient|action|flags|action required|recursive):(?: (\w{1,32}))?$/;
/** Of details that virsh lays out over several lines. */
const MAX_DETAILS = 4096;

/** Where virsh has other words for a detail than libvirt's other programs. */
const DETAILS: Readonly<Record<string, string>> = {
  snapshot: 'from snapshot',
  'finished after guest request': 'guest request',
  'finished after host request': 'host request',
  'post-copy error': 'post-copy failed',
};

type MemoryFailure = Extract<LibvirtNews, { event: 'memory-failure' }>;

/** What is open behind its first line: a memory failure, or details of a monitor's event as JSON. */
type Open = { firstLine: number; lastLine: number } & (
  | { news: MemoryFailure }
  | { name: string; details: string; news?: undefined }
);

function newsOf(name: string, rest: string): LibvirtNews | undefined {
  switch (name) {
    case 'lifecycle': {
      const [type = '', ...detail] = rest.toLowerCase().split(' ');
      const words = detail.join(' ').replace('i/o', 'I/O').replace(/^api /, 'API ');
      return { event: 'lifecycle', type, detail: DETAILS[words] ?? words };
    }
    case 'watchdog':
      return { event: 'watchdog', action: rest };
    case 'reboot':
    case 'job-completed':
    case 'memory-failure':
      return { event: name };
    default:
      return undefined;
  }
}

/** Reads one event after the other; of one that spans lines, which carry no mark, until its last one or any other line. */
export class VirshReader implements Reader {
  readonly #sink: ItemSink;
  #open: Open | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  get wanted(): boolean {
    return this.#open !== undefined;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    if (this.#open !== undefined && this.#more(this.#open, text, lineNumber)) return true;
    this.end();
    return this.#event(text, lineNumber) || this.#monitorEvent(text, lineNumber);
  }

  skipped(): void {
    this.end();
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { firstLine, lastLine, news } = open;
    // Of details whose end is missing the name is certain.
    const said = news === undefined ? monitorEvent(open.name, open.details) : libvirtEvent(news);
    if (said !== undefined) this.#sink({ ...eventItem('virsh', firstLine, said), lastLine } as EventItem);
  }

  /** A line behind the first; false where it is none of the event that is open. */
  #more(open: Open, text: string, lineNumber: number): boolean {
    if (open.news === undefined) {
      if (open.details.length + text.length > MAX_DETAILS) return false;
      open.details += text;
      open.lastLine = lineNumber;
      // Its own end stands at the begin of a line.
      if (text.startsWith('}')) this.end();
      return true;
    }
    const [, name, value] = MEMBER.exec(text) ?? [];
    if (name === undefined) return false;
    open.lastLine = lineNumber;
    if (name === 'recipient' && value !== undefined) open.news.recipient = value;
    if (name === 'action' && value !== undefined) open.news.action = value;
    if (name === 'action required') open.news.actionRequired = value === '1';
    if (name === 'recursive') {
      open.news.recursive = value === '1';
      this.end();
    }
    return true;
  }

  #event(text: string, lineNumber: number): boolean {
    const [, name = '', rest = ''] = EVENT.exec(text) ?? [];
    const news = newsOf(name, rest);
    if (news === undefined) return false;
    if (news.event === 'memory-failure') this.#open = { firstLine: lineNumber, lastLine: lineNumber, news };
    else {
      const said = libvirtEvent(news);
      if (said !== undefined) this.#sink(eventItem('virsh', lineNumber, said));
    }
    return true;
  }

  #monitorEvent(text: string, lineNumber: number): boolean {
    const [, name, details] = MONITOR_EVENT.exec(text) ?? [];
    if (name === undefined || details === undefined) return false;
    if (details === '{') this.#open = { firstLine: lineNumber, lastLine: lineNumber, name, details };
    else this.#sink(eventItem('virsh', lineNumber, monitorEvent(name, details)));
    return true;
  }
}

/** `<null>` and what is no JSON are no details. */
function monitorEvent(name: string, details: string): ReturnType<typeof qmpEvent> {
  return qmpEvent({ event: name, data: parseObject(details) });
}
