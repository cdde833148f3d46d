/**
 * @module Windows' bug checks of hardware errors, as WinDbg (`!analyze`, `!errrec`), the System event log and the blue screen show
 * them. Sources: Microsoft, Bug Check 0x124 WHEA_UNCORRECTABLE_ERROR (parameter 1 is the kind of error source; of a machine check 3
 * and 4 are the halves of MCi_STATUS), Bug Check 0x9C MACHINE_CHECK_EXCEPTION (parameter 1 is the bank), `!errrec`.
 */
import type { KindFields } from '../../events/catalog.ts';
import { vendorOfId } from '../../mca/cpu.ts';
import type { McaVendor, X86McaRecord } from '../../mca/record.ts';
import { joined } from '../../registers/field.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { dateIn } from '../transport/dates.ts';
import { hexU64 } from '../transport/line.ts';

export const BUGCHECK_NEEDLES: readonly string[] = [
  'UNCORRECTABLE_ERROR (124)',
  'CHECK_EXCEPTION (9c)',
  'BugCheck 124',
  'BugCheck 9C',
  'BUGCHECK_CODE: ',
  '0x00000124',
  '0x0000009c',
  '0x0000009C',
  'Platform Error Record @',
  'x86/x64 MCA',
  'Section 0     : ',
  'BugcheckCode',
  'ugcheck code: 0x124',
];

const WHEA = 0x124n;
const MACHINE_CHECK = 0x9cn;
/** WHEA_ERROR_SOURCE_TYPE: the parameters 3 and 4 are a status only of a machine check exception. */
const SOURCE_MCE = 0n;
const HEX = '(?:0x)?([0-9a-fA-F`]{1,17})';
const NAMED = /\b(?:WHEA_UNCORRECTABLE_ERROR|MACHINE_CHECK_EXCEPTION) \((124|9c)\)/;
/** `BugCheck 124, {0, fffffa8009e66028, be200000, 5110a}`, `0x00000124 (0x0000000000000000, …)`, with commas between or without. */
const ALL = new RegExp(
  `(?:\\bBugCheck |\\b0x0{5,6}|\\b[Bb]ugcheck code: 0x)(124|9[cC])\\b,? ?[{(] ?${Array.from({ length: 4 }, () => HEX).join(', ?')} ?[})]`,
);
const CODE = /^\s{0,8}(?:BUGCHECK_CODE: {1,4}|Bug Check Code {1,12}: 0x0{0,5})([0-9a-f]{1,8})\b/;
/** Kernel-Power's event 41, in decimal: `<Data Name="BugcheckCode">292</Data>`, `BugcheckCode 292`. */
const POWER_CODE = /\bBugcheckCode(?:["']>| {1,16}|["']?: ?["']?)(292|156)\b/;
const ONE = new RegExp(
  `(?:^\\s{0,8}(?:Arg|BUGCHECK_P)([1-4]): {1,4}|^\\s{0,8}Parameter ([1-4]) {1,12}: |\\bBugcheckParameter([1-4])(?:["']>| {1,16}|["']?: ?["']?))${HEX}(?=[,<"']|\\s|$)`,
);
const BEGIN = /\bCommon Platform Error Record @|\bSection \d{1,3} {1,8}: (?:x86\/x64 MCA|Memory\b|PCI Express\b)/;
const SECTION = /^\s{0,8}(?:## )?Section \d{1,3} {1,8}: (.{1,48}?)\s*$/;
const ERROR = /^\s{0,8}Error {1,12}: .{1,80} \(Proc (\d{1,5}) Bank (\d{1,3})\)/;
const VALUE = new RegExp(`^\\s{0,8}(Status|Address|Misc\\.|CPU Version|Processor ID) {0,12}: ${HEX}\\s*$`);
const VENDOR = /(GenuineIntel|AuthenticAMD)/;
/** Of the record, and of sections that hold no bank. */
const SEVERITY = /^\s{0,8}Severity {1,12}: (Fatal|Recoverable|Corrected|Informational)\b/;
const ADDRESS = /^\s{0,8}Phys\. Address {1,8}: (0x[0-9a-fA-F]{1,16})\s*$/;
const TIMESTAMP = /^\s{0,8}Timestamp {1,12}: (.{8,40}?)\s*$/;
const DETAIL = /^\s{0,8}(?:Error Type|Port Type) {1,12}: (.{1,48}?)\s*$/;
/** Sections that a machine check has besides its bank. */
const OF_PROCESSOR = /^(?:Processor Generic|x86\/x64)/;

/** Lines behind which nothing belongs to it any more. */
const MAX_LINES = 256;
/** Lines without a word to look for that are read behind one that matters. */
const MAX_WANTED = 64;
/** Banks of one error record. */
const MAX_BANKS = 32;

interface Bank {
  record: X86McaRecord;
  firstLine: number;
  lastLine: number;
}

/** One crash: its parameters, and the error record that was shown of it. */
interface Crash {
  code: bigint | undefined;
  parameters: (bigint | undefined)[];
  firstLine: number;
  lastLine: number;
  /** Lines since one that mattered. */
  others: number;
  vendor: McaVendor | undefined;
  cpuid: bigint | undefined;
  apicId: bigint | undefined;
  banks: Bank[];
  inBank: boolean;
  /** How bad the record calls itself, and what its sections are that are no processor's. */
  severity: string | undefined;
  sections: string[];
  addr: bigint | undefined;
  /** Of the error record. */
  time: string | undefined;
}

function number(digits: string | undefined): bigint | undefined {
  return hexU64(digits?.replaceAll('`', ''));
}

/** Joins what several commands show of one crash. */
export class BugcheckReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: Crash | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#open !== undefined && this.#open.others < MAX_WANTED;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    if (this.#line(text, lineNumber)) {
      const open = this.#open;
      if (open !== undefined) [open.lastLine, open.others] = [lineNumber, 0];
      return true;
    }
    this.skipped(1);
    return false;
  }

  skipped(lines: number): void {
    if (this.#open === undefined) return;
    this.#open.others += lines;
    if (this.#open.others > MAX_LINES) this.end();
  }

  end(): void {
    const crash = this.#open;
    this.#open = undefined;
    if (crash === undefined) return;
    const stamp = crash.time === undefined ? {} : { stamp: crash.time };
    // Windows stopped, or says that it could not go on: whatever of it a bank alone would allow.
    const isFatal = crash.severity === 'Fatal' || (crash.severity === undefined && crash.code !== undefined);
    for (const { record, firstLine, lastLine } of crash.banks) {
      if (isFatal) record.reported = 'fatal';
      const { vendor, cpuid, apicId } = crash;
      if (vendor !== undefined) record.vendor = vendor;
      if (cpuid !== undefined && cpuid !== 0n) record.cpuid = cpuid;
      if (apicId !== undefined) record.apicId = apicId;
      record.origin = { source: this.#source, firstLine, lastLine };
      this.#sink({ type: 'mca', form: 'windows', firstLine, lastLine, ...stamp, record, notes: [], exception: true });
    }
    if (crash.sections.length > 0 && crash.banks.length === 0) this.#sections(crash);
    else this.#parameters(crash);
  }

  /** What sections say that hold no bank: memory, PCI Express, what firmware made. */
  #sections({ severity, sections, addr, time, firstLine, lastLine }: Crash): void {
    const fields: KindFields<'whea-fatal'> = { message: sections.join(', ') };
    if (addr !== undefined) fields.addr = addr;
    const name = severity === 'Corrected' || severity === 'Informational' ? 'whea-corrected' : 'whea-fatal';
    const stamp = time === undefined ? {} : { stamp: time };
    this.#sink({ ...eventItem('windows', firstLine, { name, fields }), lastLine, ...stamp });
  }

  /** What the parameters say, where no error record says it already. */
  #parameters({ code, parameters, banks, vendor, firstLine, lastLine }: Crash): void {
    const [p1, p2, p3, p4] = parameters;
    if (code === undefined || p1 === undefined || p3 === undefined || p4 === undefined) return;
    const isStatus = code === MACHINE_CHECK || (code === WHEA && p1 === SOURCE_MCE);
    const status = isStatus ? BigInt.asUintN(64, joined(BigInt.asUintN(32, p3), BigInt.asUintN(32, p4))) : 0n;
    if (status === 0n) {
      if (banks.length > 0) return;
      const fields = { code, parameter1: p1, parameter2: p2 ?? 0n, parameter3: p3, parameter4: p4 };
      const event = eventItem('windows', firstLine, { name: 'windows-bugcheck', fields });
      this.#sink({ ...event, lastLine });
      return;
    }
    if (banks.some(b => b.record.status === status)) return;
    const bankKnown = code === MACHINE_CHECK && p1 < 256n;
    const record: X86McaRecord = { kind: 'x86-mca', bank: bankKnown ? Number(p1) : 0, status };
    if (vendor !== undefined) record.vendor = vendor;
    record.reported = 'fatal';
    record.origin = { source: this.#source, firstLine, lastLine };
    const bank = bankKnown ? {} : ({ bankUnknown: true } as const);
    const place = { form: 'windows', firstLine, lastLine } as const;
    this.#sink({ type: 'mca', ...place, record, notes: [], exception: true, ...bank });
  }

  #line(text: string, lineNumber: number): boolean {
    const named = NAMED.exec(text);
    const all = ALL.exec(text);
    const power = POWER_CODE.exec(text)?.[1];
    const code = power === undefined ? hexU64(all?.[1] ?? named?.[1] ?? CODE.exec(text)?.[1]) : BigInt(power);
    if (code !== undefined) return this.#crash(code, all?.slice(2).map(number) ?? [], lineNumber);
    if (BEGIN.test(text)) {
      // One record after another.
      if ((this.#open?.sections.length ?? 0) > 0 && !/\bSection [1-9]/.test(text)) this.end();
      this.#open ??= this.#new(lineNumber);
    }
    const open = this.#open;
    if (open === undefined) return false;
    const section = SECTION.exec(text);
    if (section !== null) {
      open.inBank = false;
      const name = section[1] ?? '';
      if (!OF_PROCESSOR.test(name) && open.sections.length < MAX_BANKS) open.sections.push(name);
      return true;
    }
    const severity = SEVERITY.exec(text)?.[1];
    const addr = hexU64(ADDRESS.exec(text)?.[1]);
    const detail = open.sections.length > 0 && open.sections.length < MAX_BANKS ? DETAIL.exec(text)?.[1] : undefined;
    const timestamp = TIMESTAMP.exec(text)?.[1];
    // WinDbg writes the month first.
    if (timestamp !== undefined) open.time ??= dateIn(timestamp, true);
    if (severity !== undefined) open.severity ??= severity;
    if (addr !== undefined) open.addr ??= addr;
    if (detail !== undefined) open.sections.push(detail);
    if (timestamp !== undefined || severity !== undefined || addr !== undefined || detail !== undefined) return true;
    const error = ERROR.exec(text);
    if (error !== null) {
      open.inBank = open.banks.length < MAX_BANKS;
      const record: X86McaRecord = { kind: 'x86-mca', cpu: Number(error[1]), bank: Number(error[2]), status: 0n };
      if (open.inBank) open.banks.push({ record, firstLine: lineNumber, lastLine: lineNumber });
      return true;
    }
    return this.#value(open, text, lineNumber) || BEGIN.test(text);
  }

  #value(open: Crash, text: string, lineNumber: number): boolean {
    const vendor = VENDOR.exec(text);
    if (vendor !== null) open.vendor = vendorOfId(vendor[1] ?? '') ?? open.vendor;
    const one = ONE.exec(text);
    if (one !== null) {
      this.#parameter(open, Number(one[1] ?? one[2] ?? one[3]) - 1, number(one[4]), lineNumber);
      return true;
    }
    const pair = VALUE.exec(text);
    const value = number(pair?.[2]);
    if (pair === null || value === undefined) return vendor !== null;
    if (pair[1] === 'CPU Version') open.cpuid ??= value;
    else if (pair[1] === 'Processor ID') open.apicId ??= value;
    else {
      const bank = open.inBank ? open.banks.at(-1) : undefined;
      if (bank === undefined) return false;
      bank.record[pair[1] === 'Status' ? 'status' : pair[1] === 'Address' ? 'addr' : 'misc'] = value;
      bank.lastLine = lineNumber;
    }
    return true;
  }

  /** One parameter: of the crash that is open, or of the next, whose first ones were the same. */
  #parameter(open: Crash, at: number, value: bigint | undefined, lineNumber: number): void {
    const before = open.parameters[at];
    if (before === undefined) open.parameters[at] = value;
    if (before === undefined || before === value) return;
    this.end();
    const next = (this.#open = this.#new(lineNumber));
    next.code = open.code;
    next.parameters = open.parameters.map((p, i) => (i < at ? p : i === at ? value : undefined));
  }

  /** A line that names a bug check: of the crash that is open, or of the next. */
  #crash(code: bigint, parameters: readonly (bigint | undefined)[], lineNumber: number): boolean {
    const known = code === WHEA || code === MACHINE_CHECK;
    const open = this.#open;
    const differs =
      open !== undefined &&
      // WinDbg names it before it shows the error record.
      (open.banks.length > 0 ||
        open.sections.length > 0 ||
        (open.code !== undefined && open.code !== code) ||
        parameters.some((p, i) => open.parameters[i] !== undefined && open.parameters[i] !== p));
    if (differs) this.end();
    if (!known) return false;
    const crash = (this.#open ??= this.#new(lineNumber));
    crash.code = code;
    parameters.forEach((p, i) => (crash.parameters[i] ??= p));
    return true;
  }

  #new(lineNumber: number): Crash {
    return {
      code: undefined,
      parameters: [undefined, undefined, undefined, undefined],
      firstLine: lineNumber,
      lastLine: lineNumber,
      others: 0,
      vendor: undefined,
      cpuid: undefined,
      apicId: undefined,
      banks: [],
      inBank: false,
      severity: undefined,
      sections: [],
      addr: undefined,
      time: undefined,
    };
  }
}
