/**
 * @module The architectural error code, MCi_STATUS[15:0]. Sources: SDM vol. 3B "Simple Error Codes" and
 * "Compound Error Codes"; APM vol. 2 "Machine-Check Status Registers" for AMD. Every one of the 65,536 codes has exactly one class; what the
 * manuals reserve is `unknown`.
 */
import type { McaVendor } from './record.ts';
import { MCI_STATUS_INTEL } from './registers.ts';

export type McacodClass =
  | 'no-error'
  | 'unclassified'
  | 'microcode-rom-parity'
  | 'external'
  | 'frc'
  | 'internal-parity'
  | 'smm-handler-code-access'
  | 'internal-timer'
  | 'io'
  | 'internal-unclassified'
  | 'generic-cache-hierarchy'
  | 'tlb'
  | 'memory-controller'
  | 'extended-memory'
  | 'cache-hierarchy'
  | 'bus-interconnect'
  | 'unknown';

/** The sub-fields of a compound code, by the manual's letters; a member is there when the form has the field. */
interface McacodFields {
  /** Transaction type. */
  TT?: 'I' | 'D' | 'G';
  /** Level: LG is any level (Intel) or L3 and any level (AMD). */
  LL?: 'L0' | 'L1' | 'L2' | 'LG';
  /** Request. */
  RRRR?: 'ERR' | 'RD' | 'WR' | 'DRD' | 'DWR' | 'IRD' | 'PREFETCH' | 'EVICT' | 'SNOOP';
  /** Participation: source, responder, observer; GEN is generic. */
  PP?: 'SRC' | 'RES' | 'OBS' | 'GEN';
  T?: 'TIMEOUT' | 'NOTIMEOUT';
  /** Memory, I/O, or other transaction. */
  II?: 'M' | 'IO' | 'OTHER';
  /** Memory transaction: generic, read, write, address/command, scrubbing. */
  MMM?: 'GEN' | 'RD' | 'WR' | 'AC' | 'MS';
  /** Channel; 15 is "not specified". */
  CCCC?: number;
  /** AMD internal error code. */
  UU?: number;
}

export interface Mcacod {
  class: McacodClass;
  /** The manual's mnemonic with its placeholders filled in, e.g. `DCACHEL0_DRD_ERR`. */
  mnemonic: string;
  /** What it says, as the middle of a sentence. */
  text: string;
  /** Bit 12, correction report filtering (Intel compound codes). */
  filtered: boolean;
  /** Memory channel of memory-controller codes; undefined when the code does not name one. */
  channel?: number;
  /** Sub-fields; empty for simple and unknown codes. */
  fields: McacodFields;
}

type Found = Omit<Mcacod, 'filtered'>;

/** SDM table "Simple Error Codes". */
const SIMPLE: Readonly<Record<number, readonly [McacodClass, string, string]>> = {
  0x0000: ['no-error', 'No Error', 'no error'],
  0x0001: ['unclassified', 'Unclassified', 'an unclassified error'],
  0x0002: ['microcode-rom-parity', 'Microcode ROM Parity Error', 'a parity error in the microcode ROM'],
  0x0003: ['external', 'External Error', 'an external error that another processor or BINIT# signalled'],
  0x0004: ['frc', 'FRC Error', 'a functional redundancy check error'],
  0x0005: ['internal-parity', 'Internal Parity Error', 'an internal parity error'],
  0x0006: ['smm-handler-code-access', 'SMM Handler Code Access Violation', 'an SMM handler code access violation'],
  0x0400: ['internal-timer', 'Internal Timer Error', 'an internal timer error'],
};

/** A bus code of its own: SDM "Simple Error Codes", I/O Error. It is a compound form, so the filter bit may be set. */
const IO_ERROR = 0x0e0b;

const TT = ['I', 'D', 'G', undefined] as const;
const TT_TEXT = { I: 'an instruction', D: 'a data', G: 'a generic' } as const;
const LL = ['L0', 'L1', 'L2', 'LG'] as const;
const RRRR = ['ERR', 'RD', 'WR', 'DRD', 'DWR', 'IRD', 'PREFETCH', 'EVICT', 'SNOOP'] as const;
const RRRR_TEXT = {
  ERR: 'a generic request',
  RD: 'a read',
  WR: 'a write',
  DRD: 'a data read',
  DWR: 'a data write',
  IRD: 'an instruction fetch',
  PREFETCH: 'a prefetch',
  EVICT: 'an eviction',
  SNOOP: 'a snoop',
} as const;
const MMM = ['GEN', 'RD', 'WR', 'AC', 'MS'] as const;
const MMM_TEXT = {
  GEN: 'a generic memory request',
  RD: 'a memory read',
  WR: 'a memory write',
  AC: 'a memory address or command transfer',
  MS: 'memory scrubbing',
} as const;
const PP = ['SRC', 'RES', 'OBS', 'GEN'] as const;
const II = ['M', undefined, 'IO', 'OTHER'] as const;
const II_TEXT = { M: 'a memory access', IO: 'an I/O access', OTHER: 'another access' } as const;

/** CCCC of a code that names no channel. */
const CHANNEL_UNSPECIFIED = 15;

function levelText(ll: (typeof LL)[number]): string {
  return ll === 'LG' ? 'any level' : `level ${ll.slice(1)}`;
}

function levelOf(code: number): (typeof LL)[number] {
  return LL[(code & 3) as 0 | 1 | 2 | 3];
}

function genericCache(code: number): Found {
  const ll = levelOf(code);
  return {
    class: 'generic-cache-hierarchy',
    mnemonic: `Generic Cache Hierarchy ${ll}`,
    text: `a generic cache hierarchy error (${levelText(ll)})`,
    fields: { LL: ll },
  };
}

function tlb(code: number): Found | undefined {
  const tt = TT[(code >> 2) & 3];
  if (tt === undefined) return undefined;
  const ll = levelOf(code);
  return {
    class: 'tlb',
    mnemonic: `${tt}TLB${ll}_ERR`,
    text: `${TT_TEXT[tt]} TLB error (${levelText(ll)})`,
    fields: { TT: tt, LL: ll },
  };
}

function memory(code: number, cls: 'memory-controller' | 'extended-memory'): Found | undefined {
  const mmm = MMM[(code >> 4) & 7];
  if (mmm === undefined) return undefined;
  const channel = code & 0xf;
  const named = channel !== CHANNEL_UNSPECIFIED;
  const where = cls === 'extended-memory' ? ' of memory used as a cache' : '';
  return {
    class: cls,
    mnemonic: `${mmm}_CHANNEL${named ? channel : 'unspecified'}_ERR`,
    text: `an error of ${MMM_TEXT[mmm]}${where}${named ? ` on channel ${channel}` : ''}`,
    fields: { MMM: mmm, CCCC: channel },
    ...(named ? { channel } : {}),
  };
}

function cache(code: number): Found | undefined {
  const tt = TT[(code >> 2) & 3];
  const rrrr = RRRR[(code >> 4) & 0xf];
  if (tt === undefined || rrrr === undefined) return undefined;
  const ll = levelOf(code);
  return {
    class: 'cache-hierarchy',
    mnemonic: `${tt}CACHE${ll}_${rrrr}_ERR`,
    text: `${TT_TEXT[tt]} cache error (${levelText(ll)}) on ${RRRR_TEXT[rrrr]}`,
    fields: { TT: tt, LL: ll, RRRR: rrrr },
  };
}

function bus(code: number): Found | undefined {
  const ii = II[(code >> 2) & 3];
  const rrrr = RRRR[(code >> 4) & 0xf];
  if (ii === undefined || rrrr === undefined) return undefined;
  const ll = levelOf(code);
  const pp = PP[((code >> 9) & 3) as 0 | 1 | 2 | 3];
  const t = (code & 0x0100) === 0 ? 'NOTIMEOUT' : 'TIMEOUT';
  // The manual leaves generic participation and "other" out of the mnemonic.
  const parts = [`BUS${ll}`, pp === 'GEN' ? '' : pp, rrrr, ii === 'OTHER' ? '' : ii, t, 'ERR'];
  return {
    class: 'bus-interconnect',
    mnemonic: parts.filter(p => p !== '').join('_'),
    text: `a bus or interconnect error on ${RRRR_TEXT[rrrr]} of ${II_TEXT[ii]}${t === 'TIMEOUT' ? ', request timed out' : ''}`,
    fields: { LL: ll, PP: pp, RRRR: rrrr, II: ii, T: t },
  };
}

function internalUnclassified(fields: McacodFields): Found {
  return {
    class: 'internal-unclassified',
    mnemonic: 'Internal Unclassified',
    text: 'an internal unclassified error',
    fields,
  };
}

/** SDM table "Compound Error Codes", without the filter bit. */
function intelCompound(c: number): Found | undefined {
  if (c === IO_ERROR) return { class: 'io', mnemonic: 'I/O Error', text: 'a generic I/O error', fields: {} };
  if ((c & 0xfffc) === 0x000c) return genericCache(c);
  if ((c & 0xfff0) === 0x0010) return tlb(c);
  if ((c & 0xff80) === 0x0080) return memory(c, 'memory-controller');
  if ((c & 0xff80) === 0x0280) return memory(c, 'extended-memory');
  if ((c & 0xff00) === 0x0100) return cache(c);
  if ((c & 0xf800) === 0x0800) return bus(c);
  return undefined;
}

/** AMD's form "memory": an error in any part of the memory hierarchy, of which only the levels 0 to 2 are caches for sure. */
function amdMemory(code: number): Found | undefined {
  const found = cache(code);
  if (found?.fields.LL !== 'LG') return found;
  return { ...found, text: found.text.replace('cache error', 'memory hierarchy error') };
}

/** APM tables "Error Code": TLB, memory, bus and internal forms; there is no filter bit. */
function amdCode(c: number): Found | undefined {
  if (c === 0) return { class: 'no-error', mnemonic: 'No Error', text: 'no error', fields: {} };
  if ((c & 0xfff0) === 0x0010) return tlb(c);
  if ((c & 0xff00) === 0x0100) return amdMemory(c);
  if ((c & 0xfcff) === 0x0400) return internalUnclassified({ UU: (c >> 8) & 3 });
  if ((c & 0xf800) === 0x0800) return bus(c);
  return undefined;
}

function intelCode(c: number): Mcacod | undefined {
  const simple = SIMPLE[c];
  if (simple !== undefined) {
    return { class: simple[0], mnemonic: simple[1], text: simple[2], fields: {}, filtered: false };
  }
  const found = intelCompound(c & ~0x1000);
  if (found !== undefined) return { ...found, filtered: (c & 0x1000) !== 0 };
  return (c & 0xfc00) === 0x0400 ? { ...internalUnclassified({}), filtered: false } : undefined;
}

/** Names an error code (16 bits). AMD has no generic-cache and memory-controller forms; without a vendor Intel's table is used. */
export function decodeMcacod(code: number, vendor?: McaVendor): Mcacod {
  const c = code & 0xffff;
  if (vendor === 'amd') {
    const amd = amdCode(c);
    if (amd !== undefined) return { ...amd, filtered: false };
  } else {
    const intel = intelCode(c);
    if (intel !== undefined) return intel;
  }
  const hex = `0x${c.toString(16).padStart(4, '0')}`;
  return {
    class: 'unknown',
    mnemonic: `unknown (${hex})`,
    text: `an error with the unknown code ${hex}`,
    fields: {},
    filtered: false,
  };
}

const { MCACOD } = MCI_STATUS_INTEL.masks;

/**
 * The error code of a status register: MCACOD, which AMD calls ERRORCODE, in the same bits.
 * @example errorCodeOf(0xbd80000000100134n) // 0x134
 */
export function errorCodeOf(status: bigint): number {
  return Number(status & MCACOD);
}

/** Whether an Intel code is an I/O error, filtered or not. */
export function isIoCode(code: number): boolean {
  return (code & ~0x1000) === IO_ERROR;
}

/** Whether an Intel code is an error of memory: the memory controller's, or memory that serves as a cache. */
export function isMemoryCode(code: Pick<Mcacod, 'class'>): boolean {
  return code.class === 'memory-controller' || code.class === 'extended-memory';
}
