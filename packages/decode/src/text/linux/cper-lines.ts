/**
 * @module CPER records as Linux prints them (drivers/firmware/efi/cper.c, cper-arm.c, cper-x86.c) put together again.
 * The sequence number in braces keeps the lines of one report together, so reports of several CPUs may mix.
 */
import * as guid from '../../cper/guid.ts';
import { decodeSection } from '../../cper/sections.ts';
import { pcieDeviceOf } from '../../registers/pci-name.ts';
import type { CperRecord, CperSection, CperSeverity } from '../../cper/record.ts';
import { severityRank } from '../../cper/severity.ts';
import { encodeTimestamp } from '../../cper/timestamp.ts';
import { mcaBanksOf } from '../../cper/x86-mca.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import { SectionLines } from './cper-section.ts';
import type { ItemSink, TextNote } from '../item.ts';
import { PRINTED_SEVERITIES } from '../printed-reports.ts';
import type { KernelPart } from './kernel-part.ts';

/**
 * `{12}[Hardware Error]: ` of ghes.c; `[Hardware Error]: ` of bert.c, which prints what the firmware kept of the boot
 * before; `{12}` alone of acpi_extlog.c.
 */
const PREFIX = /^(?:(\{\d{1,10}\})?\[Hardware Error\]:?|(\{\d{1,10}\}))(.*)$/s;
const SOURCE = /^Hardware error (?:from APEI Generic Hardware Error Source: \d{1,6}|detected on CPU\d{1,6}$)/;
/** The second form of each is that of Linux before 3.14. */
const SEVERITY = /^(?:event severity: |severity: \d, )(\w{1,32})/;
const ENTRY = /^(?:Error \d{1,4}, type: |section: \d{1,4}, severity: \d, )(\w{1,32})/;
const REPAIRED = /^It has been corrected by h\/w/;
const SECTION = /^section_type: ([A-Za-z][\w/ -]{1,95})$/s;
const STAMP = /^(precise|imprecise) tstamp: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$/;
const ADDRESS = /^(?:physical_address|physical fault address): (0x[0-9a-f]{1,16})$/;
/** Of a PCIe section; its other lines are read. */
const AER = /^(?:aer_(?:uncor|cor)_|TLP Header: )/;
const AER_PART = 'the kernel prints some of the AER registers only: the others of the section stand as 0';
const UNKNOWN = /^section type: unknown, ([0-9a-fA-F-]{36})/;

/** Printed section name → section type. */
const SECTIONS: Readonly<Record<string, string>> = {
  'memory error': guid.SECTION_MEMORY,
  'ARM processor error': guid.SECTION_PROC_ARM,
  'general processor error': guid.SECTION_PROC_GENERIC,
  'IA32/X64 processor error': guid.SECTION_PROC_X86,
  'PCIe error': guid.SECTION_PCIE,
  'Firmware Error Record Reference': guid.SECTION_FIRMWARE,
  'CXL Protocol Error': guid.SECTION_CXL_PROTOCOL,
};

/** What begins a line of a report that nothing else does; two of them in one line were joined. */
const MARKS = /(?:^|\s)(?:event severity: |Error \d{1,4}, type: |section_type: |section type: |physical_address: )/g;
const KEYS = String.raw`(?:event severity|section[_ ]type|fru_id|fru_text|error_status|physical_address(?:_mask)?|node|error_type|DIMM location): ?|Error \d{1,4}, type: |It has been corrected`;
const JOINT = new RegExp(`\\s+(?=${KEYS})`);
/** The rest of a line that was broken: only right behind a line of a report. */
const REST =
  /^\s{0,16}(?:(?:node|card|module|rank|bank|bank_group|bank_address|device|row|column|bit_position|chip_id|requestor_id|responder_id|target_id|physical_address|physical_address_mask|error_status): ?(?:0x)?[0-9a-f]|section_type: |error_type: \d|fru_text: |DIMM location: )/;

/** What bert.c prints behind the records of the boot before, since Linux 5.17. */
const PREVIOUS_END = /^BERT: Total records found: \d/;

/** Lines of other things after which an unfinished report is given up. */
const MAX_FOREIGN = 64;
/** And after which no more of its lines are waited for, if they hold no word to look for. */
const UNMARKED_FOREIGN = 8;
const MAX_OPEN = 16;
/** Lines of one report that are kept until its first line comes. */
const MAX_EARLY = 256;
const MAX_SECTIONS = 64;
const MAX_NOTES = 64;
const NO_HEAD =
  'the first lines of the report are missing, and its severity with them: it is taken from what the lines below say';
const NO_SEVERITY =
  'no line of the report says how severe the error is: they are missing; no record was made of the others';
const MIXED = `more than ${MAX_OPEN} reports stand mixed; what comes later of this one was left out`;

interface Open {
  record: CperRecord;
  firstLine: number;
  lastLine: number;
  foreign: number;
  notes: TextNote[];
  /** Of extlog: its lines hold no word to look for. */
  unmarked: boolean;
  /** Severity was printed: without it there is no record. */
  severe: boolean;
  /** How severe it is by other lines, where the one that says so is missing. */
  implied: CperSeverity | undefined;
  /** It has more sections than are kept: what is said of the others belongs nowhere. */
  full: boolean;
  /** The section that is being read. */
  lines: SectionLines | undefined;
  /** Time stamp printed before the section it belongs to. */
  timestamp: bigint | undefined;
  /** Its first line was there. */
  sourced: boolean;
}

/** A line of a report whose first line did not come yet. */
interface Early {
  body: string;
  lineNumber: number;
}

export class CperLines implements KernelPart {
  readonly #sink: ItemSink;
  readonly #open = new Map<string, Open>();
  /** Lines of numbered reports before their first one: `journalctl -r` gives them from the last on. */
  readonly #early = new Map<string, Early[]>();
  /** The physical address that a report named last. */
  lastAddress: bigint | undefined;
  /** The report whose line was the last one. */
  #after: { key: string; lineNumber: number } | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  take(text: string, lineNumber: number, firstLine = lineNumber): boolean {
    const m = PREFIX.exec(text);
    if (m === null) {
      if (PREVIOUS_END.test(text)) this.#close('');
      return this.#rest(text, lineNumber);
    }
    const unmarked = m[2] !== undefined;
    // The two count on their own.
    const key = unmarked ? `extlog ${m[2]}` : (m[1] ?? '');
    const body = (m[3] ?? '').trim();
    const joined = (body.match(MARKS)?.length ?? 0) > 1;
    let taken = false;
    for (const part of joined ? body.split(JOINT) : [body]) {
      taken = this.#part(key, part.trim(), unmarked, lineNumber, firstLine) || taken;
    }
    this.#after = taken ? { key, lineNumber } : undefined;
    return taken;
  }

  /** A line without a mark of its own right behind one of a report. */
  #rest(text: string, lineNumber: number): boolean {
    const after = this.#after;
    this.#after = undefined;
    if (after === undefined || after.lineNumber !== lineNumber - 1 || !REST.test(text)) return false;
    const open = this.#open.get(after.key);
    if (open === undefined) return false;
    this.#after = { key: after.key, lineNumber };
    open.lastLine = lineNumber;
    this.#line(open, text.trim(), lineNumber);
    return true;
  }

  #part(key: string, body: string, unmarked: boolean, lineNumber: number, firstLine: number): boolean {
    if (SOURCE.test(body)) {
      const early = this.#early.get(key);
      this.#early.delete(key);
      // One that stands behind how severe it is, and right behind it, is the last of a report that is turned round.
      const isBehind = early?.at(-1)?.lineNumber === lineNumber - 1 && early.some(e => SEVERITY.test(e.body));
      if (early !== undefined && isBehind) this.#reversed(key, early, unmarked, lineNumber);
      else this.#begin(key, firstLine, unmarked);
      return true;
    }
    let open = this.#open.get(key);
    if (open?.sourced !== true) this.#keep(key, { body, lineNumber });
    const severity = SEVERITY.exec(body);
    if (severity !== null) {
      // Without the mark only what a header of it opened is extlog's: any program may write braces.
      if (open === undefined && unmarked) return false;
      if (open === undefined || open.severe) {
        open = this.#start(key, firstLine);
        // ghes.c numbers its reports, or (before 3.3) begins them with their source.
        if (key === '') open.record.previousBoot = true;
      }
      open.record.severity = PRINTED_SEVERITIES[severity[1] ?? ''] ?? 'none';
      open.severe = true;
    }
    // Its first lines may be missing.
    if (open === undefined && !unmarked && (REPAIRED.test(body) || ENTRY.test(body) || SECTION.test(body))) {
      open = this.#start(key, firstLine);
    }
    if (open === undefined) return false;
    for (const other of this.#open.values()) if (other !== open) this.#age(other, 1);
    open.lastLine = lineNumber;
    open.foreign = 0;
    if (severity === null) this.#line(open, body, lineNumber);
    return true;
  }

  #begin(key: string, firstLine: number, unmarked: boolean): void {
    const open = this.#start(key, firstLine);
    open.unmarked = unmarked;
    open.sourced = true;
  }

  /** A report of which the last line came first: no report has lines before the one that names its source. */
  #reversed(key: string, early: readonly Early[], unmarked: boolean, lineNumber: number): void {
    this.#open.delete(key);
    this.#begin(key, early[0]?.lineNumber ?? lineNumber, unmarked);
    for (const { body } of early.toReversed()) this.#part(key, body, unmarked, lineNumber, lineNumber);
    this.#close(key);
  }

  #keep(key: string, line: Early): void {
    // Only a number makes sure that it is of the same report.
    if (key === '') return;
    const known = this.#early.get(key);
    if (known !== undefined && known.at(-1)?.lineNumber === line.lineNumber - 1 && known.length < MAX_EARLY)
      known.push(line);
    else {
      this.#early.set(key, [line]);
      const [oldest] = this.#early.keys();
      if (oldest !== undefined && this.#early.size > MAX_OPEN) this.#early.delete(oldest);
    }
  }

  skipped(lines: number): void {
    this.#after = undefined;
    for (const [key, open] of this.#open) {
      this.#age(open, lines);
      if (open.foreign > MAX_FOREIGN) this.#close(key);
    }
  }

  /** True while lines may follow that hold no word to look for. */
  get wanted(): boolean {
    if (this.#after !== undefined) return true;
    for (const { unmarked, foreign } of this.#open.values()) if (unmarked && foreign < UNMARKED_FOREIGN) return true;
    return false;
  }

  /** The first line of the oldest open report; Infinity when none is open. */
  get since(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { firstLine } of this.#open.values()) first = Math.min(first, firstLine);
    return first;
  }

  end(): void {
    this.#after = undefined;
    this.#early.clear();
    for (const key of this.#open.keys()) this.#close(key);
  }

  /** Whether a report that is open, and that has a severity, tells of this PCIe device. */
  tellsOf(device: string): boolean {
    for (const open of this.#open.values()) {
      if (!open.severe && open.implied === undefined) continue;
      for (const { body } of open.record.sections)
        if (body.kind === 'pcie' && pcieDeviceOf(body) === device) return true;
    }
    return false;
  }

  #age(open: Open, lines: number): void {
    open.foreign += lines;
  }

  #start(key: string, lineNumber: number): Open {
    this.#close(key);
    if (this.#open.size >= MAX_OPEN) {
      const [oldest] = this.#open.keys();
      if (oldest !== undefined) this.#close(oldest, MIXED);
    }
    const open: Open = {
      record: { kind: 'cper', severity: 'none', sections: [] },
      firstLine: lineNumber,
      lastLine: lineNumber,
      foreign: 0,
      notes: [],
      unmarked: false,
      severe: false,
      implied: undefined,
      full: false,
      lines: undefined,
      timestamp: undefined,
      sourced: false,
    };
    this.#open.set(key, open);
    return open;
  }

  #close(key: string, early?: string): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    endSection(open);
    if (!open.severe && open.implied !== undefined) {
      open.record.severity = open.implied;
      open.severe = true;
      note(open, NO_HEAD, 'W_TEXT_INCOMPLETE');
    }
    if (!open.severe) {
      const place = { form: 'linux', firstLine: open.firstLine, lastLine: open.lastLine } as const;
      if (early !== undefined) this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_BOUND', message: early } });
      else if (open.record.sections.length > 0) {
        this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_INCOMPLETE', message: NO_SEVERITY } });
      }
      return;
    }
    if (early !== undefined) note(open, early, 'E_TEXT_BOUND');
    dropNameless(open);
    const { record, notes, firstLine, lastLine, unmarked } = open;
    const extlog = unmarked ? ({ extlog: true } as const) : {};
    const seq = /^\{(\d+)\}$/.exec(key)?.[1];
    const number = seq === undefined ? {} : { seq: Number(seq) };
    this.#sink({ type: 'cper', form: 'linux', record, notes, firstLine, lastLine, ...extlog, ...number });
    const within = record.previousBoot === true ? 'previous-boot' : 'report';
    // The machine check registers in it are records of their own, as those of a record in bytes are.
    for (const { body } of record.sections) {
      if (body.kind !== 'x86-processor') continue;
      for (const bank of mcaBanksOf(body)) {
        const check: X86McaRecord = { ...bank, within };
        this.#sink({ type: 'mca', form: 'linux', record: check, notes: [], firstLine, lastLine });
      }
    }
  }

  #line(open: Open, body: string, lineNumber: number): void {
    const { record } = open;
    if (open.full) return;
    if (REPAIRED.test(body)) open.implied ??= 'corrected';
    const entry = ENTRY.exec(body);
    if (entry !== null) {
      const said = PRINTED_SEVERITIES[entry[1] ?? ''] ?? 'none';
      if (open.implied === undefined || severityRank(said) > severityRank(open.implied)) open.implied = said;
      endSection(open);
      open.full = record.sections.length >= MAX_SECTIONS;
      if (open.full) {
        const message = `the record has more than ${MAX_SECTIONS} sections; those from line ${lineNumber} on were left out`;
        note(open, message, 'E_TEXT_BOUND');
        return;
      }
      record.sections.push({
        type: guid.GUID_NULL,
        severity: PRINTED_SEVERITIES[entry[1] ?? ''] ?? 'none',
        revision: 0x300,
        flags: 0,
        ...(open.timestamp === undefined ? {} : { timestamp: open.timestamp }),
        body: { kind: 'raw', data: new Uint8Array(0) },
      });
      open.timestamp = undefined;
      return;
    }
    const stamp = STAMP.exec(body);
    if (stamp !== null) {
      open.timestamp = timestamp(stamp[2] ?? '', stamp[1] === 'precise');
      return;
    }
    const address = ADDRESS.exec(body)?.[1];
    if (address !== undefined) this.lastAddress = BigInt(address);
    const named = SECTION.exec(body);
    // Its own first line is missing.
    if (record.sections.length === 0 && named !== null) {
      const severity = open.severe ? record.severity : (open.implied ?? 'none');
      const raw = { kind: 'raw', data: new Uint8Array(0) } as const;
      record.sections.push({ type: guid.GUID_NULL, severity, revision: 0x300, flags: 0, body: raw });
    }
    const section = record.sections.at(-1);
    if (section === undefined) return;
    if (named !== null) {
      const type = SECTIONS[named[1] ?? ''];
      // Text that was damaged or joined names no type that the kernel prints: whose it is stays open.
      section.type = type ?? guid.GUID_NULL;
      startSection(open, section);
      if (section.body.kind === 'raw') note(open, `a ${named[1] ?? ''} is kept as text only`);
      return;
    }
    const unknown = UNKNOWN.exec(body);
    if (unknown !== null) {
      section.type = (unknown[1] ?? '').toLowerCase();
      startSection(open, section);
      return;
    }
    if (body.startsWith('fru_text: ')) section.fruText = body.slice(10, 30);
    else if (body.startsWith('fru_id: ')) section.fruId = body.slice(8, 44).toLowerCase();
    else if (open.lines?.take(body) === true && AER.test(body) && !open.notes.some(n => n.message === AER_PART))
      note(open, AER_PART);
  }
}

/** Sections of which no line says what they are are not told as ones of a type. */
function dropNameless(open: Open): void {
  const { record } = open;
  const kept = record.sections.filter(
    s => s.type !== guid.GUID_NULL || s.fruText !== undefined || s.fruId !== undefined,
  );
  const lost = record.sections.length - kept.length;
  if (lost === 0) return;
  record.sections = kept;
  note(
    open,
    `no line says of what kind ${lost === 1 ? 'a section' : `${lost} sections`} of the report is; it was left out`,
    'W_TEXT_INCOMPLETE',
  );
}

function note(open: Open, message: string, code: TextNote['code'] = 'W_TEXT_SECTION'): void {
  // A loss is said however much else was.
  if (code.startsWith('E') || open.notes.length < MAX_NOTES) open.notes.push({ code, message });
}

function startSection(open: Open, section: CperSection): void {
  endSection(open);
  open.lines = new SectionLines(section.type);
  section.body = open.lines.body;
}

function endSection(open: Open): void {
  const printed = open.lines?.body;
  const section = open.record.sections.find(s => s.body === printed);
  for (const message of open.lines?.end() ?? []) note(open, message, 'W_TEXT_INCOMPLETE');
  for (const message of open.lines?.remarks ?? []) note(open, message, 'W_TEXT_VALUE');
  for (const message of open.lines?.lost ?? []) note(open, message, 'E_TEXT_BOUND');
  open.lines = undefined;
  // Linux prints the bytes of a section that it does not know.
  if (section === undefined || printed?.kind !== 'raw' || printed.data.length === 0) return;
  const { value, diagnostics } = decodeSection(section.type, printed.data);
  section.body = value;
  if (diagnostics[0] !== undefined) note(open, diagnostics[0].message);
}

/** The raw stamp; undefined for a time that cannot be. */
function timestamp(text: string, precise: boolean): bigint | undefined {
  try {
    return encodeTimestamp(text, precise);
  } catch {
    return undefined;
  }
}
