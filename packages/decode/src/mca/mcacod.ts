/**
 * @module The architectural error code, MCi_STATUS[15:0]. Sources: SDM vol. 3B "Simple Error Codes" and
 * "Compound Error Codes"; APM vol. 2 "Machine-Check Status Registers" for AMD. Every one of the 65,536 codes has exactly one class; what the
 * manuals reserve is `unknown`.
 */
import { codeForm } from '../registers/code-form.ts';
import type { CodeForm } from '../registers/code-form.ts';
import type { McaVendor } from './record.ts';
import { bitsOf } from '../registers/asked.ts';
import type { Bits } from '../registers/asked.ts';
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

/**
 * SDM table "Compound Error Codes"; F says that corrected errors are filtered. An I/O error is a bus code of its own (SDM
 * "Simple Error Codes").
 */
export const INTEL_FORMS = {
  io: codeForm('000F 1110 0000 1011'),
  genericCache: codeForm('000F 0000 0000 11LL'),
  tlb: codeForm('000F 0000 0001 TTLL'),
  memory: codeForm('000F 0000 1MMM CCCC'),
  extendedMemory: codeForm('000F 0010 1MMM CCCC'),
  cache: codeForm('000F 0001 RRRR TTLL'),
  bus: codeForm('000F 1PPT RRRR IILL'),
} as const;
/** SDM table "Simple Error Codes", the last form; no filter. */
const INTERNAL = codeForm('0000 01xx xxxx xxxx');
/** APM tables "Error Code"; there is no filter bit. */
const AMD_FORMS = {
  tlb: codeForm('0000 0000 0001 TTLL'),
  memory: codeForm('0000 0001 RRRR TTLL'),
  internal: codeForm('0000 01UU 0000 0000'),
  bus: codeForm('0000 1PPT RRRR IILL'),
} as const;
const FILTER = codeForm('xxxF xxxx xxxx xxxx');
/** What the filter bit counts for. */
const FILTERED = 0x1000;

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

function levelOf(code: number, form: CodeForm): (typeof LL)[number] {
  return LL[form.of('L', code) as 0 | 1 | 2 | 3];
}

function genericCache(code: number, form: CodeForm): Found {
  const ll = levelOf(code, form);
  return {
    class: 'generic-cache-hierarchy',
    mnemonic: `Generic Cache Hierarchy ${ll}`,
    text: `a generic cache hierarchy error (${levelText(ll)})`,
    fields: { LL: ll },
  };
}

function tlb(code: number, form: CodeForm): Found | undefined {
  const tt = TT[form.of('T', code)];
  if (tt === undefined) return undefined;
  const ll = levelOf(code, form);
  return {
    class: 'tlb',
    mnemonic: `${tt}TLB${ll}_ERR`,
    text: `${TT_TEXT[tt]} TLB error (${levelText(ll)})`,
    fields: { TT: tt, LL: ll },
  };
}

function memory(code: number, form: CodeForm, cls: 'memory-controller' | 'extended-memory'): Found | undefined {
  const mmm = MMM[form.of('M', code)];
  if (mmm === undefined) return undefined;
  const channel = form.of('C', code);
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

function cache(code: number, form: CodeForm): Found | undefined {
  const tt = TT[form.of('T', code)];
  const rrrr = RRRR[form.of('R', code)];
  if (tt === undefined || rrrr === undefined) return undefined;
  const ll = levelOf(code, form);
  return {
    class: 'cache-hierarchy',
    mnemonic: `${tt}CACHE${ll}_${rrrr}_ERR`,
    text: `${TT_TEXT[tt]} cache error (${levelText(ll)}) on ${RRRR_TEXT[rrrr]}`,
    fields: { TT: tt, LL: ll, RRRR: rrrr },
  };
}

function bus(code: number, form: CodeForm): Found | undefined {
  const ii = II[form.of('I', code)];
  const rrrr = RRRR[form.of('R', code)];
  if (ii === undefined || rrrr === undefined) return undefined;
  const ll = levelOf(code, form);
  const pp = PP[form.of('P', code) as 0 | 1 | 2 | 3];
  const t = form.of('T', code) === 0 ? 'NOTIMEOUT' : 'TIMEOUT';
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

/** SDM table "Compound Error Codes". */
function intelCompound(c: number): Found | undefined {
  const forms = INTEL_FORMS;
  if (forms.io.has(c)) return { class: 'io', mnemonic: 'I/O Error', text: 'a generic I/O error', fields: {} };
  if (forms.genericCache.has(c)) return genericCache(c, forms.genericCache);
  if (forms.tlb.has(c)) return tlb(c, forms.tlb);
  if (forms.memory.has(c)) return memory(c, forms.memory, 'memory-controller');
  if (forms.extendedMemory.has(c)) return memory(c, forms.extendedMemory, 'extended-memory');
  if (forms.cache.has(c)) return cache(c, forms.cache);
  if (forms.bus.has(c)) return bus(c, forms.bus);
  return undefined;
}

/** AMD's form "memory": an error in any part of the memory hierarchy, of which only the levels 0 to 2 are caches for sure. */
function amdMemory(code: number): Found | undefined {
  const found = cache(code, AMD_FORMS.memory);
  if (found?.fields.LL !== 'LG') return found;
  return { ...found, text: found.text.replace('cache error', 'memory hierarchy error') };
}

/** SDM vol. 3B, UCR Error Classification: the code of "L3 explicit writeback". */
export const L3_WRITEBACK = 0x017a;

function l3Writeback(c: number): Found | undefined {
  const found = cache(c, INTEL_FORMS.cache);
  return found === undefined ? undefined : { ...found, text: 'an explicit write-back of the L3 cache' };
}

function amdCode(c: number): Found | undefined {
  if (c === 0) return { class: 'no-error', mnemonic: 'No Error', text: 'no error', fields: {} };
  const forms = AMD_FORMS;
  if (forms.tlb.has(c)) return tlb(c, forms.tlb);
  if (forms.memory.has(c)) return amdMemory(c);
  if (forms.internal.has(c)) return internalUnclassified({ UU: forms.internal.of('U', c) });
  if (forms.bus.has(c)) return bus(c, forms.bus);
  return undefined;
}

function intelCode(c: number): Mcacod | undefined {
  const simple = SIMPLE[c];
  if (simple !== undefined) {
    return { class: simple[0], mnemonic: simple[1], text: simple[2], fields: {}, filtered: false };
  }
  const found = unfiltered(c) === L3_WRITEBACK ? l3Writeback(c) : intelCompound(c);
  if (found !== undefined) return { ...found, filtered: FILTER.of('F', c) === 1 };
  return INTERNAL.has(c) ? { ...internalUnclassified({}), filtered: false } : undefined;
}

/** Names an error code (16 bits). AMD has no generic-cache and memory-controller forms; without a vendor Intel's table is used. */
export function decodeMcacod(code: number, vendor?: McaVendor): Mcacod {
  const c = code % 0x1_0000;
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
export function errorCodeOf(status: Bits): number {
  return Number(bitsOf(status, MCACOD));
}

/** An Intel code without its filter bit. */
export function unfiltered(code: number): number {
  return FILTER.of('F', code) === 1 ? code - FILTERED : code;
}

/** Whether an Intel code is an I/O error, filtered or not. */
export function isIoCode(code: number): boolean {
  return INTEL_FORMS.io.has(code);
}

/** Whether an Intel code is an error of memory: the memory controller's, or memory that serves as a cache. */
export function isMemoryCode(code: Pick<Mcacod, 'class'>): boolean {
  return code.class === 'memory-controller' || code.class === 'extended-memory';
}
