/** @module The architectural error code, MCi_STATUS[15:0]. Source: SDM vol. 3B 16.9; APM vol. 2, 9.3.3 for AMD. */
import type { McaVendor } from './record.ts';

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
}

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
  0x0e0b: ['io', 'I/O Error', 'a generic I/O error'],
};

const TT = ['I', 'D', 'G', undefined] as const;
const TT_TEXT: Readonly<Record<string, string>> = { I: 'instruction', D: 'data', G: 'generic' };
const LL = ['L0', 'L1', 'L2', 'LG'] as const;
const RRRR = ['ERR', 'RD', 'WR', 'DRD', 'DWR', 'IRD', 'PREFETCH', 'EVICT', 'SNOOP'] as const;
const RRRR_TEXT: Readonly<Record<string, string>> = {
  ERR: 'a generic request',
  RD: 'a read',
  WR: 'a write',
  DRD: 'a data read',
  DWR: 'a data write',
  IRD: 'an instruction fetch',
  PREFETCH: 'a prefetch',
  EVICT: 'an eviction',
  SNOOP: 'a snoop',
};
const MMM = ['GEN', 'RD', 'WR', 'AC', 'MS'] as const;
const MMM_TEXT: Readonly<Record<string, string>> = {
  GEN: 'a generic memory request',
  RD: 'a memory read',
  WR: 'a memory write',
  AC: 'a memory address or command transfer',
  MS: 'memory scrubbing',
};
const PP = ['SRC', 'RES', 'OBS', ''] as const;
const II = ['M', undefined, 'IO', ''] as const;

function level(code: number): string {
  const ll = LL[code & 3] ?? 'LG';
  return ll === 'LG' ? 'any level' : `level ${ll.slice(1)}`;
}

function memory(code: number, cls: McacodClass, filtered: boolean): Mcacod | undefined {
  const mmm = MMM[(code >> 4) & 7];
  if (mmm === undefined) return undefined;
  const channel = code & 0xf;
  const where = cls === 'extended-memory' ? ' of memory used as a cache' : '';
  const base = { class: cls, filtered, mnemonic: `${mmm}_CHANNEL${channel === 15 ? 'unspecified' : channel}_ERR` };
  const text = `an error of ${MMM_TEXT[mmm]}${where}${channel === 15 ? '' : ` on channel ${channel}`}`;
  return channel === 15 ? { ...base, text } : { ...base, text, channel };
}

function compound(code: number, intel: boolean): Mcacod | undefined {
  const filtered = intel && (code & 0x1000) !== 0;
  const c = intel ? code & ~0x1000 : code;
  const tt = TT[(c >> 2) & 3];
  const ll = LL[c & 3] ?? 'LG';
  const rrrr = RRRR[(c >> 4) & 0xf];
  if (intel && (c & 0xfffc) === 0x000c) {
    return {
      class: 'generic-cache-hierarchy',
      mnemonic: `Generic Cache Hierarchy ${ll}`,
      text: `a generic cache hierarchy error (${level(c)})`,
      filtered,
    };
  }
  if ((c & 0xfff0) === 0x0010 && tt !== undefined) {
    return { class: 'tlb', mnemonic: `${tt}TLB${ll}_ERR`, text: `a ${TT_TEXT[tt]} TLB error (${level(c)})`, filtered };
  }
  if (intel && (c & 0xff80) === 0x0080) return memory(c, 'memory-controller', filtered);
  if (intel && (c & 0xff80) === 0x0280) return memory(c, 'extended-memory', filtered);
  if ((c & 0xff00) === 0x0100 && tt !== undefined && rrrr !== undefined) {
    return {
      class: 'cache-hierarchy',
      mnemonic: `${tt}CACHE${ll}_${rrrr}_ERR`,
      text: `a ${TT_TEXT[tt]} cache error (${level(c)}) on ${RRRR_TEXT[rrrr]}`,
      filtered,
    };
  }
  if ((c & 0xf800) === 0x0800) {
    const ii = II[(c >> 2) & 3];
    if (ii === undefined || rrrr === undefined) return undefined;
    const pp = PP[(c >> 9) & 3] ?? '';
    const timeout = (c & 0x0100) !== 0;
    const parts = [`BUS${ll}`, pp, rrrr, ii, timeout ? 'TIMEOUT' : 'NOTIMEOUT', 'ERR'].filter(p => p !== '');
    const what = ii === 'IO' ? 'an I/O access' : ii === 'M' ? 'a memory access' : 'another access';
    return {
      class: 'bus-interconnect',
      mnemonic: parts.join('_'),
      text: `a bus or interconnect error on ${RRRR_TEXT[rrrr]} of ${what}${timeout ? ', request timed out' : ''}`,
      filtered,
    };
  }
  return undefined;
}

/** Names an error code (16 bits). AMD has no generic-cache and memory-controller forms; without a vendor Intel's table is used. */
export function decodeMcacod(code: number, vendor?: McaVendor): Mcacod {
  const c = code & 0xffff;
  const intel = vendor !== 'amd';
  const simple = SIMPLE[c];
  if (simple !== undefined && (intel || c === 0)) {
    return { class: simple[0], mnemonic: simple[1], text: simple[2], filtered: false };
  }
  const found = compound(c, intel);
  if (found !== undefined) return found;
  if ((c & 0xfc00) === 0x0400) {
    return {
      class: 'internal-unclassified',
      mnemonic: 'Internal Unclassified',
      text: 'an internal unclassified error',
      filtered: false,
    };
  }
  const hex = `0x${c.toString(16).padStart(4, '0')}`;
  return {
    class: 'unknown',
    mnemonic: `unknown (${hex})`,
    text: `an error with the unknown code ${hex}`,
    filtered: false,
  };
}
