/**
 * @module Linux's raw machine check block: header, RIP, TSC, PROCESSOR lines put together into records.
 *
 * Only the header names its CPU. Lines of several CPUs can mix, so a continuation line is attributed only when
 * exactly one block of its printk caller is open; otherwise nothing but the headers is kept.
 */
import { classify } from '../mca/classify.ts';
import type { McaVendor, X86McaRecord } from '../mca/record.ts';
import type { LogEvent } from './event.ts';
import { hexU64 } from './line.ts';

/** Blocks open at the same time, per source. */
const MAX_OPEN = 256;
/** Foreign lines after which an unfinished block is given up. */
const MAX_FOREIGN = 32;

const HEADER =
  /^(?:mce: )?\[Hardware Error\]: CPU (\d{1,6}): Machine Check( Exception)?: ([0-9a-f]{1,16}) Bank (-?\d{1,4}): ([0-9a-f]{1,16})$/;
const RIP = /^(?:mce: )?\[Hardware Error\]: RIP( !INEXACT!)? ([0-9a-f]{1,4}):<([0-9a-f]{1,16})>/;
const TSC = /^(?:mce: )?\[Hardware Error\]: TSC ([0-9a-f]{1,16})((?: [A-Z0-9]{2,6} [0-9a-f]{1,16}){0,12}) ?$/;
const PROCESSOR =
  /^(?:mce: )?\[Hardware Error\]: PROCESSOR (\d{1,3}):([0-9a-f]{1,8}) TIME (\d{1,20}) SOCKET (\d{1,10}) APIC ([0-9a-f]{1,8})(?: microcode ([0-9a-f]{1,16}))?/;

/** Linux X86_VENDOR_*: 0 Intel, 2 AMD, 9 Hygon (which follows AMD). Others stay unknown. */
const VENDOR: Readonly<Record<number, McaVendor>> = { 0: 'intel', 2: 'amd', 9: 'amd' };

/** Names on the TSC line and the record member each fills. */
const TSC_NAMES: Readonly<Record<string, 'addr' | 'misc' | 'ppin' | 'synd' | 'synd1' | 'synd2' | 'ipid'>> = {
  ADDR: 'addr',
  MISC: 'misc',
  PPIN: 'ppin',
  SYND: 'synd',
  SYND1: 'synd1',
  SYND2: 'synd2',
  IPID: 'ipid',
};

interface Block {
  record: X86McaRecord;
  exception: boolean;
  caller: string;
  firstLine: number;
  lastLine: number;
  foreign: number;
}

/** The event of a record, complete (all its lines were seen) or not. */
export function recordEvent(name: string, record: X86McaRecord, extra: LogEvent['fields'] = {}): LogEvent {
  const fields: LogEvent['fields'] = { bank: record.bank, status: record.status, class: classify(record), ...extra };
  if (record.cpu !== undefined) fields['cpu'] = record.cpu;
  if (record.mcgStatus !== undefined) fields['mcgStatus'] = record.mcgStatus;
  if (record.addr !== undefined) fields['addr'] = record.addr;
  if (record.misc !== undefined) fields['misc'] = record.misc;
  return { name, fields, record };
}

export interface MceBlocks {
  /** Takes one stripped kernel line; undefined when the line is not part of a block. */
  take(text: string, caller: string | undefined, lineNumber: number): LogEvent[] | undefined;
  /** Another kernel line passed: ages open blocks; `close` ends them at once. */
  other(close: boolean): LogEvent[];
  end(): LogEvent[];
}

/** Builds records out of raw block lines; `prefix` is the layer in front of event names, `source` goes into origins. */
export function mceBlocks(prefix: string, source: string): MceBlocks {
  let open: Block[] = [];
  // Callers whose open blocks cannot be told apart any more, with the PROCESSOR lines seen since.
  const mixed = new Map<string, number>();
  // One machine has one vendor: a PROCESSOR line settles it even for blocks whose own line was lost.
  let vendor: McaVendor | undefined;

  function close(block: Block, complete: boolean): LogEvent {
    open = open.filter(b => b !== block);
    const { record } = block;
    if (record.vendor === undefined && vendor !== undefined) record.vendor = vendor;
    record.origin = { source, firstLine: block.firstLine, lastLine: block.lastLine };
    return recordEvent(`${prefix}.mce-record`, record, { exception: block.exception, complete });
  }

  function closeCaller(caller: string): LogEvent[] {
    mixed.delete(caller);
    return open.filter(b => b.caller === caller).map(b => close(b, false));
  }

  function header(m: RegExpExecArray, caller: string, line: number): LogEvent[] {
    const status = hexU64(m[5]) ?? 0n;
    const mcgStatus = hexU64(m[3]) ?? 0n;
    const record: X86McaRecord = { kind: 'x86-mca', cpu: Number(m[1]), bank: Number(m[4]), status, mcgStatus };
    const exception = m[2] !== undefined;
    const events: LogEvent[] = [];
    if (open.length >= MAX_OPEN && open[0] !== undefined) events.push(...closeCaller(open[0].caller));
    // A second header before the first block ended: from here on nobody can tell whose lines follow.
    if (open.some(b => b.caller === caller) && !mixed.has(caller)) mixed.set(caller, 0);
    open.push({ record, exception, caller, firstLine: line, lastLine: line, foreign: 0 });
    events.push({
      name: `${prefix}.mce`,
      fields: { cpu: Number(m[1]), exception, mcgStatus, bank: record.bank, status },
    });
    return events;
  }

  /** The only open block of a caller, or undefined when there is none or more than one. */
  function only(caller: string): Block | undefined {
    const candidates = open.filter(b => b.caller === caller);
    return candidates.length === 1 && !mixed.has(caller) ? candidates[0] : undefined;
  }

  function processor(m: RegExpExecArray, caller: string, line: number): LogEvent[] {
    const v = VENDOR[Number(m[1])];
    vendor = v ?? vendor;
    const block = only(caller);
    if (block === undefined) {
      const seen = (mixed.get(caller) ?? 0) + 1;
      if (!mixed.has(caller)) return [];
      mixed.set(caller, seen);
      return seen >= open.filter(b => b.caller === caller).length ? closeCaller(caller) : [];
    }
    const { record } = block;
    if (v !== undefined) record.vendor = v;
    record.cpuid = hexU64(m[2]) ?? 0n;
    record.time = BigInt.asUintN(64, BigInt(m[3] ?? '0'));
    record.socket = Number(m[4]);
    record.apicId = hexU64(m[5]) ?? 0n;
    const microcode = hexU64(m[6]);
    if (microcode !== undefined) record.microcode = microcode;
    block.lastLine = line;
    return [close(block, true)];
  }

  function tsc(m: RegExpExecArray, block: Block): void {
    const { record } = block;
    record.tsc = hexU64(m[1]) ?? 0n;
    const words = (m[2] ?? '').trim().split(' ');
    for (let i = 0; i + 1 < words.length; i += 2) {
      const member = TSC_NAMES[words[i] ?? ''];
      const value = hexU64(words[i + 1]);
      if (member !== undefined && value !== undefined) record[member] = value;
    }
  }

  return {
    take(text, callerId, line) {
      if (!text.includes('[Hardware Error]: ')) return undefined;
      const caller = callerId ?? '';
      const head = HEADER.exec(text);
      if (head !== null) return header(head, caller, line);
      const cpu = PROCESSOR.exec(text);
      if (cpu !== null) return processor(cpu, caller, line);
      const time = TSC.exec(text);
      const rip = time === null ? RIP.exec(text) : null;
      if (time === null && rip === null) return undefined;
      const block = only(caller);
      if (block !== undefined) {
        block.lastLine = line;
        if (time !== null) tsc(time, block);
        if (rip !== null) {
          block.record.cs = hexU64(rip[2]) ?? 0n;
          block.record.rip = hexU64(rip[3]) ?? 0n;
        }
      }
      return [];
    },
    other(closeAll) {
      if (open.length === 0) return [];
      const events: LogEvent[] = [];
      for (const block of open) block.foreign++;
      for (const caller of new Set(open.map(b => b.caller))) {
        if (closeAll || open.some(b => b.caller === caller && b.foreign > MAX_FOREIGN))
          events.push(...closeCaller(caller));
      }
      return events;
    },
    end() {
      return [...new Set(open.map(b => b.caller))].flatMap(closeCaller);
    },
  };
}
