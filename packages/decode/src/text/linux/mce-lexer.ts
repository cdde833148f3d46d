/**
 * @module One line of Linux's raw machine check block (arch/x86/kernel/cpu/mce/core.c, `__print_mce()`), read from
 * bytes. The lines' fixed texts are facts of the kernel; they stand behind `mce: [Hardware Error]: `, before Linux 3.x
 * behind `[Hardware Error]: `, and before 2.6.33 behind nothing.
 */
import { Cursor, ascii } from '../bytes.ts';

/** Registers a TSC line may carry. */
type TscMember = 'addr' | 'misc' | 'ppin' | 'synd' | 'synd1' | 'synd2' | 'ipid';

export interface MceHeader {
  kind: 'header';
  cpu: number;
  exception: boolean;
  mcgStatus: bigint;
  bank: number;
  status: bigint;
  /** Without the tag of Linux since 2.6.33: then no PROCESSOR line has to follow. */
  bare?: true;
}
interface MceRip {
  kind: 'rip';
  exact: boolean;
  cs: bigint;
  rip: bigint;
}
export interface MceTsc {
  kind: 'tsc';
  tsc: bigint;
  addr?: bigint;
  misc?: bigint;
  ppin?: bigint;
  synd?: bigint;
  synd1?: bigint;
  synd2?: bigint;
  ipid?: bigint;
}
export interface MceProcessor {
  kind: 'processor';
  /** Linux X86_VENDOR_*. */
  vendor: number;
  cpuid: bigint;
  time: bigint;
  socket: number;
  apicId: bigint;
  microcode: bigint | undefined;
}
/** A header that ends before its status does: the kernel prints all 16 digits. */
export interface MceCut {
  kind: 'cut';
  cpu: number;
}
export type MceLine = MceHeader | MceRip | MceTsc | MceProcessor | MceCut;
/** Digits of MCi_STATUS in the header, `%016Lx` in all kernels. */
const STATUS_DIGITS = 16;

const MCE = ascii('mce: ');
const TAG = ascii('[Hardware Error]: ');
const CPU = ascii('CPU ');
const CHECK = ascii(': Machine Check');
const EXCEPTION = ascii(' Exception');
const COLON = ascii(': ');
const BANK_TEXT = ' Bank ';
const BANK = ascii(BANK_TEXT);
const RIP = ascii('RIP');
const INEXACT = ascii(' !INEXACT!');
const TSC = ascii('TSC ');
const PROCESSOR = ascii('PROCESSOR ');
const TIME = ascii(' TIME ');
const SOCKET = ascii(' SOCKET ');
const APIC = ascii(' APIC ');
const MICROCODE = ascii(' microcode ');
const SPACE = 0x20;
const MINUS = 0x2d;
const COLON_BYTE = 0x3a;

/** Names on the TSC line, in the order the kernel prints them. */
const NAMES: readonly (readonly [Uint8Array, TscMember])[] = [
  [ascii(' ADDR '), 'addr'],
  [ascii(' MISC '), 'misc'],
  [ascii(' PPIN '), 'ppin'],
  [ascii(' SYND '), 'synd'],
  [ascii(' SYND1 '), 'synd1'],
  [ascii(' SYND2 '), 'synd2'],
  [ascii(' IPID '), 'ipid'],
];

function header(c: Cursor, tagged: boolean): MceHeader | MceCut | undefined {
  const cpu = c.decimal(6);
  if (cpu < 0 || !c.word(CHECK)) return undefined;
  const exception = c.word(EXCEPTION);
  if (!c.word(COLON)) return undefined;
  // Linux before 3.0 pads the value with blanks.
  for (let i = 0; i < 20 && c.byte(SPACE); i++);
  const mcgStatus = c.hex();
  if (mcgStatus === undefined) return undefined;
  // The exception line of 32-bit kernels names no bank; its banks stand in lines of their own.
  if (!c.word(BANK)) return tagged && BANK_TEXT.startsWith(c.rest(BANK_TEXT.length)) ? { kind: 'cut', cpu } : undefined;
  if (c.done) return { kind: 'cut', cpu };
  const negative = c.byte(MINUS);
  const bank = c.decimal(4);
  if (bank < 0) return undefined;
  // A mail is broken at the blank.
  if (c.done || (c.word(COLON) && c.done) || (c.byte(COLON_BYTE) && c.done)) return { kind: 'cut', cpu };
  if (c.bytes[c.at - 1] !== SPACE) return undefined;
  const from = c.at;
  const status = c.hex();
  if (status === undefined || !c.done) return undefined;
  if (c.at - from < STATUS_DIGITS) return { kind: 'cut', cpu };
  const line: MceHeader = { kind: 'header', cpu, exception, mcgStatus, bank: negative ? -bank : bank, status };
  if (!tagged) line.bare = true;
  return line;
}

function rip(c: Cursor): MceRip | undefined {
  const exact = !c.word(INEXACT);
  if (!c.byte(SPACE)) return undefined;
  const cs = c.hex(4);
  if (cs === undefined || !c.byte(COLON_BYTE) || !c.byte(0x3c)) return undefined;
  const ip = c.hex();
  return ip === undefined || !c.byte(0x3e) ? undefined : { kind: 'rip', exact, cs, rip: ip };
}

function tsc(c: Cursor): MceTsc | undefined {
  const value = c.hex();
  if (value === undefined) return undefined;
  const line: MceTsc = { kind: 'tsc', tsc: value };
  let next = 0;
  while (!c.done) {
    // A blank ends the line in all kernels.
    if (c.at + 1 === c.end && c.byte(SPACE)) break;
    // Names come in order, each once; what is not in the table (or again) is no such line.
    let found = false;
    for (; next < NAMES.length && !found; next++) {
      const row = NAMES[next];
      if (row === undefined || !c.word(row[0])) continue;
      const register = c.hex();
      if (register === undefined) return undefined;
      line[row[1]] = register;
      found = true;
    }
    if (!found) return undefined;
  }
  return line;
}

function processor(c: Cursor): MceProcessor | undefined {
  const vendor = c.decimal(3);
  if (vendor < 0 || !c.byte(COLON_BYTE)) return undefined;
  const cpuid = c.hex(8);
  if (cpuid === undefined || !c.word(TIME)) return undefined;
  const time = c.decimal(15);
  if (time < 0 || !c.word(SOCKET)) return undefined;
  const socket = c.decimal(10);
  if (socket < 0 || !c.word(APIC)) return undefined;
  const apicId = c.hex(8);
  if (apicId === undefined) return undefined;
  const microcode = c.word(MICROCODE) ? c.hex() : undefined;
  return { kind: 'processor', vendor, cpuid, time: BigInt(time), socket, apicId, microcode };
}

/** Longer texts are none of a machine check block. */
const MAX_TEXT = 512;

/** Reads lines of machine check blocks; it keeps nothing of one for the next but room. */
export class MceLexer {
  readonly #cursor = new Cursor();
  readonly #scratch = new Uint8Array(MAX_TEXT);

  /**
   * Reads `bytes[at, end)` as a line of a machine check block, behind its time stamp; undefined when it is none.
   * Lines without any prefix count only where `bare` is set: inside a block of an old kernel, or a header.
   */
  line(bytes: Uint8Array, at: number, end: number, bare = false): MceLine | undefined {
    const c = this.#cursor;
    c.set(bytes, at, end);
    c.word(MCE);
    const tagged = c.word(TAG);
    const first = bytes[c.at];
    if (first === 0x43) return c.word(CPU) ? header(c, tagged) : undefined;
    if (!tagged && !bare) return undefined;
    if (first === 0x54) return c.word(TSC) ? tsc(c) : undefined;
    if (first === 0x50) return c.word(PROCESSOR) ? processor(c) : undefined;
    return first === 0x52 && c.word(RIP) ? rip(c) : undefined;
  }

  /** The same of a string; a line of such a block is short and plain ASCII. */
  lineOf(text: string, bare = false): MceLine | undefined {
    const scratch = this.#scratch;
    const n = text.length;
    if (n > scratch.length) return undefined;
    for (let i = 0; i < n; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7e) return undefined;
      scratch[i] = code;
    }
    return this.line(scratch, 0, n, bare);
  }
}
