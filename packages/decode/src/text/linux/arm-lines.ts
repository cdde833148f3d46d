/**
 * @module arm64 aborts and SErrors in a kernel log: `Internal error: synchronous external abort: …`, the `Mem abort
 * info:` block that comes before it, `SError Interrupt on CPU…`. Facts: arch/arm64/mm/fault.c, kernel/traps.c.
 */
import { reportsHardware } from '../../arm/classify.ts';
import type { ArmSeaRecord } from '../../arm/record.ts';
import { placed } from '../../registers/field.ts';
import { bit, bits, defineRegister } from '../../registers/register.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { KindEvent } from '../../events/event.ts';
import type { KernelPart } from './kernel-part.ts';
import { hexU64 } from '../transport/line.ts';

const UNABLE = /^Unable to handle kernel .{1,96} at virtual address ([0-9a-fA-F]{16})$/s;
/** The second is that of Linux 4.12 to 4.18. */
const FAULT =
  /^(?:Unhandled fault|Synchronous External Abort): (.{1,96}) \((0x[0-9a-fA-F]{1,16})\) at (0x[0-9a-fA-F]{1,16})/s;
/** The name of the process is any fifteen characters. */
const USER_FAULT =
  /^(.{1,15}?)\[(\d{1,10})\]: unhandled exception: (.{1,64}), ESR (0x[0-9a-fA-F]{1,16}), (.{1,128}?) in /s;
/** Of 32 bits: the fault status register in parentheses, an address of eight digits. arch/arm/mm/fault.c. */
const FAULT_32 =
  /^(?:8<--- cut here ---\s{0,4})?Unhandled (?:fault|(prefetch abort)): (.{1,64}?) \(0x([0-9a-f]{3,4})\) at 0x([0-9a-f]{8})$/;
/** The crash behind it, which has no name. */
const INTERNAL_32 = /^Internal error: : ([0-9a-f]{1,4}) \[#\d{1,4}\]/;
/** What came from outside of the processor, by the kernel's names of the status. The others are faults of software. */
const EXTERNAL_32 = /\bexternal abort\b|\bparity error\b|\bECC error\b/;
/** Its address says nothing of the error: it came later than the access. */
const IMPRECISE = /^(?:imprecise|asynchronous)\b|\basynchronous\b/;
/** Linux 4.12 to 4.18 print no name of the abort. */
const INTERNAL =
  /^Internal error: (|synchronous (?:external abort|parity or ECC error)|level -?\d \(translation table walk\)|level -?\d synchronous parity error[^:]{0,64}): ([0-9a-f]{1,16})/;
const ESR_LINE = /^\s{0,4}ESR = (0x[0-9a-fA-F]{1,16})/;
const SERROR = /^SError Interrupt on CPU(\d{1,6}), code (0x[0-9a-fA-F]{1,16})/;
/** The register itself, as debuggers and crash dumps give it. */
const DISR = /^\s{0,8}DISR_EL1 {0,8}[:=]? {0,8}(0x[0-9a-fA-F]{1,16})\b/;
/** Linux before 4.14. */
const BAD_MODE = /^Bad mode in Error handler detected(?: on CPU(\d{1,6}))?, code (0x[0-9a-fA-F]{1,16})/;
const CPU_LINE = /^CPU: (\d{1,6}) (?:UID: \d{1,10} )?PID: (\d{1,10}) Comm: (\S{1,32})/;
/** The number of the oops: the kernel ends the task. arch/arm64/kernel/traps.c, die(). */
const OOPS = /^(Internal error: .{0,120}?) \[#\d{1,6}\]/;
const PC_LINE = /^pc : /;
/** Lines an abort stays open for the ones that name its CPU. */
const MAX_FOREIGN = 40;

interface Open {
  record: ArmSeaRecord;
  as: 'sea' | 'serror';
  firstLine: number;
  lastLine: number;
  foreign: number;
  /** The kernel met it itself: where it says so. */
  oops?: { message: string; lineNumber: number; comm?: string; pid?: number };
}

/** Data and instruction fault status register: the status of the short descriptors has a fifth bit apart from the others. */
const FSR = defineRegister({
  name: 'DFSR',
  width: 32,
  source: 'Arm ARM DDI 0406, B4.1.51 (DFSR), B4.1.96 (IFSR)',
  fields: [
    bit(13, 'CM', 'a cache maintenance operation'),
    bit(12, 'ExT', 'which of the external aborts it is, as the implementation says'),
    bit(11, 'WnR', 'a write'),
    bit(10, 'FS_HIGH', 'bit 4 of the status'),
    bit(9, 'LPAE', 'the status is that of the long descriptors'),
    bits(3, 0, 'FS_LOW', 'bits 3:0 of the status'),
  ],
});
/** Statuses of external aborts and parity errors. Arm ARM DDI 0406, tables B3-23 and B3-24. */
const EXTERNAL_SHORT: ReadonlySet<number> = new Set([0x08, 0x0c, 0x0e, 0x16, 0x18, 0x19, 0x1c, 0x1e]);
const EXTERNAL_LONG: ReadonlySet<number> = new Set([
  0x10, 0x11, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1c, 0x1d, 0x1e, 0x1f,
]);
function isExternal(fsr: bigint): boolean {
  const { LPAE, FS_HIGH, FS_LOW } = FSR.read(fsr);
  return LPAE
    ? EXTERNAL_LONG.has(Number(LONG_STATUS.read(fsr).STATUS))
    : EXTERNAL_SHORT.has((FS_HIGH ? 0x10 : 0) + Number(FS_LOW));
}
const LONG_STATUS = defineRegister({
  name: 'DFSR (long descriptors)',
  width: 32,
  source: 'Arm ARM DDI 0406, B4.1.51',
  fields: [bits(5, 0, 'STATUS', 'the status')],
});

/** Deferred Interrupt Status Register. The fields behind IDS are those of ESR_EL1 of an SError. */
const DISR_EL1 = defineRegister({
  name: 'DISR_EL1',
  width: 64,
  source: 'Arm ARM DDI 0487, DISR_EL1',
  fields: [
    bit(31, 'A', 'an SError was deferred'),
    bit(24, 'IDS', 'the syndrome is of the implementation'),
    bits(23, 13, 'ISS_HIGH', 'syndrome of the implementation'),
    bits(12, 10, 'AET', 'asynchronous error type'),
    bit(9, 'EA', 'external abort type'),
    bits(8, 6, 'ISS_MIDDLE', 'syndrome of the implementation'),
    bits(5, 0, 'DFSC', 'data fault status code'),
  ],
});
/** The syndrome of the SError that an ESB deferred; undefined where the register holds none. */
function esrOfDisr(disr: bigint): bigint | undefined {
  const { A, IDS, ISS_HIGH, AET, EA, ISS_MIDDLE, DFSC } = DISR_EL1.read(disr);
  if (!A) return undefined;
  // Class of SErrors, and the length of an instruction, which DISR_EL1 does not have.
  const head = placed(0x2fn, 26) | placed(1n, 25);
  const ras = placed(AET, 10) | placed(EA ? 1n : 0n, 9) | DFSC;
  return IDS ? head | placed(1n, 24) | placed(ISS_HIGH, 13) | ras | placed(ISS_MIDDLE, 6) : head | ras;
}

export class ArmLines implements KernelPart {
  readonly #sink: ItemSink;
  #open: Open | undefined;
  /** Address and ESR of a fault whose kind is still to come. */
  #far: bigint | undefined;
  #esr: bigint | undefined;
  #farLine = 0;
  /** There was an abort or an SError: the kernel is one of arm64. */
  seen = false;
  /** The fault status of the last abort of 32 bits, and its line. */
  #fsr: { fsr: bigint; line: number } | undefined;

  readonly #steps: boolean;

  /** @param steps what a crash says beside its record is handed on by others */
  constructor(sink: ItemSink, steps = false) {
    this.#sink = sink;
    this.#steps = steps;
  }

  /** The first line of what is open; Infinity when nothing is. */
  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  /** True while the CPU line of an abort is still to come: it holds no word to look for. */
  get wanted(): boolean {
    return this.#open !== undefined || this.#far !== undefined;
  }

  take(text: string, lineNumber: number): boolean {
    const unable = UNABLE.exec(text);
    if (unable !== null) {
      this.#far = hexU64(unable[1]);
      this.#esr = undefined;
      this.#farLine = lineNumber;
      return false;
    }
    if (this.#far !== undefined) {
      const esr = ESR_LINE.exec(text);
      if (esr !== null) {
        this.#esr = hexU64(esr[1]);
        return false;
      }
      if (lineNumber - this.#farLine > MAX_FOREIGN) this.#far = undefined;
    }
    if (this.#short(text, lineNumber)) return true;
    const fault = FAULT.exec(text);
    if (fault !== null) {
      const esr = hexU64(fault[2]) ?? 0n;
      if (!reportsHardware(esr)) return false;
      this.#start({ kind: 'arm-sea', esr, far: hexU64(fault[3]) ?? 0n }, fault[1] ?? '', lineNumber);
      return true;
    }
    const user = USER_FAULT.exec(text);
    if (user !== null) {
      const esr = hexU64(user[4]) ?? 0n;
      if (!reportsHardware(esr)) return false;
      this.#start({ kind: 'arm-sea', esr }, user[3] ?? '', lineNumber);
      return true;
    }
    const internal = INTERNAL.exec(text);
    if (internal !== null) {
      const esr = hexU64(internal[2]) ?? 0n;
      if (!reportsHardware(esr)) return false;
      // The same abort was printed as a fault just before: one record.
      if (this.#open?.record.esr === esr && this.#open.as === 'sea') {
        this.#open.lastLine = lineNumber;
        this.#oops(this.#open, text, lineNumber);
        return true;
      }
      const record: ArmSeaRecord = { kind: 'arm-sea', esr, el: 1 };
      if (this.#far !== undefined && (this.#esr === undefined || this.#esr === esr)) record.far = this.#far;
      this.#oops(this.#start(record, internal[1] ?? '', lineNumber), text, lineNumber);
      return true;
    }
    const deferred = esrOfDisr(hexU64(DISR.exec(text)?.[1]) ?? 0n);
    if (deferred !== undefined) {
      this.#start({ kind: 'arm-sea', esr: deferred, el: 1 }, undefined, lineNumber);
      return true;
    }
    const serror = SERROR.exec(text) ?? BAD_MODE.exec(text);
    if (serror !== null) {
      const record: ArmSeaRecord = { kind: 'arm-sea', esr: hexU64(serror[2]) ?? 0n, el: 1 };
      if (serror[1] !== undefined) record.cpu = Number(serror[1]);
      this.#start(record, undefined, lineNumber);
      return true;
    }
    const cpu = this.#open === undefined ? null : CPU_LINE.exec(text);
    if (cpu !== null && this.#open !== undefined) {
      this.#open.record.cpu ??= Number(cpu[1]);
      if (this.#open.oops !== undefined) Object.assign(this.#open.oops, { pid: Number(cpu[2]), comm: cpu[3] });
      return false;
    }
    if (this.#open !== undefined && PC_LINE.test(text)) this.end();
    return false;
  }

  /** An abort of a processor of 32 bits. */
  #short(text: string, lineNumber: number): boolean {
    const m = FAULT_32.exec(text);
    const [, prefetch, name = '', status, address] = m ?? [];
    const fsr = hexU64(status ?? INTERNAL_32.exec(text)?.[1]);
    if (fsr === undefined) return false;
    const before = this.#fsr;
    if (m === null) {
      const isAgain = before !== undefined && before.fsr === fsr && lineNumber - before.line <= MAX_FOREIGN;
      if (isAgain || !isExternal(fsr)) return false;
    } else if (!EXTERNAL_32.test(name)) return false;
    this.#fsr = { fsr, line: lineNumber };
    const virt = m === null || IMPRECISE.test(name) ? undefined : hexU64(address);
    const what = m === null ? 'an abort of which only the crash is told' : name;
    const message = prefetch === undefined ? what : `${what} of an instruction`;
    const fields = { message, fsr, ...(virt === undefined ? {} : { virt }) };
    this.#sink(eventItem('linux', lineNumber, { name: 'arm-abort', fields }));
    return true;
  }

  skipped(lines: number): void {
    if (this.#open === undefined) return;
    this.#open.foreign += lines;
    if (this.#open.foreign > MAX_FOREIGN) this.end();
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    this.#far = undefined;
    if (open === undefined) return;
    const { record, as, firstLine, lastLine } = open;
    this.#sink({ type: 'arm', form: 'linux', record, as, notes: [], firstLine, lastLine });
    if (open.oops === undefined) return;
    const { lineNumber, ...fields } = open.oops;
    this.#sink(eventItem('linux', lineNumber, { name: 'arm-oops', fields }));
  }

  #oops(open: Open, text: string, lineNumber: number): void {
    const message = this.#steps ? undefined : OOPS.exec(text)?.[1];
    if (message !== undefined) open.oops = { message, lineNumber };
  }

  /** @param abort what the kernel calls the synchronous abort; undefined of an SError */
  #start(record: ArmSeaRecord, abort: string | undefined, lineNumber: number): Open {
    const far = this.#far;
    this.end();
    this.seen = true;
    const firstLine = far !== undefined && record.far === far ? this.#farLine : lineNumber;
    const { esr, cpu } = record;
    const event: KindEvent<'sea' | 'serror'> =
      abort === undefined
        ? { name: 'serror', fields: { ...(cpu === undefined ? {} : { cpu }), esr } }
        : { name: 'sea', fields: { message: abort, esr } };
    this.#sink(eventItem('linux', lineNumber, event));
    const as = abort === undefined ? 'serror' : 'sea';
    return (this.#open = { record, as, firstLine, lastLine: lineNumber, foreign: 0 });
  }
}
