/**
 * @module Lines of machine check blocks put together into records.
 *
 * Only the header names its CPU. Where lines of several CPUs mix, a line goes to the only open block that it can
 * belong to by its own data: the printk caller, registers that MCi_STATUS says are valid, the APIC id that the CPU
 * had in an earlier complete block. A line that fits none or several is reported and given to nobody.
 */
import type { McaVendor, X86McaRecord } from '../../mca/record.ts';
import { MCG_STATUS, MCI_STATUS_INTEL } from '../../mca/registers.ts';
import type { MceCut, MceHeader, MceLine, MceProcessor, MceTsc } from './mce-lexer.ts';

/** Blocks open at the same time, per source. */
const MAX_OPEN = 256;
/** Foreign lines after which an unfinished block is given up. */
const MAX_FOREIGN = 32;
/** CPUs whose APIC id is remembered. */
const MAX_CPUS = 16_384;
/** Lines of a block: PROCESSOR, TSC, RIP. */
const MAX_EARLY = 3;

/** Linux X86_VENDOR_*: 0 Intel, 2 AMD, 9 Hygon (which follows AMD). Others stay unknown. */
export const VENDOR: Readonly<Record<number, McaVendor>> = { 0: 'intel', 2: 'amd', 9: 'amd' };

const { ADDRV, MISCV } = MCI_STATUS_INTEL.masks;
const RIPV_EIPV = MCG_STATUS.masks.RIPV | MCG_STATUS.masks.EIPV;

interface MceBlock {
  record: X86McaRecord;
  exception: boolean;
  caller: string;
  firstLine: number;
  lastLine: number;
  foreign: number;
  hasTsc: boolean;
  hasRip: boolean;
  /** Of a kernel that prints no PROCESSOR line: the TSC line is the last. */
  bare: boolean;
  /** Lines of this block may have been lost to others. */
  mixed: boolean;
  /** A line came twice, so that one of the two is not of this block. */
  doubled: boolean;
}

/** What the assembler finds, in order. */
interface MceSink {
  header(header: MceHeader, lineNumber: number): void;
  /** A block ended; `complete` when its last line was seen and none can be missing. */
  record(block: MceBlock, complete: boolean): void;
  /** A line that belongs to a block nobody can name, or that the block has already. */
  unattributed(line: Exclude<MceLine, MceHeader | MceCut>, lineNumber: number): void;
  /** A header without its whole status: no record can be made of it. */
  cut(line: MceCut, lineNumber: number): void;
}

export class MceAssembler {
  readonly #source: string;
  readonly #sink: MceSink;
  #open: MceBlock[] = [];
  /** PROCESSOR lines that could not be attributed, by caller, while its blocks are mixed. */
  readonly #lost = new Map<string, number>();
  // One machine has one vendor: a PROCESSOR line settles it even for blocks whose own line was lost.
  #vendor: McaVendor | undefined;
  readonly #apicOf = new Map<number, bigint>();
  /** Lines from a PROCESSOR line on that no block is open for: `journalctl -r` gives a block from its last line on. */
  #early: { line: Exclude<MceLine, MceHeader | MceCut>; lineNumber: number; caller: string }[] = [];

  constructor(source: string, sink: MceSink) {
    this.#source = source;
    this.#sink = sink;
  }

  /** @param firstLine where a line begins that was broken */
  take(line: MceLine, caller: string, lineNumber: number, firstLine = lineNumber): void {
    if (line.kind === 'header') {
      const early = this.#early;
      if (early.length > 1 && this.#follows(caller, lineNumber)) {
        this.#early = [];
        this.#header(line, caller, lineNumber, early[0]?.lineNumber ?? firstLine);
        for (const { line: before } of early.toReversed()) this.take(before, caller, lineNumber);
        return;
      }
      this.#flushEarly();
      this.#header(line, caller, lineNumber, firstLine);
      return;
    }
    if (line.kind === 'cut') {
      this.#sink.cut(line, lineNumber);
      return;
    }
    // Another vendor's is another machine, in a log that was put together: nobody inherits the one before.
    if (line.kind === 'processor') this.#vendor = VENDOR[line.vendor];
    const block = this.#owner(line, caller);
    if (block === undefined) {
      if (this.#open.length === 0 && this.#isEarly(line, caller, lineNumber)) {
        this.#early.push({ line, lineNumber, caller });
        return;
      }
      this.#flushEarly();
      this.#sink.unattributed(line, lineNumber);
      if (line.kind === 'processor') this.#lostProcessor(caller);
      return;
    }
    this.#flushEarly();
    // The kernel prints each line once: a second one is that of a block whose header was lost.
    if ((line.kind === 'rip' && (block.hasRip || block.hasTsc)) || (line.kind === 'tsc' && block.hasTsc)) {
      this.#sink.unattributed(line, lineNumber);
      block.doubled = true;
      return;
    }
    block.lastLine = lineNumber;
    if (line.kind === 'tsc') tscInto(line, block);
    else if (line.kind === 'rip') {
      block.hasRip = true;
      block.record.cs = line.cs;
      block.record.rip = line.rip;
    } else this.#processor(line, block);
  }

  /** Whether a line may be one of a block that comes from its last line on. */
  #isEarly({ kind }: MceLine, caller: string, lineNumber: number): boolean {
    if (kind !== 'processor') return this.#early.length < MAX_EARLY && this.#follows(caller, lineNumber);
    this.#flushEarly();
    return true;
  }

  #follows(caller: string, lineNumber: number): boolean {
    const last = this.#early.at(-1);
    return last !== undefined && last.caller === caller && last.lineNumber === lineNumber - 1;
  }

  /** They are of no such block. */
  #flushEarly(): void {
    const early = this.#early;
    if (early.length === 0) return;
    this.#early = [];
    for (const { line, lineNumber } of early) this.#sink.unattributed(line, lineNumber);
  }

  /** `lines` other kernel lines passed: ages open blocks; `close` ends them at once. */
  other(close: boolean, lines = 1): void {
    const open = this.#open;
    this.#flushEarly();
    if (open.length === 0) return;
    let old = close;
    for (const block of open) {
      block.foreign += lines;
      if (block.foreign > MAX_FOREIGN) old = true;
    }
    if (!old) return;
    for (const caller of new Set(open.map(b => b.caller))) {
      if (close || this.#open.some(b => b.caller === caller && b.foreign > MAX_FOREIGN)) this.#closeCaller(caller);
    }
  }

  end(): void {
    this.#flushEarly();
    for (const caller of new Set(this.#open.map(b => b.caller))) this.#closeCaller(caller);
  }

  /** The first line of the oldest open block; Infinity when none is open. */
  get since(): number {
    const early = this.#early[0]?.lineNumber ?? Number.POSITIVE_INFINITY;
    return this.#open.length === 0 ? early : Math.min(early, ...this.#open.map(b => b.firstLine));
  }

  #header(line: MceHeader, caller: string, lineNumber: number, firstLine: number): void {
    const open = this.#open;
    if (open.length > 0) {
      for (const ended of open.filter(b => b.caller === caller && isWhole(b))) this.#close(ended, true);
    }
    if (open.length >= MAX_OPEN && open[0] !== undefined) this.#closeCaller(open[0].caller);
    const block: MceBlock = {
      record: {
        kind: 'x86-mca',
        cpu: line.cpu,
        bank: line.bank,
        status: line.status,
        mcgStatus: line.mcgStatus,
      },
      exception: line.exception,
      caller,
      firstLine,
      lastLine: lineNumber,
      foreign: 0,
      hasTsc: false,
      hasRip: false,
      bare: line.bare === true,
      mixed: false,
      doubled: false,
    };
    for (const other of this.#open) if (other.caller === caller) other.mixed = block.mixed = true;
    this.#open.push(block);
    this.#sink.header(line, lineNumber);
  }

  /** The one open block of the caller that the line can belong to. */
  #owner(line: Exclude<MceLine, MceCut>, caller: string): MceBlock | undefined {
    const open = this.#open;
    if (open.length === 1) {
      const block = open[0];
      return block !== undefined && block.caller === caller && (!block.mixed || fits(line, block, this.#apicOf))
        ? block
        : undefined;
    }
    let found: MceBlock | undefined;
    let mine = 0;
    let fitting = 0;
    for (const block of open) {
      if (block.caller !== caller) continue;
      mine++;
      if (mine > 1 || block.mixed) {
        if (!fits(line, block, this.#apicOf)) continue;
      }
      fitting++;
      found = block;
    }
    return fitting === 1 ? found : undefined;
  }

  #processor(line: MceProcessor, block: MceBlock): void {
    const { record } = block;
    const vendor = VENDOR[line.vendor];
    if (vendor !== undefined) record.vendor = vendor;
    record.cpuid = line.cpuid;
    record.time = line.time;
    record.socket = line.socket;
    record.apicId = line.apicId;
    if (line.microcode !== undefined) record.microcode = line.microcode;
    if (!block.mixed && record.cpu !== undefined && this.#apicOf.size < MAX_CPUS) {
      this.#apicOf.set(record.cpu, line.apicId);
    }
    this.#close(block, (!block.mixed || block.hasTsc) && !block.doubled);
  }

  #lostProcessor(caller: string): void {
    const seen = (this.#lost.get(caller) ?? 0) + 1;
    const mine = this.#open.filter(b => b.caller === caller);
    if (mine.length === 0) return;
    if (seen >= mine.length) this.#closeCaller(caller);
    else this.#lost.set(caller, seen);
  }

  #close(block: MceBlock, complete: boolean): void {
    const at = this.#open.indexOf(block);
    if (at >= 0) this.#open.splice(at, 1);
    const { record } = block;
    if (record.vendor === undefined && this.#vendor !== undefined) record.vendor = this.#vendor;
    record.origin = { source: this.#source, firstLine: block.firstLine, lastLine: block.lastLine };
    this.#sink.record(block, complete);
  }

  #closeCaller(caller: string): void {
    this.#lost.delete(caller);
    for (const block of this.#open.filter(b => b.caller === caller)) this.#close(block, isWhole(block));
  }
}

/** Whether a block of an old kernel has its last line. */
function isWhole(block: MceBlock): boolean {
  return block.bare && block.hasTsc && !block.mixed;
}

/** Whether a line can belong to a block whose lines are mixed with those of others. */
function fits(line: Exclude<MceLine, MceCut>, block: MceBlock, apicOf: ReadonlyMap<number, bigint>): boolean {
  const { status, mcgStatus, cpu } = block.record;
  if (line.kind === 'tsc') {
    if (block.hasTsc) return false;
    // The kernel leaves out registers that are 0, so a missing one says nothing.
    return (line.addr === undefined || (status & ADDRV) !== 0n) && (line.misc === undefined || (status & MISCV) !== 0n);
  }
  // The kernel keeps the instruction pointer only when RIPV or EIPV is set, and prints it before the TSC line.
  if (line.kind === 'rip') return !block.hasRip && !block.hasTsc && ((mcgStatus ?? 0n) & RIPV_EIPV) !== 0n;
  if (line.kind === 'processor') {
    const known = cpu === undefined ? undefined : apicOf.get(cpu);
    return known !== undefined && known === line.apicId;
  }
  return false;
}

function tscInto(line: MceTsc, block: MceBlock): void {
  const { record } = block;
  block.hasTsc = true;
  record.tsc = line.tsc;
  if (line.addr !== undefined) record.addr = line.addr;
  if (line.misc !== undefined) record.misc = line.misc;
  if (line.ppin !== undefined) record.ppin = line.ppin;
  if (line.synd !== undefined) record.synd = line.synd;
  if (line.synd1 !== undefined) record.synd1 = line.synd1;
  if (line.synd2 !== undefined) record.synd2 = line.synd2;
  if (line.ipid !== undefined) record.ipid = line.ipid;
}
