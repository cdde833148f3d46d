/** @module A console shared by Xen and its dom0 → events. Message texts are facts of xen/arch/x86/cpu/mcheck and xen/drivers/char/console.c. */
import { classify } from '../../mca/classify.ts';
import type { McaVendor, X86McaRecord } from '../../mca/record.ts';
import type { LineParser, LogEvent } from '../event.ts';
import { cleanLine, hexU64 } from '../transport/line.ts';
import { linuxConsoleParser } from '../linux/linux.ts';
import { matchPattern } from '../patterns.ts';
import type { Pattern } from '../patterns.ts';

const XEN_LINES: readonly Pattern[] = [
  {
    re: /^\s{0,8}Xen version (\S{1,64})/,
    event: 'boot',
    captures: [['version', 'text']],
    source: 'Xen version %d.%d%s',
  },
  {
    re: /^Xen BUG at ([^:]{1,256}):(\d{1,9})/,
    event: 'bug',
    captures: [
      ['file', 'text'],
      ['line', 'dec'],
    ],
    source: 'Xen BUG at %s%s:%d',
  },
  {
    re: /^(Reboot in .{1,32} seconds\.{0,3}|Resetting .{0,64}|Manual reset required .{0,64})$/,
    event: 'reboot',
    captures: [['message', 'text']],
    source: "%s in five seconds... | Manual reset required ('noreboot' specified)",
  },
  {
    re: /^Executing kexec image on cpu(\d{1,6})/,
    event: 'kexec',
    captures: [['cpu', 'dec']],
    source: 'Executing kexec image on cpu%u',
  },
  {
    re: /^(MCE|CMCI): send (?:MCE#|CMCI) to DOM0 through virq/,
    event: 'virq',
    captures: [['cause', 'text']],
    source: 'MCE: send MCE# to DOM0 through virq',
  },
  {
    re: /^MCE: inject vMCE to (\S{1,32})/,
    event: 'vmce-injected',
    captures: [['vcpu', 'text']],
    source: 'MCE: inject vMCE to %pv',
  },
];

const FATAL = /^Fatal machine check: (.{0,256})$/;
/** `%*pb` is a hexadecimal CPU bitmap, in groups of 32 bits with commas between them, not a CPU number. */
const FATAL_CPUS = /Fatal error happened on CPUs ([0-9a-fA-F]{1,8}(?:,[0-9a-fA-F]{8}){0,127})/;
const MCE = /^CPU(\d{1,6}): Machine Check Exception: {0,20}([0-9a-f]{1,16})$/;
const NO_EXCEPTION = /^(CMCI|POLLED) occurred on CPU (\d{1,6})\./;
const BANK = /^Bank (\d{1,4}): {0,20}([0-9a-f]{1,16})(?:\[ {0,20}([0-9a-f]{1,16})\])?(?: at {1,20}([0-9a-f]{1,16}))?$/;
const PANIC = /^Panic on CPU (\d{1,6}):$/;
/** `(XEN) [    1.234567] `, `(XEN) [2020-12-22 08:20:00.123] `, and `(XEN) [0000000007fd9b58] ` before the clock is set up. */
export const TAG = '(XEN) ';
const STAMP = /^\[(?: {0,8}\d{1,10}(?:\.\d{1,9})?|[0-9a-f]{16}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)\] ?/;
/** `CPU Vendor: Intel, Family …`, `CPU0: Intel machine check reporting enabled`, `CPU0: AMD Fam17h machine check …`. */
const VENDOR_LINE =
  /^CPU Vendor: (Intel|AMD|Hygon)\b|\b(Intel|AMD|HYGON|Hygon)\b.{0,32} machine check reporting enabled/;

/** Lines behind `(XEN) `: `xen.*` events, and a record with each bank. */
export class XenLines {
  readonly #source: string;
  #vendor: McaVendor | undefined;
  /** The CPU whose banks follow. */
  #current: { cpu: number; mcgStatus?: bigint } | undefined;
  /** CPU of a panic whose reason line is still to come. */
  #panicCpu: number | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  /** Takes what stands behind the tag, with or without Xen's time stamp. */
  push(raw: string, lineNumber: number): LogEvent[] {
    const text = raw.replace(STAMP, '');
    if (this.#panicCpu !== undefined && text.trim() !== '') return this.#panic(text.trim());
    const v = VENDOR_LINE.exec(text);
    if (v !== null) this.#vendor = (v[1] ?? v[2]) === 'Intel' ? 'intel' : 'amd';
    let m = MCE.exec(text);
    if (m !== null) {
      this.#current = { cpu: Number(m[1]), mcgStatus: hexU64(m[2]) ?? 0n };
      return [{ name: 'xen.mce', fields: { ...this.#current, cause: 'exception' } }];
    }
    m = NO_EXCEPTION.exec(text);
    if (m !== null) {
      this.#current = { cpu: Number(m[2]) };
      return [{ name: 'xen.mce', fields: { ...this.#current, cause: m[1] === 'CMCI' ? 'cmci' : 'poll' } }];
    }
    m = BANK.exec(text);
    if (m !== null) return [this.#bank(m, lineNumber)];
    m = FATAL.exec(text);
    if (m !== null) return [fatal(m[1] ?? '')];
    m = PANIC.exec(text);
    if (m !== null) {
      this.#panicCpu = Number(m[1]);
      return [];
    }
    const event = matchPattern(XEN_LINES, 'xen', text);
    if (event === undefined) return [];
    if (event.name === 'xen.boot') {
      this.#vendor = undefined;
      this.#current = undefined;
    }
    return [event];
  }

  end(): LogEvent[] {
    return this.#panic('');
  }

  #panic(message: string): LogEvent[] {
    if (this.#panicCpu === undefined) return [];
    const event: LogEvent = { name: 'xen.panic', fields: { cpu: this.#panicCpu, message: message.slice(0, 512) } };
    this.#panicCpu = undefined;
    return [event];
  }

  #bank(m: RegExpExecArray, lineNumber: number): LogEvent {
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
    const fields: LogEvent['fields'] = { bank: record.bank, status: record.status, class: classify(record) };
    if (record.cpu !== undefined) fields['cpu'] = record.cpu;
    if (misc !== undefined) fields['misc'] = misc;
    if (addr !== undefined) fields['addr'] = addr;
    return { name: 'xen.mce-bank', fields, record };
  }
}

function fatal(message: string): LogEvent {
  const fields: LogEvent['fields'] = { message };
  const mask = FATAL_CPUS.exec(message)?.[1];
  if (mask !== undefined) fields['cpusMask'] = BigInt(`0x${mask.replaceAll(',', '')}`);
  return { name: 'xen.fatal-mce', fields };
}

/**
 * Parses a serial console on which Xen (`(XEN) ` lines) and dom0 write: `xen.*` events, and `guest.*` events from
 * everything else through the Linux parser.
 */
export function xenConsoleParser(): LineParser {
  const source = 'console';
  const xen = new XenLines(source);
  let dom0 = linuxConsoleParser({ source });
  let lineNumber = 0;

  return {
    push(raw) {
      lineNumber++;
      const line = cleanLine(raw);
      const at = line.indexOf(TAG);
      if (at < 0) return dom0.push(line);
      // Xen may start in the middle of a dom0 line; what stands before it is dom0's.
      const before = dom0.push(line.slice(0, at));
      const events = xen.push(line.slice(at + TAG.length), lineNumber);
      if (events[0]?.name === 'xen.boot') {
        const rest = dom0.end();
        dom0 = linuxConsoleParser({ source });
        return [...before, ...rest, ...events];
      }
      return [...before, ...events];
    },
    end() {
      return [...xen.end(), ...dom0.end()];
    },
  };
}
