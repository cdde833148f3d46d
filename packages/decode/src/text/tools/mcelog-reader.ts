/**
 * @module mcelog's text (its log file, syslog, `--ascii` output) → records. Format: mcelog's documentation, "mcelog
 * logfile format": pairs of an upper-case name and a value; register values are hex without prefix.
 */
import type { X86McaRecord } from '../../mca/record.ts';
import { MCI_STATUS_INTEL } from '../../mca/registers.ts';
import { cpuidOf, readAsFamily } from '../linux/edac-flags.ts';
import type { ItemSink, TextNote } from '../item.ts';
import type { Reader } from '../reader.ts';
import { McelogSums } from './mcelog-sums.ts';
import { hexU64 } from '../transport/line.ts';
import { checkItem } from '../thermal.ts';

/** The last are those of records that lost their first lines. */
export const MCELOG_NEEDLES: readonly string[] = [
  'nknown Intel CPU type family',
  'only decoding architectural errors',
  'Hardware event. This',
  'HARDWARE ERROR. This',
  'CPU type vendor ',
  'mcelog',
  'MCGSTATUS ',
  ' ADDR ',
  ' BANK ',
  ' CHANNEL ',
  ' northbridge',
  ' data cache',
  'load/store unit',
  ' bus unit',
  'THERMAL EVENT',
  ' trip temperature',
  'memory error count exceeded',
  'orrected memory errors on page',
  'orrected memory errors:',
  'Per page corrected memory',
];

/** What runs it without its daemon, and puts what it prints into syslog: scripts of the boot, of cron and of people. */
export const MCELOG_PROGRAMS: readonly string[] = ['mcelog.cron', 'mcelog.sh', 'rc.local', 'logger'];

const OPENING =
  /^(?:Hardware event\. This is not a software error\.|HARDWARE ERROR\. This is \*NOT\* a software problem!)$/;
/** A page shows the lines of a record as one paragraph; what each of its lines begins with. */
const PARAGRAPH =
  /^[^<>{}"]{0,240}?(?:Hardware event\. This is not a software error\.|HARDWARE ERROR\. This is \*NOT\* a software problem!) .{1,512} STATUS [0-9a-f]{1,16} MCGSTATUS [0-9a-f]/;
const OF_PARAGRAPH =
  / (?=Hardware event\. |HARDWARE ERROR\. |MCE \d{1,9} |CPU \d{1,6} BANK |MISC [0-9a-f]|ADDR [0-9a-f]|TIME \d|MC[Gi] status:|MCA: |STATUS [0-9a-f]|MCGCAP [0-9a-f]|CPUID Vendor )/;
const NUMBER = /^MCE (\d{1,9})$/;
const CPU =
  /^CPU (\d{1,6})(?: BANK (\d{1,4})| (\d{1,3})(?: ([\w /-]{1,48}?))?)?(?: TSC ([0-9a-f]{1,16}))?(?: \(at [^)]{1,64}\)| \[at [^\]]{1,64}\])?((?: (?:RIP(?: !INEXACT!)? [0-9a-f]{1,4}:<?[0-9a-f]{1,16}>?|(?:MISC|ADDR) [0-9a-f]{1,16})){0,3})\s*$/;
/** Names that only its decoder of AMD's families 0Fh to 11h gives to banks (mcelog k8.c); of others it prints `BANK 4`. */
const AMD_BANK = /^(?:data cache|instruction cache|bus unit|load\/store unit|northbridge|fixed-issue reo(?:r)?der)\b/;
/** Its decoder's time before 1.0, in the zone of the machine; it stands in front of the CPU. */
const CTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;
const THERMAL = /^CPU (\d{1,6}) THERMAL EVENT(?: |$)/;
const TRIP =
  /^Processor (?:(\d{1,6})|core) (?:(?:heated )?(above|below)) trip temperature\. Throttling (enabled|disabled)\.?$/;
/** SMBIOS, of the module that it places at the address (`--dmi`). */
const DMI_MODULE = /^<\d{1,6}> \w{2,8} /;
const DMI = /^(Device Locator|Bank Locator|Manufacturer|Serial Number|Asset Tag|Part Number): (.{1,64})$/;
/** A CPU line that can be nothing else, so that it may open a record whose first lines were left out. */
const BANK_LINE =
  /^CPU \d{1,6} (?:BANK \d{1,4}|\d{1,2} (?:data cache|instruction cache|bus unit|load\/store unit|northbridge|fixed-issue reo(?:r)?der))(?: |$)/;
/** CPU and bank without a word, as people write them for mce-inject, with mcelog's bare hex behind: it may be anything. */
const BARE_LINE = /^CPU \d{1,6} \d{1,3}\s*$/;
/** Words of a unit that mcelog prints without a line end: its STATUS stands behind them on the same line. */
const GLUED = /^.*[^\w](?=STATUS [0-9a-f]{1,16} MCGSTATUS [0-9a-f]{1,16}$)/s;
/** What stands in a record up to its STATUS, and can be little else. */
const BEFORE_STATUS: readonly RegExp[] = [
  /^STATUS [0-9a-f]{16} MCGSTATUS [0-9a-f]{1,16}$/,
  /^MISC [0-9a-f]{1,16}(?: ADDR [0-9a-f]{1,16})?$/,
  /^ADDR [0-9a-f]{1,16}$/,
  /^TIME \d{1,15} [A-Z][a-z]{2} [A-Z][a-z]{2} /,
  /^MC[Gi] status:(?: [A-Za-z]{2,8}){0,8}$/,
];
const CPUID = /^CPUID Vendor (\w{1,16}) Family (\d{1,4}) Model (\d{1,4})(?: Step(?:ping)? (\d{1,3}))?/;
const UNKNOWN_CPU = /^(?:mcelog: )?Unknown CPU type vendor (\d{1,3})/;
/** What mcelog says once of a CPU that it has no tables for: before 2013 with its model in hex, `model 2c`. */
const OLD_CPU = /^(?:Unknown Intel CPU type family|Unsupported new Family) ([0-9a-f]{1,3}) [mM]odel ([0-9a-f]{1,2})\b/;
/** Later in hex and then as a number: only where the digits say which is it read. */
const PLAIN_CPU =
  /^Family (\d{1,3}) Model (?:([0-9a-f]?[a-f][0-9a-f]?)|(1\d\d|2[0-4]\d|25[0-5])) CPU: only decoding arch/;
const RIP = /^RIP(?: !INEXACT!)? (?:([0-9a-f]{1,4}):)?<?([0-9a-f]{1,16})>?/;
const PAIR = /([A-Z][A-Z0-9]{2,11}) (?:0x)?([0-9a-f]{1,16})(?= |$)/g;

const NAMES: Readonly<Record<string, keyof X86McaRecord>> = {
  STATUS: 'status',
  MCGSTATUS: 'mcgStatus',
  MCGCAP: 'mcgCap',
  ADDR: 'addr',
  MISC: 'misc',
  TSC: 'tsc',
  PPIN: 'ppin',
  APICID: 'apicId',
  MICROCODE: 'microcode',
  SYND: 'synd',
  IPID: 'ipid',
};
/** Lines that carry such pairs; others may hold the same words in prose. */
const PAIRS_LINE =
  /^(?:STATUS|MCGSTATUS|MCGCAP|ADDR|MISC|TSC|PPIN|APICID|MICROCODE|SYND|IPID) (?:0x)?[0-9a-f]{1,16}(?: |$)/;
/** A status that is printed has bit 63 set, and so 16 digits. */
const CUT_STATUS = /^STATUS (?:0x)?(?!0+$)[0-9a-f]{1,15}$/;
const TIME = /^TIME (\d{1,15})\b/;
const SOCKET = /\bSOCKETID ([0-9a-f]{1,8})\b/;
/** Lines of other things, or words that say nothing, after which a record is given up. */
const MAX_FOREIGN = 24;
/** Lines of advice that may stand before the first line of a record. */
const MAX_ADVICE = 3;
const { ADDRV } = MCI_STATUS_INTEL.masks;

interface Open {
  record: X86McaRecord;
  /** Nothing was seen that begins a record: until its STATUS it may be anything. */
  headless: boolean;
  /** It is a record, or a part of one, whatever it holds: another one stands before it. */
  sure: boolean;
  hasStatus: boolean;
  /** Its STATUS was cut, which was said. */
  cut: boolean;
  hasBank: boolean;
  firstLine: number;
  lastLine: number;
  foreign: number;
  /** Its bank has a name that only AMD's old families get. */
  k8: boolean;
}

export class McelogReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: Open | undefined;
  /** A finished record that may be the first half of a split one. */
  #held: Open | undefined;
  /** mcelog said that it does not know AMD's CPUs: then it splits records. */
  #unknownAmd = false;
  /** CPUID of the Intel CPU that mcelog named, for records that do not. */
  #named: bigint | undefined;
  #started = false;
  #advice = 0;
  /** The line with the time of the record to come. */
  #ctime: number | undefined;
  #thermal: { cpu: number; message: string; status?: bigint; firstLine: number; lastLine: number } | undefined;
  /** The module that SMBIOS names, behind its record. */
  #dimm: { words: Map<string, string>; addr: bigint | undefined; firstLine: number; lastLine: number } | undefined;
  #lastAddress: bigint | undefined;
  readonly #sums: McelogSums;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
    this.#sums = new McelogSums(sink);
  }

  /** True inside a record, whose lines hold no word to look for. */
  get wanted(): boolean {
    return this.#started || this.#open !== undefined || this.#dimm !== undefined || this.#sums.wanted;
  }

  /** The first line of the record that is open or kept; Infinity when none is. */
  get since(): number {
    const open = this.#held ?? this.#open ?? this.#thermal ?? this.#dimm;
    return Math.min(open?.firstLine ?? Number.POSITIVE_INFINITY, this.#sums.since);
  }

  /** Takes a line without prefixes; false when it is none of mcelog's. */
  push(text: string, lineNumber: number): boolean {
    const line = text.trim();
    if (PARAGRAPH.test(line)) {
      for (const part of line.split(OF_PARAGRAPH)) this.push(part, lineNumber);
      return true;
    }
    const glued = GLUED.exec(line)?.[0];
    if (glued !== undefined) {
      this.push(glued, lineNumber);
      return this.push(line.slice(glued.length), lineNumber);
    }
    if (this.#sums.push(text, lineNumber)) return true;
    if (this.#beside(line, lineNumber)) return true;
    if (OPENING.test(line)) {
      this.#finish();
      this.#started = true;
      this.#advice = 0;
      return true;
    }
    const unknown = UNKNOWN_CPU.exec(line);
    if (unknown !== null) {
      this.#unknownAmd = unknown[1] === '2';
      return true;
    }
    const named = namedCpu(line);
    if (named !== undefined) {
      this.#named = named;
      return true;
    }
    const before = BEFORE_STATUS.some(re => re.test(line));
    const bare = !this.#started && BARE_LINE.test(line);
    if (!this.#started && this.#open === undefined && !before && !bare && !BANK_LINE.test(line)) return false;
    if (NUMBER.test(line)) {
      if (this.#open !== undefined) this.#finish();
      this.#started = true;
      this.#advice = 0;
      return true;
    }
    const cpu = CPU.exec(line);
    if (cpu !== null) {
      this.#finish();
      this.#started = true;
      const record: X86McaRecord = {
        kind: 'x86-mca',
        cpu: Number(cpu[1]),
        bank: Number(cpu[2] ?? cpu[3] ?? 0),
        status: 0n,
      };
      const tsc = hexU64(cpu[5]);
      if (tsc !== undefined) record.tsc = tsc;
      for (const pair of (cpu[6] ?? '').trim().split(/ (?=[A-Z]{3,4} )/)) {
        const more = pair === '' ? undefined : registersOf(pair);
        if (more !== undefined && more !== 'cut') Object.assign(record, more);
      }
      const hasBank = cpu[2] !== undefined || cpu[3] !== undefined;
      this.#begin(record, this.#ctime ?? lineNumber, { headless: false, sure: !bare, hasBank });
      if (this.#open !== undefined) this.#open.k8 = AMD_BANK.test(cpu[4] ?? '');
      this.#ctime = undefined;
      return true;
    }
    const said = registersOf(line);
    const last = this.#open;
    if (last === undefined ? before : isNext(last, before, said)) {
      // The line with CPU and bank is missing: what the record says is kept all the same.
      const headless = !this.#started || last !== undefined;
      const sure = !headless || last?.sure === true || last?.hasStatus === true;
      this.#finish();
      this.#begin({ kind: 'x86-mca', bank: 0, status: 0n }, lineNumber, { headless, sure, hasBank: false });
    }
    const open = this.#open;
    if (open === undefined) {
      if (++this.#advice > MAX_ADVICE) this.#started = false;
      return false;
    }
    if (said === undefined) {
      open.foreign++;
      if (open.foreign > MAX_FOREIGN) this.#finish();
      return !open.headless || open.hasStatus;
    }
    open.lastLine = lineNumber;
    if (said === 'cut') this.#cut(open, lineNumber);
    else {
      if (said.status !== undefined) open.hasStatus = true;
      Object.assign(open.record, said);
    }
    return true;
  }

  /** What mcelog prints that is no machine check: temperature, and the module that SMBIOS names. */
  #beside(line: string, lineNumber: number): boolean {
    if (this.#started && CTIME.test(line)) {
      this.#finish();
      this.#ctime = lineNumber;
      return true;
    }
    const hot = THERMAL.exec(line);
    if (hot !== null) {
      this.#finish();
      this.#started = true;
      this.#thermal = { cpu: Number(hot[1]), message: '', firstLine: lineNumber, lastLine: lineNumber };
      return true;
    }
    const trip = TRIP.exec(line);
    if (trip !== null) {
      const message = `${trip[2] === 'below' ? 'below' : 'above'} the trip temperature, throttling ${trip[3] ?? ''}`;
      const open = this.#thermal;
      if (open !== undefined) Object.assign(open, { message, lastLine: lineNumber });
      else if (trip[1] !== undefined) {
        const fields = { cpu: Number(trip[1]), message };
        const place = { form: 'mcelog', firstLine: lineNumber, lastLine: lineNumber } as const;
        this.#sink({ type: 'event', ...place, name: 'thermal', fields });
      }
      return true;
    }
    if (this.#thermal !== undefined) {
      const said = registersOf(line);
      if (said === undefined || said === 'cut') return false;
      if (said.status !== undefined) this.#thermal.status = said.status;
      this.#thermal.lastLine = lineNumber;
      return true;
    }
    return this.#module(line, lineNumber);
  }

  #module(line: string, lineNumber: number): boolean {
    if (DMI_MODULE.test(line) && (this.#started || this.#open !== undefined)) {
      this.#closeModule();
      const addr = this.#open?.record.addr ?? this.#lastAddress;
      this.#dimm = { words: new Map(), addr, firstLine: lineNumber, lastLine: lineNumber };
      return true;
    }
    const said = this.#dimm === undefined ? null : DMI.exec(line);
    if (said === null || this.#dimm === undefined) return false;
    this.#dimm.words.set(said[1] ?? '', said[2] ?? '');
    this.#dimm.lastLine = lineNumber;
    return true;
  }

  #closeModule(): void {
    const dimm = this.#dimm;
    this.#dimm = undefined;
    const label = dimm?.words.get('Device Locator');
    if (dimm === undefined || label === undefined) return;
    const message = [...dimm.words].map(([name, value]) => `${name} ${value}`).join(', ');
    const { addr, firstLine, lastLine } = dimm;
    const fields = { label, message, ...(addr === undefined ? {} : { addr }) };
    this.#sink({ type: 'event', form: 'mcelog', name: 'dimm-named', fields, firstLine, lastLine });
  }

  #closeThermal(): void {
    const open = this.#thermal;
    this.#thermal = undefined;
    if (open === undefined) return;
    const { cpu, message, status, firstLine, lastLine } = open;
    const fields = { cpu, message, ...(status === undefined ? {} : { status }) };
    this.#sink({ type: 'event', form: 'mcelog', name: 'thermal', fields, firstLine, lastLine });
  }

  skipped(lines: number): void {
    this.#sums.skipped();
    this.#closeModule();
    if (this.#open === undefined) return;
    this.#open.foreign += lines;
    if (this.#open.foreign > MAX_FOREIGN) this.#finish();
  }

  end(): void {
    this.#sums.end();
    this.#finish();
    this.#emit(this.#held, []);
    this.#held = undefined;
    this.#started = false;
  }

  #begin(record: X86McaRecord, lineNumber: number, how: Pick<Open, 'headless' | 'sure' | 'hasBank'>): void {
    this.#open = {
      record,
      ...how,
      hasStatus: false,
      cut: false,
      firstLine: lineNumber,
      lastLine: lineNumber,
      foreign: 0,
      k8: false,
    };
  }

  #cut(open: Open, lineNumber: number): void {
    open.cut = true;
    const message = 'the line ends before the status register does; no record was made of it';
    const note: TextNote = { code: 'E_TEXT_TRUNCATED', message };
    this.#sink({ type: 'note', form: 'mcelog', firstLine: lineNumber, lastLine: lineNumber, note });
  }

  #finish(): void {
    this.#closeThermal();
    const open = this.#open;
    this.#open = undefined;
    this.#lastAddress = open?.record.addr;
    if (open !== undefined) this.#close(open);
    this.#closeModule();
  }

  #close(open: Open): void {
    const held = this.#held;
    if (held !== undefined && open.hasStatus && open.record.status === 0n && this.#isRest(held, open)) {
      const { addr, misc, synd, ipid, tsc, time } = open.record;
      const rest = { addr, misc, synd, ipid, tsc, time };
      for (const [name, value] of Object.entries(rest)) {
        if (value !== undefined && !Object.hasOwn(held.record, name)) Object.assign(held.record, { [name]: value });
      }
      held.lastLine = open.lastLine;
      this.#held = undefined;
      this.#emit(held, [
        {
          code: 'W_TEXT_SPLIT',
          message: 'mcelog does not know this CPU and split the record in two; the part with STATUS 0 was joined to it',
        },
      ]);
      return;
    }
    this.#emit(held, []);
    this.#held = open;
    if (!this.#unknownAmd) {
      this.#emit(open, []);
      this.#held = undefined;
    }
  }

  /** Whether a record with STATUS 0 is what mcelog cut off the one before: the address that one says it has. */
  #isRest(held: Open, open: Open): boolean {
    const sameCpu = open.record.cpu === held.record.cpu;
    const missing = (held.record.status & ADDRV) !== 0n && held.record.addr === undefined;
    return this.#unknownAmd && sameCpu && (missing ? open.record.addr !== undefined : open.record.addr === undefined);
  }

  #emit(open: Open | undefined, notes: TextNote[]): void {
    if (open === undefined) return;
    const { record, firstLine, lastLine } = open;
    if (!open.hasStatus) {
      if (!open.sure || open.cut) return;
      this.#sink({
        type: 'note',
        form: 'mcelog',
        firstLine,
        lastLine,
        note: {
          code: 'E_TEXT_INCOMPLETE',
          message: `a record of mcelog${record.cpu === undefined ? '' : ` for CPU ${record.cpu}`} has no STATUS line; nothing was made of it`,
        },
      });
      return;
    }
    if (this.#unknownAmd && record.vendor === undefined) record.vendor = 'amd';
    if (this.#named !== undefined && record.vendor === undefined && record.cpuid === undefined) {
      [record.vendor, record.cpuid] = ['intel', this.#named];
    }
    if (open.k8) notes.push(...readAsFamily(record));
    record.origin = { source: this.#source, firstLine, lastLine };
    const place = { form: 'mcelog', firstLine, lastLine } as const;
    this.#sink(checkItem({ type: 'mca', ...place, record, notes, ...(open.hasBank ? {} : { bankUnknown: true }) }));
  }
}

/** CPUID of the Intel CPU that a line of mcelog names; it has no stepping. */
function namedCpu(line: string): bigint | undefined {
  const text = line.replace(/^mcelog: /, '');
  const old = OLD_CPU.exec(text);
  if (old !== null) return cpuidOf(Number.parseInt(old[1] ?? '', 16), Number.parseInt(old[2] ?? '', 16), 0);
  const plain = PLAIN_CPU.exec(text);
  if (plain === null) return undefined;
  const model = plain[2] === undefined ? Number(plain[3]) : Number.parseInt(plain[2], 16);
  return cpuidOf(Number(plain[1]), model, 0);
}

/** What a line gives to a record; `cut` for a STATUS that is; undefined when the line is none of a record. */
function registersOf(line: string): Partial<X86McaRecord> | 'cut' | undefined {
  const said: Partial<X86McaRecord> = {};
  const id = CPUID.exec(line);
  if (id !== null) {
    const vendor = id[1];
    if (vendor === 'Intel') said.vendor = 'intel';
    if (vendor === 'AMD' || vendor === 'Hygon') said.vendor = 'amd';
    said.cpuid = cpuidOf(Number(id[2]), Number(id[3]), Number(id[4] ?? 0));
    return said;
  }
  const time = TIME.exec(line);
  if (time !== null) {
    said.time = BigInt(time[1] ?? '0');
    return said;
  }
  const rip = RIP.exec(line);
  if (rip !== null) {
    const cs = hexU64(rip[1]);
    if (cs !== undefined) said.cs = cs;
    said.rip = hexU64(rip[2]) ?? 0n;
    return said;
  }
  if (CUT_STATUS.test(line)) return 'cut';
  if (!PAIRS_LINE.test(line)) return undefined;
  for (const m of line.slice(0, 256).matchAll(PAIR)) {
    const member = Object.hasOwn(NAMES, m[1] ?? '') ? NAMES[m[1] ?? ''] : undefined;
    const value = hexU64(m[2]);
    if (member !== undefined && value !== undefined) Object.assign(said, { [member]: value });
  }
  const socket = SOCKET.exec(line);
  if (socket !== null) said.socket = Number.parseInt(socket[1] ?? '0', 16);
  return said;
}

/** Whether a line belongs to the record behind the one that is open: that one has another value in its place. */
function isNext(open: Open, before: boolean, said: ReturnType<typeof registersOf>): boolean {
  // Of a record that has its head, lines may stand in another order.
  if (open.headless && open.hasStatus && before) return true;
  if (said === undefined) return false;
  if (said === 'cut' || said.status !== undefined) return open.hasStatus || open.cut;
  const { record } = open;
  return Object.entries(said).some(
    ([name, value]) => Object.hasOwn(record, name) && record[name as keyof X86McaRecord] !== value,
  );
}
