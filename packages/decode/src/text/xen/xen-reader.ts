/** @module Xen's lines → items. Message texts are facts of xen/arch/x86/cpu/mcheck and xen/drivers/char/console.c. */
import type { KindFields } from '../../events/catalog.ts';
import type { KindEvent } from '../../events/event.ts';
import type { XEN } from '../../events/xen.ts';
import type { McaVendor, X86McaRecord } from '../../mca/record.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import { MAX_TEXT, matchPattern } from '../patterns.ts';
import type { Pattern } from '../patterns.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

const XEN_LINES: readonly Pattern<keyof typeof XEN>[] = [
  {
    re: /^\s{0,8}Xen version (\S{1,64})/,
    event: 'xen.boot',
    captures: [['version', 'text']],
    source: 'Xen version %d.%d%s',
  },
  {
    re: /^Xen BUG at ([^:]{1,256}):(\d{1,9})/,
    event: 'xen.bug',
    captures: [
      ['file', 'text'],
      ['line', 'dec'],
    ],
    source: 'Xen BUG at %s%s:%d',
  },
  {
    re: /^(Reboot in .{1,32} seconds\.{0,3}|Resetting .{0,64}|Manual reset required .{0,64})$/s,
    event: 'xen.reboot',
    captures: [['message', 'text']],
    source: "%s in five seconds... | Manual reset required ('noreboot' specified)",
  },
  {
    re: /^Executing kexec image on cpu(\d{1,6})/,
    event: 'xen.kexec',
    captures: [['cpu', 'dec']],
    source: 'Executing kexec image on cpu%u',
  },
  {
    re: /^(MCE|CMCI): send (?:MCE#|CMCI) to DOM0 through virq/,
    event: 'xen.virq',
    captures: [['cause', 'text']],
    source: 'MCE: send MCE# to DOM0 through virq',
  },
  {
    re: /^MCE: inject vMCE to (\S{1,32})/,
    event: 'xen.vmce-injected',
    captures: [['vcpu', 'text']],
    source: 'MCE: inject vMCE to %pv',
  },
  {
    re: /^MCE: This error page is own?ded by DOM (\d{1,5})\s*$/,
    event: 'xen.page-owner',
    captures: [['domain', 'dec']],
    source: 'MCE: This error page is ownded by DOM %d',
  },
  {
    re: /^Unmap broken memory ([0-9a-f]{1,16}) for DOM(\d{1,5}) failed/,
    event: 'xen.page-kept',
    captures: [
      ['mfn', 'hex'],
      ['domain', 'dec'],
    ],
    source: 'Unmap broken memory %#lx for DOM%d failed',
  },
  {
    re: /^domain_crash called from ([^: ]{1,256}):(\d{1,9})/,
    event: 'xen.domain-crash',
    captures: [
      ['file', 'text'],
      ['line', 'dec'],
    ],
    source: 'domain_crash called from %s:%d',
  },
  {
    re: /^Domain (\d{1,5}) \(vcpu#\d{1,5}\) crashed on cpu#(\d{1,6}):/,
    event: 'xen.domain-crashed',
    captures: [
      ['domain', 'dec'],
      ['cpu', 'dec'],
    ],
    source: 'Domain %d (vcpu#%d) crashed on cpu#%d:',
  },
  {
    re: /^Domain (\d{1,5}) reported crashed by domain (\d{1,5}) on cpu#(\d{1,6}):/,
    event: 'xen.domain-crashed',
    captures: [
      ['domain', 'dec'],
      ['by', 'dec'],
      ['cpu', 'dec'],
    ],
    source: 'Domain %d reported crashed by domain %d on cpu#%d:',
  },
];

const FATAL = /^Fatal machine check: (.{0,256})$/s;
/** `%*pb` is a hexadecimal CPU bitmap, in groups of 32 bits with commas between them, not a CPU number. */
const FATAL_CPUS = /Fatal error happened on CPUs ([0-9a-fA-F]{1,8}(?:,[0-9a-fA-F]{8}){0,127})/;
/** Xen 3 has a blank behind `CPU`, and calls what its poll finds an incident (mcheck/p4.c, k7.c, non-fatal.c). */
const MCE = /^CPU ?(\d{1,6}): Machine Check Exception: {0,20}([0-9a-f]{1,16})$/;
const NO_EXCEPTION =
  /^(?:(CMCI|POLLED) occurred|MCE: The hardware reports a non fatal, correctable incident occurr?ed) on CPU (\d{1,6})\./;
const BANK = /^Bank (\d{1,4}): {0,20}([0-9a-f]{1,16})(?:\[ {0,20}([0-9a-f]{1,16})\])?(?: at {1,20}([0-9a-f]{1,16}))?$/;
const PANIC = /^Panic on CPU (\d{1,6}):$/;
/** `(XEN) [    1.234567] `, `(XEN) [2020-12-22 08:20:00.123] `, and `(XEN) [0000000007fd9b58] ` before the clock is set up. */
export const TAG = '(XEN) ';

/** Whether a line is Xen's from its begin on; an empty one has no blank. */
export const isXenLine = (line: string): boolean => line.startsWith(TAG.trimEnd());
export const XEN_NEEDLES: readonly string[] = [TAG];
const STAMP = /^\[(?: {0,8}\d{1,10}(?:\.\d{1,9})?|[0-9a-f]{16}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)\] ?/;
/** `CPU Vendor: Intel, Family …`, `CPU0: Intel machine check reporting enabled`, `CPU0: AMD Fam17h machine check …`. */
const VENDOR_LINE =
  /^CPU Vendor: (Intel|AMD|Hygon)\b|\b(Intel|AMD|HYGON|Hygon)\b.{0,32} machine check reporting enabled/s;

/** A bank that holds an error has 16 digits. */
const CUT = /(?:^|\] )Bank (\d{1,4}): {0,20}[0-9a-f]{0,15}$/;

/** Reads what stands behind `(XEN) `, with or without Xen's time stamp: `xen.…` events, and a record for each bank. */
export class XenReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  readonly #onBoot: () => void;
  #vendor: McaVendor | undefined;
  /** The CPU whose banks follow. */
  #current: { cpu: number; mcgStatus?: bigint } | undefined;
  /** CPU of a panic whose reason line is still to come. */
  #panicCpu: number | undefined;
  #lastLine = 0;

  /** @param onBoot called when Xen boots: nothing that another system on the same console left open goes on */
  constructor(sink: ItemSink, source: string, onBoot: () => void) {
    this.#sink = sink;
    this.#source = source;
    this.#onBoot = onBoot;
  }

  push(raw: string, lineNumber: number): boolean {
    this.#lastLine = lineNumber;
    const cut = CUT.exec(raw.trimEnd());
    if (cut !== null) {
      const place = { form: 'xen', firstLine: lineNumber, lastLine: lineNumber } as const;
      const message = `the line of bank ${cut[1]} ends before its status register does; no record was made of it`;
      this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_TRUNCATED', message } });
      return true;
    }
    const text = raw.replace(STAMP, '');
    if (this.#panicCpu !== undefined && text.trim() !== '') {
      this.#panic(text.trim());
      return true;
    }
    const v = VENDOR_LINE.exec(text);
    if (v !== null) this.#vendor = (v[1] ?? v[2]) === 'Intel' ? 'intel' : 'amd';
    const bank = BANK.exec(text);
    if (bank !== null) {
      this.#bank(bank, lineNumber);
      return true;
    }
    const panic = PANIC.exec(text);
    if (panic !== null) {
      this.#panicCpu = Number(panic[1]);
      return true;
    }
    const event = this.#check(text) ?? matchPattern(XEN_LINES, text);
    if (event === undefined) return false;
    if (event.name === 'xen.boot') {
      this.#vendor = undefined;
      this.#current = undefined;
      this.#onBoot();
    }
    this.#sink(eventItem('xen', lineNumber, event));
    return true;
  }

  end(): void {
    this.#panic('');
  }

  /** The first line of a machine check, whose banks follow, or that it is fatal. */
  #check(text: string): KindEvent<'xen.mce' | 'xen.fatal-mce'> | undefined {
    const exception = MCE.exec(text);
    if (exception !== null) {
      this.#current = { cpu: Number(exception[1]), mcgStatus: hexU64(exception[2]) ?? 0n };
      return { name: 'xen.mce', fields: { ...this.#current, cause: 'exception' } };
    }
    const other = NO_EXCEPTION.exec(text);
    if (other !== null) {
      this.#current = { cpu: Number(other[2]) };
      return { name: 'xen.mce', fields: { ...this.#current, cause: other[1] === 'CMCI' ? 'cmci' : 'poll' } };
    }
    const fatal = FATAL.exec(text);
    if (fatal === null) return undefined;
    const fields: KindFields<'xen.fatal-mce'> = { message: fatal[1] ?? '' };
    const mask = FATAL_CPUS.exec(fields.message)?.[1];
    if (mask !== undefined) fields.cpusMask = BigInt(`0x${mask.replaceAll(',', '')}`);
    return { name: 'xen.fatal-mce', fields };
  }

  #panic(message: string): void {
    const cpu = this.#panicCpu;
    this.#panicCpu = undefined;
    if (cpu === undefined) return;
    const fields = { cpu, message: message.slice(0, MAX_TEXT) };
    this.#sink(eventItem('xen', this.#lastLine, { name: 'xen.panic', fields }));
  }

  #bank(m: RegExpExecArray, lineNumber: number): void {
    const record: X86McaRecord = { kind: 'x86-mca', bank: Number(m[1]), status: hexU64(m[2]) ?? 0n };
    if (this.#vendor !== undefined) record.vendor = this.#vendor;
    if (this.#current !== undefined) {
      record.cpu = this.#current.cpu;
      if (this.#current.mcgStatus !== undefined) record.mcgStatus = this.#current.mcgStatus;
    }
    const [misc, addr] = [hexU64(m[3]), hexU64(m[4])];
    if (misc !== undefined) record.misc = misc;
    if (addr !== undefined) record.addr = addr;
    record.origin = { source: this.#source, firstLine: lineNumber, lastLine: lineNumber };
    this.#sink({ type: 'mca', form: 'xen', record, notes: [], firstLine: lineNumber, lastLine: lineNumber });
  }
}
