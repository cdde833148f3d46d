/**
 * @module What a management controller (BMC) logged of memory and processors: its SEL as ipmitool, ipmiutil and FreeIPMI print it, and
 * the messages of Dell's and HPE's logs, wherever they stand (also in Redfish).
 */
import type { BMC } from '../../events/bmc.ts';
import type { KindFields } from '../../events/catalog.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import { dropInvalid } from '../printed-registers.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';
import { MESSAGE_ID_NEEDLES, argumentOf, filled, messageById, opensArguments, withoutGaps } from './message-id.ts';
import { DIMM, messageOf } from './messages.ts';
import { dateIn } from '../transport/dates.ts';
import { RAW_NEEDLES, hasEnded, rawBytes, rawRest, wordsOfData } from './raw-record.ts';
import { selEvent } from './sel-event.ts';

export const BMC_NEEDLES: readonly string[] = [
  'ackage Repair',
  'orrectable ECC',
  'orrectable memory error',
  'orrectable Memory Error',
  'orrected Memory Error',
  'orrectable Machine',
  'orrectable machine',
  'ncorrectable CPU',
  'ncorrectable cpu',
  'ulti-bit memory error',
  'emory Scrub Failed',
  'emory Device Disabled',
  '(IERR)',
  '| IERR',
  ',IERR',
  ' : IERR',
  'SEL Record ID',
  'machine check error',
  '| Parity',
  'ncorrectable error detected for',
  'ncorrectable memory error',
  'emory Logging Limit',
  'PFA Threshold limit',
  'ulti-bit CE occurred',
  'Scrub Failure for',
  ' disabled on subsystem',
  ' disabled on Subsystem',
  'POST Failure Event: DRAM',
  'Error: 201-Memory Error',
  'ailed with IERR',
  'an uncorrectable error',
  ' CATERR',
  ' CAT ERROR',
  'ECC uncorrectable error',
  'ECC correctable error',
  'ECC error correction',
  'ulti-bit memory errors in the non-execution',
  'a degradation in the DIMM',
  'orrectable error threshold',
  'MACHINE_CHK_ERR',
  'ransition to Non-',
  'transition to Non-',
  'pper Critical - going high',
  'pper critical - going high',
  'Assert + ',
  'orrectable Memory ECC',
  'orrectable memory ECC',
  'Uncorrectable memory component',
  'emory module event cause',
  'emory device location:',
  'edundancy ',
  '[F0184]',
  '[F0185]',
  ' is inoperable',
  ' operability: ',
  'PMIC_ERR (',
  'PMIC Error',
  'S.51003',
  'W.58001',
  'S.58008',
  ' COUNT="',
  'LAST_UPDATE="',
  'Date/Time:',
  'Timestamp       =',
  'Critical ',
  'Caution ',
  'Repaired ',
  'ritical Interrupt',
  'us Correctable',
  'us Uncorrectable',
  'us Fatal',
  'PCI SERR',
  'PCI PERR',
  ' IERR',
  'ERR/CATERR',
  'orrected ECC',
  'orrected memory error',
  'orrectable error detected',
  'orrectable errors detected',
  'ulti-bit error',
  'ailing DIMM: DIMM location',
  'o usable system memory',
  'rrectable Memory Errors Detected',
  'ost package repair',
  'emory error limit',
  'emory device at location',
  'ave occurred on memory slot',
  ' Status contains ',
  ...RAW_NEEDLES,
  ...MESSAGE_ID_NEEDLES,
];

/** What hands the log of a controller on to syslog: daemons of IPMI, agents of the makers, ESXi's. */
export const BMC_PROGRAMS: readonly string[] = [
  'ipmievd',
  'ipmid',
  'ipmiseld',
  'ipmitool',
  'pldmd',
  'amsd',
  'hp-ams',
  'hpasmlited',
  'hpasmd',
  'dsm_sa_eventmgrd',
  'racadm',
  'hostd',
  'Hostd',
];

const MAX_TEXT = 240;
/** `1 | 12/29/2014 | 14:29:00 | Memory #0x01 | Correctable ECC (…) | Asserted`; with `-c` with commas. */
const SENSOR = /^(Memory|Processor|Critical Interrupt|System Firmwares?)\b|\b(?:DIMM|MEM|ECC|CPU)/i;
const TIME = /^\d{1,2}:\d{2}:\d{2}(?: ?[AP]M)?(?: [A-Z]{2,5})?$/;
const DATE = /^\d{1,4}[/-](?:\d{1,2}|[A-Z][a-z]{2})[/-]\d{2,4}$|^[A-Z][a-z]{2}-\d{2}-\d{4}$|^Pre-Init$/;
/** `7840 08/09/11 15:10:47 MIN BMC Memory #08 Uncorrectable ECC, DIMM6/CPU1 6f [20 ff 10]` of ipmiutil. */
const IPMIUTIL =
  /^([0-9a-f]{4}) (\d{2}\/\d{2}\/\d{2} \d{2}:\d{2}:\d{2}) (?:INF|MIN|MAJ|CRT|\w{3}) {1,2}\w{2,8} {1,4}(?:(Memory|Processor) {1,8})?#([0-9a-f]{2}) {1,4}(.{1,160}?) ([0-9a-f]{2}) \[([0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2})\]/;
const OF_BOARD = /^CPLD CATERR\b/;
/** `Uncorrectable Machine Check Exception (Board 0, Processor 2, APIC ID 0x…, Bank 0x…, Status 0x…'…, Address 0x…'…, Misc 0x…'…)`. */
const IML_MCE =
  /\b(?:Uncorrectable|Correctable|Corrected) Machine Check Exception \((.{0,64}?APIC ID (0x[0-9a-f]{1,8}), Bank (0x[0-9a-f]{1,8}), Status (0x[0-9a-f]{8}['’]?[0-9a-f]{8})(?:, Address (0x[0-9a-f]{8}['’]?[0-9a-f]{8}))?(?:, Misc (0x[0-9a-f]{8}['’]?[0-9a-f]{8}))?)/i;
const PROCESSOR = /\bProcessor (\d{1,2})\b/;
/** What IBM's controller adds of the bank: `MC5 Status contains 0x… and MC5 Misc contains 0x…`. */
const IMM_BANK =
  /\bMC(\d{1,2}) Status contains (?:0x)?([0-9a-f]{9,16}) and MC\1 Misc contains (?:0x)?([0-9a-f]{1,16})\b/i;
/** Date and time in one cell, as Cisco's controller prints them. */
const DATE_TIME = /^(\d{1,4}[/-]\d{1,2}[/-]\d{2,4}) (\d{1,2}:\d{2}:\d{2})$/;
/** `DDR3_P1_A1_ECC`, sensors of Cisco's servers. */
/** Intel's server boards name the module before the sentence: `CPU: 1, DIMM: D0 DIMM Rank: 1. - Correctable ECC / …`. */
const BEFORE_SENTENCE = /\bCPU: \d{1,2}, DIMM: [A-Z]\d{1,2}\b/;
const SENSOR_OF_DIMM = /\bDDR\d_(P\d{1,2}_[A-Z]\d{1,2})_ECC\b/;
/** In iLO's XML before the sentence: how often the event came. */
const EVENT_COUNT = /^\s{0,16}COUNT="(\d{1,9})"\s*$/;
const COUNT = /\bread (\d{1,9}) correctable ECC errors\b/;
const ADDRESS = /\bDIMM (?:number )?\d{1,3} at address (0x[0-9a-f]{1,16})\b/i;
/** In manuals and registries the place is left open. */
const PLACEHOLDER =
  /\bDIMM_?[xX]{1,3}\b|\[arg\d\]|<(?:location|number|DIMM)|=%\d|\b(?:number|slot) percent\b|\$\{|%[sd]\b/;
/** What says nothing without the name of its sensor. */
const STATE = /^transition to /i;
/** Sensor type and description of `ipmitool sel get` and `sel list -v`, lines of their own. */
const DETAIL =
  /^\s{0,4}(Timestamp|Sensor Type|Event Type|Event Direction|Event Data(?: \(RAW\))?|Description) {1,32}: (.{0,96}?)\s*$/;
const RECORD = /^\s{0,4}SEL Record ID {1,32}: ([0-9a-f]{1,4})\s*$/;
const MAX_LINES = 24;
/** OMSA's alert log: module and cause in lines of their own, also with empty ones between. */
const OMSA_PLACE = /^\s{0,8}(Memory device location: (\S{1,24}))\s*$/;
const OMSA_CAUSE = /^\s{0,8}(Possible memory module event cause: ?.{1,200}?)\s*$/;
/** Lines from one to the other. */
const MAX_BETWEEN = 3;
/** A module that no board calls DIMM: the words say that it is one. */
const LOCATION = /\bMemory device location: (\S{1,24})/;
/** What Cisco's manager says when a fault is over. */
const CLEARED = /\[F\d{4}\]\[cleared\]/;
/** A time in a line of its own, before the sentence of the same event: racadm, iLO's XML, Redfish. */
const WHEN =
  /^[\s{]{0,40}"?(?:Date\/Time|Time ?stamp|LAST_UPDATE|Last ?Update|Created|EventTimestamp|Date and Time)"?\s{0,24}[:=]\s{0,12}"?(?=[\dA-Z])/i;
/** hplog: number, severity, first and last time, how often; the sentence stands in the next line behind `LOG: `. */
const HPLOG =
  /^\s{0,4}\d{4,5} {1,4}(?:Information|Caution|Critical|Repaired|Warning) {1,12}\d{2}:\d{2} {1,4}\d{2}\/\d{2}\/\d{4} {1,4}(\d{2}:\d{2} {1,4}\d{2}\/\d{2}\/\d{4}) {1,4}(\d{1,6})\s*$/;
/** What stands before the sentence of such an event. */
const MEMBER = /^\s{0,40}"?(?:Description|Message|LOG)"?\s{0,24}[:=]\s{0,12}"?$/i;
/** Lines between such a time and the sentence. */
const MAX_WHEN = 12;
/**
 * What stands before a sentence that a program wrote: nothing, a mark, a number or code, a severity or the kind of sensor. In prose it is
 * another word.
 */
const BEFORE =
  /(?:^|[:|>"'()[\]{},;*#=+\-–—!\t/]|\s{2}|\d|\b(?:Memory|Processor|CPU|DIMM|ECC|Critical|Warning|Caution|Error|Info|Informational|OK|Non-Critical|Fatal|Assert(?:ed)?)|0x[0-9a-f]{1,16}|\b[A-Z]{2,8}\d{2,6}[A-Z]?)\s{0,4}$/;
/** Marks of a quoted mail, of a comment or a table, and blanks. */
const MARGIN = /^[>|#*\s]{0,16}/;
/** In what a sentence begins that may go on in the next line. */
const MAY_BEGIN =
  /\b(?:un)?corr?ect(?:able|ed)\b|\bmulti-?bit\b|\bPFA Threshold\b|\bMachine Check Exception\b|\bmemory health monitor\b|\bfaced uncorrectable|\bStatus contains\b/i;
/** No terminal or mail is narrower; one text has no more lines than these characters fill. */
const LEAST_COLUMN = 24;
const MAX_WRAPPED = 400;
/** A line of JSON that has one, or of what this project made of such an event: its id adds nothing. */
const SENTENCE = /"Message"\s{0,4}:\s{0,4}"|\bManagement controller: /;
/** Lines of one object of JSON between its id and its sentence. */
const NEAR = 6;
/** The headline of what this project made of such a sentence. */
const OWN = /\bManagement controller: /;

type Fields = KindFields<'bmc-memory-corrected'>;
type BmcKind = keyof typeof BMC;

/** Where a sentence that stands in quotes, in an element or in an escaped text ends: names within it may have quotes of their own. */
function endOfQuotation(before: string): RegExp {
  for (const quote of ['"', "'"]) {
    if (before.split(quote).length % 2 === 0) return quote === '"' ? /["<\\].{0,240}$/s : /['<\\].{0,240}$/s;
  }
  return /[<\\].{0,240}$/s;
}

/** What names the module: the bare word is no name. */
function labelIn(text: string): string | undefined {
  for (const [name] of text.matchAll(DIMM)) if (!/^DIMM$/i.test(name)) return name;
  return undefined;
}

/** Event type of an event of the sensor's own kind. IPMI 2.0 table 42-1. */
const OWN_EVENT = 0x6f;

/**
 * The words of a tool, or those of the event data where they say another event: the bytes are the controller's own, and ipmiutil
 * before 3.0 calls each memory event of some boards uncorrectable.
 *
 * @param data the three bytes of event data in hex
 */
function checked(words: string, type: string, eventType: number, data: string): string {
  const [data1 = 0, data2 = 0] = (data.match(/../g) ?? []).map(digits => Number.parseInt(digits, 16));
  const said = wordsOfData(type, eventType, data1, data2);
  const [byBytes, byWords] = [said === undefined ? undefined : messageOf(said, type), messageOf(words, type)];
  if (said === undefined || byBytes === undefined || byWords === undefined || byBytes.event === byWords.event)
    return words;
  return `${words.replace(byWords.re, said)} (by the event data ${data}; the words beside them name another event)`;
}

function value(text: string | undefined): bigint | undefined {
  return hexU64(text?.replaceAll(/['’]/g, ''));
}

interface ById {
  line: number;
  last: number;
  /** The line in which its next argument is to stand. */
  next: number;
  event: BmcKind;
  text: string;
  time: string | undefined;
}

/** Reads single lines, and the blocks of `ipmitool sel get`. */
export class BmcReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: { entry: number; firstLine: number; lines: number; said: Map<string, string> } | undefined;
  #count: { line: number; count: number } | undefined;
  #when: { line: number; time: string } | undefined;
  /** Bytes of a record whose last two stand in the next line. */
  #cut: { line: number; bytes: number[] } | undefined;
  /** A line, or two, in which a sentence may begin that ends in the next. */
  #begun: { firstLine: number; lastLine: number; rows: readonly string[] } | undefined;
  /** An event that is named by its id, until its sentence or its arguments come, or its object ends. */
  #byId: ById | undefined;
  /** The line of the last sentence that was a member of an object over lines. */
  #saidAt = Number.NEGATIVE_INFINITY;
  /** The module of OMSA's alert whose cause is to come. */
  #place: { line: number; place: string; label: string } | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return [this.#open, this.#cut, this.#begun, this.#byId].some(one => one !== undefined);
  }

  get since(): number {
    return Math.min(
      this.#open?.firstLine ?? Number.POSITIVE_INFINITY,
      this.#cut?.line ?? Number.POSITIVE_INFINITY,
      this.#begun?.firstLine ?? Number.POSITIVE_INFINITY,
      this.#byId?.line ?? Number.POSITIVE_INFINITY,
    );
  }

  push(text: string, lineNumber: number): boolean {
    const counted = EVENT_COUNT.exec(text)?.[1];
    if (counted !== undefined) this.#count = { line: lineNumber, count: Number(counted) };
    this.#time(text, lineNumber);
    const begun = this.#begun;
    this.#begun = undefined;
    const hasBank = this.#immBank(text, lineNumber);
    const taken =
      this.#detail(text, lineNumber) ||
      this.#machineCheck(text, lineNumber) ||
      this.#raw(text, lineNumber) ||
      this.#ipmiutil(text, lineNumber) ||
      this.#row(text, lineNumber) ||
      this.#omsa(text, lineNumber) ||
      this.#message(text, lineNumber);
    const wrapped = begun?.lastLine === lineNumber - 1 ? begun : undefined;
    return this.#wrapped(wrapped, text, lineNumber, taken, hasBank) || this.#id(text, lineNumber) || taken || hasBank;
  }

  /** A sentence that began in the line before, or two before: only what reaches over their ends counts. */
  #wrapped(
    begun: { firstLine: number; rows: readonly string[] } | undefined,
    text: string,
    lineNumber: number,
    taken: boolean,
    hasBank: boolean,
  ): boolean {
    const more = text.replace(MARGIN, '').trimEnd();
    const firstLine = begun?.firstLine ?? lineNumber;
    const hasBegun = begun !== undefined;
    // A mail breaks a line between words, a terminal anywhere.
    let [isSaid, isBank] = [false, false];
    for (const gap of hasBegun ? [' ', ''] : []) {
      const before = begun?.rows.join(gap) ?? '';
      const whole = `${before}${gap}${more}`;
      isSaid ||=
        !taken &&
        (this.#machineCheck(whole, lineNumber, firstLine, before.length) ||
          this.#over(whole, before.length, firstLine, lineNumber));
      isBank ||= !hasBank && this.#immBank(whole, lineNumber, before.length, firstLine);
    }
    const rows = [...(begun?.rows ?? []), more];
    const whole = rows.join(' ');
    // It may go on only where the text is one that a column ends.
    if (!hasBank && !isBank && MAY_BEGIN.test(whole) && more.length >= LEAST_COLUMN && whole.length <= MAX_WRAPPED)
      this.#begun = { firstLine, lastLine: lineNumber, rows };
    return isSaid || isBank;
  }

  #over(whole: string, seam: number, firstLine: number, lastLine: number): boolean {
    const known = messageOf(whole, undefined);
    const m = known?.re.exec(whole);
    if (m === undefined || m === null || m.index >= seam || m.index + m[0].length <= seam) return false;
    return this.#say(whole, undefined, {}, firstLine, lastLine);
  }

  /** An event of Redfish without a sentence. */
  #id(text: string, lineNumber: number): boolean {
    const open = this.#byId;
    if (open !== undefined) {
      if (lineNumber - this.#saidAt <= NEAR) this.#byId = undefined;
      else if (/^\s{0,40}\}/.test(text) || lineNumber - open.line > NEAR) this.#endId();
      else if (opensArguments(text)) open.next = lineNumber + 1;
      else if (open.next === lineNumber) return this.#argument(open, text);
    }
    const found = messageById(text);
    if (found === undefined || lineNumber - this.#saidAt <= NEAR || SENTENCE.test(text)) return false;
    this.#endId();
    const time = this.#when !== undefined && lineNumber - this.#when.line <= MAX_WHEN ? this.#when.time : undefined;
    this.#byId = { line: lineNumber, last: lineNumber, next: 0, event: found.event, text: found.message, time };
    if (found.missing === 0) this.#endId();
    return true;
  }

  #argument(open: ById, text: string): boolean {
    const argument = argumentOf(text);
    if (argument === undefined) return false;
    open.text = filled(open.text, [argument]).message;
    open.last = open.next++;
    return true;
  }

  #endId(): void {
    const open = this.#byId;
    this.#byId = undefined;
    if (open === undefined) return;
    const message = withoutGaps(open.text);
    const label = labelIn(message);
    const fields = {
      message,
      ...(open.time === undefined ? {} : { time: open.time }),
      ...(label === undefined ? {} : { label }),
    };
    this.#sink({ ...eventItem('bmc', open.line, { name: open.event, fields }), lastLine: open.last });
  }

  skipped(lines: number): void {
    this.#cut = undefined;
    this.#begun = undefined;
    if (lines > NEAR) this.#endId();
    if (this.#open !== undefined && (this.#open.lines += lines) > MAX_LINES) this.#open = undefined;
  }

  end(): void {
    this.#open = undefined;
    this.#cut = undefined;
    this.#begun = undefined;
    this.#endId();
  }

  /** A bank that firmware read: all its registers stand in the line. */
  #machineCheck(text: string, lineNumber: number, firstLine = lineNumber, seam = -1): boolean {
    const m = IML_MCE.exec(text);
    // Of several rows the last has to be there.
    if (m !== null && seam >= 0 && (m.index + m[0].length <= seam || !text.includes(')', seam))) return false;
    const [apicId, bank, status] = [value(m?.[2]), value(m?.[3]), value(m?.[4])];
    if (apicId === undefined || bank === undefined || status === undefined) return false;
    const record: X86McaRecord = { kind: 'x86-mca', bank: Number(bank), status, apicId };
    const [addr, misc] = [value(m?.[5]), value(m?.[6])];
    if (addr !== undefined) record.addr = addr;
    if (misc !== undefined) record.misc = misc;
    const processor = PROCESSOR.exec(m?.[1] ?? '')?.[1];
    if (processor !== undefined) record.said = { processor: Number(processor) };
    dropInvalid(record);
    record.origin = { source: this.#source, firstLine, lastLine: lineNumber };
    const time = this.#timeOf(text.slice(0, m?.index ?? 0), lineNumber);
    const stamp = time === undefined ? {} : { stamp: time };
    this.#sink({ type: 'mca', form: 'bmc', firstLine, lastLine: lineNumber, ...stamp, record, notes: [] });
    return true;
  }

  /** Keeps the time, and how often, that a line says of the sentence that follows. */
  #time(text: string, lineNumber: number): void {
    const row = HPLOG.exec(text);
    const when = row?.[1] ?? (WHEN.test(text) ? text.slice(0, 160) : undefined);
    const time = when === undefined ? undefined : dateIn(when.split(/INITIAL_UPDATE/)[0] ?? '', true);
    if (time !== undefined) this.#when = { line: lineNumber, time };
    if (row !== null) this.#count = { line: lineNumber, count: Number(row[2]) };
  }

  /** When it was, by what stands before the sentence in its line, or by a line before it. */
  #timeOf(before: string, lineNumber: number): string | undefined {
    // Of a sentence in a member of its own; any other line has its own beginning.
    const isNear = this.#when !== undefined && lineNumber - this.#when.line <= MAX_WHEN && MEMBER.test(before);
    const near = isNear ? this.#when?.time : undefined;
    // Other forms are read wherever a line begins with them.
    const said = (before.split(/INITIAL_UPDATE/)[0] ?? '').slice(-160).replaceAll(' | ', ' ');
    const inLine = said.includes('/') ? dateIn(said, true) : undefined;
    const time = inLine ?? near;
    // A clock that was never set.
    return time?.startsWith('1970') === true ? undefined : time;
  }

  /**
   * The bank beside a sentence: both are of one error.
   * @param seam where the line begins in a text of several; what ends before it was taken
   */
  #immBank(text: string, lineNumber: number, seam = -1, firstLine = lineNumber): boolean {
    const m = IMM_BANK.exec(text);
    const [status, misc] = [hexU64(m?.[2]), hexU64(m?.[3])];
    if (m === null || status === undefined || misc === undefined || m.index + m[0].length <= seam) return false;
    const record: X86McaRecord = { kind: 'x86-mca', bank: Number(m[1]), status, misc };
    dropInvalid(record);
    record.origin = { source: this.#source, firstLine, lastLine: lineNumber };
    this.#sink({ type: 'mca', form: 'bmc', firstLine, lastLine: lineNumber, record, notes: [] });
    return true;
  }

  /** The 16 bytes of a record, as `ipmitool raw`, `sel save` and crash dumps of controllers give them. */
  #raw(text: string, lineNumber: number): boolean {
    const cut = this.#cut;
    this.#cut = undefined;
    const rest = cut?.line === lineNumber - 1 ? rawRest(text) : undefined;
    if (cut !== undefined && rest !== undefined) return this.#rawEvent([...cut.bytes, ...rest], cut.line, lineNumber);
    const raw = rawBytes(text);
    if (raw?.cut === true) {
      this.#cut = { line: lineNumber, bytes: raw.bytes };
      return true;
    }
    return raw !== undefined && this.#rawEvent(raw.bytes, lineNumber);
  }

  #rawEvent(bytes: readonly number[], firstLine: number, lastLine = firstLine): boolean {
    const event = selEvent(bytes);
    if (event === undefined) return false;
    this.#sink({ ...eventItem('bmc', firstLine, event), lastLine });
    return true;
  }

  #ipmiutil(text: string, lineNumber: number): boolean {
    const m = IPMIUTIL.exec(text.trimStart());
    if (m === null) return false;
    const [, entry = '', time = '', named, number = '', words = '', eventType = '', bytes = ''] = m;
    // A logic of the board has no type: what it says of a processor is one of its own.
    const sensor = named ?? (OF_BOARD.test(words) ? 'Processor' : '');
    if (sensor === '') return false;
    const data = bytes.replaceAll(' ', '');
    if (hasEnded(Number.parseInt(eventType, 16))) return true;
    const type = sensor.toLowerCase();
    const message = checked(words, type, Number.parseInt(eventType, 16), data);
    const more = { sensor: `${sensor} #${number}`, time, data, entry: Number.parseInt(entry, 16) };
    return this.#say(message, type, more, lineNumber);
  }

  /** A row of `ipmitool sel list` or `elist`, of `ipmi-sel`, or of their forms with commas. */
  #row(text: string, lineNumber: number): boolean {
    const separator = text.includes(' | ') ? '|' : ',';
    const cells = text
      .slice(0, 512)
      .replaceAll(/\(([^()|]{0,48})\|([^()|]{0,48})\)/g, '($1:$2)')
      .split(separator)
      .map(c => c.trim().replaceAll(/^["']|["']$/g, ''))
      .flatMap(c => DATE_TIME.exec(c)?.slice(1) ?? [c]);
    const date = cells.findIndex(c => DATE.test(c));
    if (date < 0 || date > 2 || !/^[0-9a-f]{1,5}$/i.test(cells[0] ?? '')) return false;
    const time = cells[date + 1] ?? '';
    const rest = cells.slice(date + (TIME.test(time) ? 2 : 1));
    const sensor = rest.findIndex(c => SENSOR.test(c));
    if (sensor < 0 || rest.some(c => /^Deasserted|^Deassertion/i.test(c))) return false;
    const type = rest.some(c => /^Critical Interrupt/i.test(c))
      ? 'interrupt'
      : rest.some(c => /^System Firmware/i.test(c))
        ? 'firmware'
        : rest.some(c => /^Processor|^CPU(?!.{0,16}DIMM)/i.test(c))
          ? 'processor'
          : 'memory';
    const said = rest.slice(sensor + 1).filter(c => c !== '' && !/^Assert/i.test(c) && c.toLowerCase() !== type);
    const when = TIME.test(time) ? `${cells[date] ?? ''} ${time}` : (cells[date] ?? '');
    const name = rest[sensor] ?? '';
    const words = said.join(', ');
    // FreeIPMI counts in decimal, and writes the month as a word; all others count in hex.
    const entry = Number.parseInt(cells[0] ?? '', /^[A-Z][a-z]{2}-/.test(when) ? 10 : 16);
    const more = { sensor: name, time: when, entry };
    return this.#say(STATE.test(words) ? `${name}, ${words}` : words, type, more, lineNumber);
  }

  #detail(text: string, lineNumber: number): boolean {
    const record = RECORD.exec(text);
    if (record !== null) {
      this.#open = {
        entry: Number.parseInt(record[1] ?? '', 16),
        firstLine: lineNumber,
        lines: 0,
        said: new Map(),
      };
      return true;
    }
    const open = this.#open;
    if (open === undefined) return false;
    const m = DETAIL.exec(text);
    if (m === null) {
      this.skipped(1);
      return false;
    }
    open.said.set(m[1] ?? '', m[2] ?? '');
    if (m[1] !== 'Description') return true;
    this.#open = undefined;
    if (/^Deassert/i.test(open.said.get('Event Direction') ?? '')) return true;
    const type = open.said.get('Sensor Type') ?? '';
    const data = open.said.get('Event Data') ?? open.said.get('Event Data (RAW)');
    const { entry } = open;
    const more = {
      sensor: type,
      time: open.said.get('Timestamp') ?? '',
      entry,
      ...(data === undefined ? {} : { data }),
    };
    const isOwn = /^Sensor-specific/i.test(open.said.get('Event Type') ?? '');
    const kind = /^System Firmware/i.test(type) ? 'firmware' : type.toLowerCase();
    const message = isOwn ? checked(m[2] ?? '', kind, OWN_EVENT, data ?? '') : (m[2] ?? '');
    this.#say(message, kind, more, open.firstLine, lineNumber);
    return true;
  }

  /** Module and cause in lines of their own. */
  #omsa(text: string, lineNumber: number): boolean {
    const [, place, label] = OMSA_PLACE.exec(text) ?? [];
    if (place !== undefined && label !== undefined) {
      this.#place = { line: lineNumber, place, label };
      return true;
    }
    const cause = OMSA_CAUSE.exec(text)?.[1];
    const found = this.#place;
    if (cause === undefined || found === undefined || lineNumber - found.line > MAX_BETWEEN) return false;
    this.#place = undefined;
    const when = this.#when;
    const time = when !== undefined && found.line - when.line <= MAX_WHEN ? { time: when.time } : {};
    const more = { label: found.label, ...time };
    return this.#say(`${found.place}  ${cause}`, undefined, more, found.line, lineNumber);
  }

  /** A message that says itself what it is of. */
  #message(text: string, lineNumber: number): boolean {
    return this.#say(text, undefined, {}, lineNumber);
  }

  /** @param type of the IPMI sensor; undefined where only a sentence is there */
  #say(
    text: string,
    type: string | undefined,
    more: Omit<Fields, 'message'>,
    firstLine: number,
    lastLine = firstLine,
  ): boolean {
    const known = messageOf(text, type);
    if (known === undefined) return false;
    // Before a sentence stands what is no part of it.
    const from = type === undefined ? text.search(known.re) : 0;
    const before = text.slice(0, from);
    if (type === undefined && (/\bdeassert/i.test(text) || PLACEHOLDER.test(text) || OWN.test(before))) return false;
    if (type === undefined && !BEFORE.test(before)) return false;
    if (type === undefined && MEMBER.test(before)) this.#saidAt = lastLine;
    if (CLEARED.test(text)) return false;
    const message = text
      .slice(from, from + MAX_TEXT)
      .replace(endOfQuotation(before), '')
      .trim();
    const fields: Fields = { message, ...more };
    const time = type === undefined ? this.#timeOf(before, firstLine) : undefined;
    if (time !== undefined) fields.time = time;
    if (known.event.startsWith('bmc-memory')) {
      const said = text.slice(from, from + MAX_TEXT);
      const sensor = more.sensor ?? '';
      const label =
        SENSOR_OF_DIMM.exec(said)?.[1] ??
        labelIn(said) ??
        LOCATION.exec(said)?.[1] ??
        SENSOR_OF_DIMM.exec(sensor)?.[1] ??
        labelIn(sensor) ??
        BEFORE_SENTENCE.exec(before)?.[0];
      const [count, addr] = [COUNT.exec(said)?.[1], hexU64(ADDRESS.exec(said)?.[1])];
      if (label !== undefined) fields.label ??= label;
      if (count !== undefined) fields.count = Number(count);
      else if (this.#count !== undefined && this.#count.line === firstLine - 1) fields.count ??= this.#count.count;
      if (addr !== undefined) fields.addr = addr;
    }
    this.#sink({ ...eventItem('bmc', firstLine, { name: known.event, fields }), lastLine });
    return true;
  }
}
