/**
 * @module What the fault manager of illumos and Solaris makes of many error reports: `fmadm faulty` (of Solaris 10: state and resource;
 * since: class, part and label), `fmdump -v` (each suspect with its share), the message on the console and in syslog, and the table of
 * ILOM's `show faulty`. Sources: fmadm(8), fmdump(8), syslog-msgs(5); Predictive Self-Healing articles AMD-8000-2F, SUN4V-8001-7R and
 * SUN4V-8000-DX; service manuals of SPARC T-series servers.
 */
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';

export const FAULT_NEEDLES: readonly string[] = [
  'fault.memory.',
  'fault.cpu.',
  'mem:///',
  'cpu:///',
  'SUNW-MSG-ID:',
  ' | /SYS/',
];

const CLASS = String.raw`(fault\.(?:memory|cpu)\.[a-z0-9_.-]{1,96})`;
/** `fmadm faulty`; a suspect of several with its share, in one line with the others as `max 95%`. */
const FAULT = new RegExp(`^\\s{0,8}(?:Fault|Problem) class {0,8}: ${CLASS}(?: (?:max )?(\\d{1,3})%)?\\s*$`);
/** `fmdump -v`: `   70%  fault.memory.link-c`. */
const SUSPECT = new RegExp(`^\\s{0,8}(\\d{1,3})% {1,4}${CLASS}\\s*$`);
/** ILOM: `/SP/faultmgmt/0/faults/0 | class | fault.memory.…`; the part stands in a row before it or behind. */
const ILOM_CLASS = new RegExp(`\\| class {1,32}\\| ${CLASS}\\s*$`);
const ILOM_FRU = /\| fru {1,32}\| (\/SYS\/\S{1,96})\s*$/;
/** The part, in lines below the class: the label of the board where one is given. */
const LABEL =
  /^\s{0,24}(?:FRU {0,16}: {1,16}"([^"]{1,64})"|(?:Location|FRU Location) {0,16}: {1,16}"?([^"\s]{1,64})"?\s*$)/;
/** Of the scheme of memory units, with its label; any other is a path in the tree of hardware. */
const UNUM = /\bmem:\/\/\/unum=([^\s/"][^\s"]{0,63})/;
/** `fmadm faulty` of Solaris 10: the state of a resource. */
const RESOURCE = /^\s{0,4}(degraded|faulted|unknown|repaired)\s{1,8}((?:mem|cpu):\/\/\/\S{1,160})\s*$/;
/** The message of the fault daemon, over lines; only of the engine that watches processors and memory. */
const MESSAGE = /\bSUNW-MSG-ID: ([A-Z0-9]{3,16}-[A-Z0-9]{4}-[A-Z0-9]{2}), TYPE: Fault\b.{0,48}?SEVERITY: (\w{4,10})/;
const SOURCE = /(?:^|\s)SOURCE: (?:cpumem-(?:diagnosis|retire)|eft|generic-mem|fdd)\b/;
const DESCRIPTION = /(?:^|\s)DESC: (.{8,256})/;
const OF_MEMORY = /\bmemory module|\bDIMM|\bmemory\b/i;
const OF_CPU = /\b(?:CPU|processor|chip|core)\b/i;
/** How classes end that say of which errors: `dimm_ce`, `page_ue`, `link-c`, `link-u`, `dimm.ue`. */
const CORRECTED = /^fault\.\S{1,96}[._-](?:ce|c)(?:,|$)/;
const UNCORRECTED = /^fault\.\S{1,96}[._-](?:ue|u)(?:,|$)/;
/** Lines from the class to the part, and of a message up to its description. */
const MAX_LINES = 16;

interface Open {
  firstLine: number;
  lines: number;
  /** The class with its share, or the id of the message. */
  message: string;
  /** What stands in `Affects:` where no label comes. */
  unum?: string;
  /** A message of the daemon: what it says of memory or processors is still to come. */
  source?: boolean;
}

/** Reads what the fault manager prints. */
export class FaultLines implements Reader {
  readonly #sink: ItemSink;
  #open: Open | undefined;
  /** ILOM: the part whose rows these are. */
  #fru: string | undefined;

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
    const message = MESSAGE.exec(text);
    if (message !== null) {
      this.end();
      this.#open = { firstLine: lineNumber, lines: 0, message: `${message[1]}, ${message[2]}`, source: false };
      return this.#told(text, lineNumber) || true;
    }
    const [, named, share] = FAULT.exec(text) ?? [];
    const [, percent, suspect] = SUSPECT.exec(text) ?? [];
    const fault = named ?? suspect;
    if (fault !== undefined) {
      this.end();
      const sure = share ?? percent;
      const said = sure === undefined || sure === '100' ? fault : `${fault}, ${sure} % likely`;
      this.#open = { firstLine: lineNumber, lines: 0, message: said };
      return true;
    }
    const resource = RESOURCE.exec(text);
    if (resource !== null) {
      this.end();
      if (resource[1] === 'repaired') return true;
      this.#emit(`${resource[1]} ${resource[2]}`, UNUM.exec(text)?.[1] ?? resource[2], lineNumber, lineNumber);
      return true;
    }
    const fru = ILOM_FRU.exec(text)?.[1];
    if (fru !== undefined) this.#fru = fru;
    const ilom = ILOM_CLASS.exec(text)?.[1];
    if (ilom !== undefined) {
      this.#emit(ilom, this.#fru, lineNumber, lineNumber);
      return true;
    }
    return this.#open === undefined ? fru !== undefined : this.#part(this.#open, text, lineNumber);
  }

  skipped(lines: number): void {
    if (this.#open !== undefined && (this.#open.lines += lines) > MAX_LINES) this.end();
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    // A message of which nothing says that it is of memory or a processor may be of a disk.
    if (open !== undefined && open.source === undefined) {
      this.#emit(open.message, open.unum, open.firstLine, open.firstLine + open.lines);
    }
  }

  #part(open: Open, text: string, lineNumber: number): boolean {
    if (open.source !== undefined && this.#told(text, lineNumber)) return true;
    const [, quoted, located] = LABEL.exec(text) ?? [];
    const label = quoted ?? located;
    const unum = UNUM.exec(text)?.[1];
    if (unum !== undefined) open.unum ??= unum;
    if (label !== undefined && open.source === undefined) {
      this.#open = undefined;
      this.#emit(open.message, label, open.firstLine, lineNumber);
      return true;
    }
    if (++open.lines > MAX_LINES) this.end();
    return false;
  }

  /** A line of a message of the daemon; syslog has all of them in one. */
  #told(text: string, lineNumber: number): boolean {
    const open = this.#open;
    if (open === undefined) return false;
    if (SOURCE.test(text)) open.source = true;
    const description = DESCRIPTION.exec(text)?.[1];
    if (description === undefined) return false;
    this.#open = undefined;
    const isOurs = OF_MEMORY.test(description) || (open.source === true && OF_CPU.test(description));
    if (isOurs) {
      const [sentence = ''] = description.split(/(?<=\.) {1,2}Refer to|\s{1,4}AUTO-RESPONSE:/, 1);
      this.#emit(`${open.message}: ${sentence.trim()}`, undefined, open.firstLine, lineNumber);
    }
    return true;
  }

  #emit(message: string, label: string | undefined, firstLine: number, lastLine: number): void {
    const fields = { message, ...(label === undefined ? {} : { label }) };
    const name = CORRECTED.test(message)
      ? 'fault-of-corrected'
      : UNCORRECTED.test(message)
        ? 'fault-of-uncorrected'
        : 'fault-diagnosed';
    this.#sink({ ...eventItem('illumos', firstLine, { name, fields }), lastLine });
  }
}
