/**
 * @module What of a machine check decides what is said about it. One table says which bits of which register do; the
 * argument of every rule and the key by which answers are found again are both made of it. Rules get what is read back
 * out of the key and nothing else, so that one which looks at more does not compile, and no bit can be forgotten.
 */
import type { Bits } from '../registers/asked.ts';
import { fieldOf, highHalf, lowHalf, maskOf } from '../registers/field.ts';
import { MCA_MISC0 } from './amd-registers.ts';
import { isIoCode } from './mcacod.ts';
import type { McaVendor, X86McaRecord } from './record.ts';
import { MAX_PHYSICAL_BITS, MCI_MISC, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import { UMC_CHIP_SELECT } from './smca-banks.ts';

/** Which bits of a register decide. Of the same bits there may be several masks, one for each way to read them. */
interface Mask {
  readonly high: number;
  readonly low: number;
  /** Whether it also decides that some other bit is set; the highest bit, which is not among `bits` then, says so. */
  readonly rest: boolean;
}

const ALL = maskOf(63, 0);
const REST_HIGH = 0x8000_0000;

function mask(bits: bigint, rest = false): Mask {
  return { high: highHalf(bits), low: lowHalf(bits), rest };
}

const WHOLE = mask(ALL);
/** The status says that the register is not valid: the lint names what is in it. */
const STRAY = mask(ALL);

/** One register: its mask by vendor and the halves of the status, and what rules see of the bits that are left. */
interface Part<T> {
  readonly mask: (vendor: McaVendor | undefined, high: number, low: number) => Mask;
  readonly read: (bits: bigint, mask: Mask) => T;
}

/** MCi_ADDR. Which page it is decides nothing. */
export interface AddressShape {
  /** Bits 63:52, which no physical address has: AMD keeps the granularity there, other bits make it none. */
  readonly high: bigint;
  /** The value where ADDRV is clear. */
  readonly stray?: bigint;
}

/** MCi_MISC. Where in the memory it points (Intel) and how far a counter got (AMD) decides nothing. */
export interface MiscShape {
  /** Bits 8:6 and 5:0. */
  readonly MODE: bigint;
  readonly LSB: bigint;
  /** Whether there is anything above. */
  readonly more: boolean;
  /** The value where MISCV is clear. */
  readonly stray?: bigint;
  /** The value of an I/O error of Intel: the address of the root port. */
  readonly rootPort?: bigint;
  /** Bits that are reserved in AMD's counter register. */
  readonly reserved?: bigint;
}

/** MCA_SYND. The syndrome itself decides nothing. */
interface SyndromeShape {
  /** Whether it is not 0. */
  readonly some: boolean;
  /** Bits 2:0: the chip select, in the record of a memory controller. */
  readonly chipSelect: bigint;
  /** The value where SYNDV is clear (AMD). */
  readonly stray?: bigint;
}

const whole: Part<bigint> = { mask: () => WHOLE, read: bits => bits };

const MCACOD = lowHalf(MCI_STATUS_INTEL.masks.MCACOD);
const ADDRV = highHalf(MCI_STATUS_INTEL.masks.ADDRV);
const MISCV = highHalf(MCI_STATUS_INTEL.masks.MISCV);
const SYNDV = highHalf(MCI_STATUS_AMD.masks.SYNDV);

const ADDRESS = mask(maskOf(63, MAX_PHYSICAL_BITS));
/** Bits of the status that say how the other registers are read. */
export const STATUS_READS =
  MCI_STATUS_INTEL.masks.MCACOD |
  MCI_STATUS_INTEL.masks.ADDRV |
  MCI_STATUS_INTEL.masks.MISCV |
  MCI_STATUS_AMD.masks.SYNDV;

const GRANULARITY = MCI_MISC.masks.MODE | MCI_MISC.masks.LSB;
const ADDRESS_KIND = mask(GRANULARITY, true);
const RESERVED = MCA_MISC0.read(ALL).reserved;
const COUNTER = mask(RESERVED | GRANULARITY, true);
const ROOT_PORT = mask(ALL);
const CHIP_SELECT = mask(UMC_CHIP_SELECT, true);
const NONZERO = mask(0n, true);
const PRESENT = mask(0n);
/** Requested privilege level of a code segment. */
const PRIVILEGE = mask(3n);

/**
 * The registers that decide, by member of the record. What is not here decides nothing: CPU, time, socket, APIC id,
 * PPIN and instruction pointer. Those that count whole come first, the status before all.
 */
export const MCA_DECIDING = {
  status: whole,
  mcgStatus: whole,
  mcgCap: whole,
  cpuid: whole,
  ipid: whole,
  unit: whole,
  config: whole,
  destat: whole,
  synd1: whole,
  synd2: whole,
  microcode: whole,
  addr: {
    mask: (_vendor, high) => ((high & ADDRV) === 0 ? STRAY : ADDRESS),
    read: (bits, m): AddressShape => ({
      high: fieldOf(bits, 63, MAX_PHYSICAL_BITS),
      ...(m === STRAY ? { stray: bits } : {}),
    }),
  },
  misc: {
    mask: (vendor, high, low) => {
      if ((high & MISCV) === 0) return STRAY;
      if (vendor === 'amd') return COUNTER;
      return vendor === 'intel' && isIoCode(low & MCACOD) ? ROOT_PORT : ADDRESS_KIND;
    },
    read: (bits, m): MiscShape => {
      const { MODE, LSB } = MCI_MISC.read(bits);
      return {
        MODE,
        LSB,
        more: (bits & ~GRANULARITY) !== 0n,
        ...(m === STRAY ? { stray: bits } : {}),
        ...(m === ROOT_PORT ? { rootPort: bits } : {}),
        ...(m === COUNTER ? { reserved: bits & RESERVED } : {}),
      };
    },
  },
  synd: {
    mask: (vendor, high) => (vendor !== 'amd' ? NONZERO : (high & SYNDV) === 0 ? STRAY : CHIP_SELECT),
    read: (bits, m): SyndromeShape => ({
      some: bits !== 0n,
      chipSelect: bits & UMC_CHIP_SELECT,
      ...(m === STRAY ? { stray: bits } : {}),
    }),
  },
  /** Only whether it is there. */
  deaddr: { mask: () => PRESENT, read: () => true },
  /** Only whether it is 0: how the record was found is told by it. */
  tsc: { mask: () => NONZERO, read: bits => bits !== 0n },
  cs: { mask: () => PRIVILEGE, read: (bits): 'user' | 'kernel' => (bits === 3n ? 'user' : 'kernel') },
} as const satisfies Readonly<Partial<Record<keyof X86McaRecord, Part<unknown>>>>;

type Table = typeof MCA_DECIDING;
type Member = keyof Table;

/**
 * A machine check as rules see it: vendor, bank and what {@link MCA_DECIDING} leaves of its registers. Made by
 * {@link decidingOf}; members that the record does not have are missing.
 * @typeParam Status `AskedBits` of rules of which it is to be known what of the status they look at
 */
export type McaDeciding<Status extends Bits = bigint> = Readonly<Pick<X86McaRecord, 'bank'>> & {
  readonly status: Status;
  readonly vendor?: McaVendor | undefined;
} & { readonly [K in Exclude<Member, 'status'>]?: ReturnType<Table[K]['read']> | undefined };

const MEMBERS = Object.keys(MCA_DECIDING) as Member[];
const PARTS: readonly Part<unknown>[] = Object.values(MCA_DECIDING);
const WHOLES = PARTS.lastIndexOf(whole) + 1;
/** Words of a key: presence and vendor, the bank, then the registers. */
const FIRST = 2;
const WORDS = FIRST + MEMBERS.length;
const VENDORS = [undefined, 'intel', 'amd'] as const;

/** Which half of a word stands first depends on the byte order of the machine. */
const LOW = new Uint32Array(new BigUint64Array([1n]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

/** What decides, packed: records with the same key get the same answers, because rules see only what is in it. */
export class McaKey {
  readonly #words = new BigUint64Array(WORDS);
  readonly #halves = new Uint32Array(this.#words.buffer);
  readonly #numbers = new Float64Array(this.#words.buffer);

  /** Takes the place of what was packed before. */
  pack(record: X86McaRecord): void {
    const words = this.#words;
    const halves = this.#halves;
    let present = 0;
    for (let i = 0; i < MEMBERS.length; i++) {
      const value = record[MEMBERS[i] as Member];
      if (value === undefined) words[FIRST + i] = 0n;
      else {
        words[FIRST + i] = value;
        present |= 1 << i;
      }
    }
    const { vendor } = record;
    const high = halves[2 * FIRST + HIGH] as number;
    const low = halves[2 * FIRST + LOW] as number;
    for (let i = WHOLES; i < PARTS.length; i++) {
      if ((present & (1 << i)) === 0) continue;
      const { high: h, low: l, rest } = (PARTS[i] as Part<unknown>).mask(vendor, high, low);
      const at = 2 * (FIRST + i);
      const a = halves[at + HIGH] as number;
      const b = halves[at + LOW] as number;
      const more = rest && ((a & ~h) | (b & ~l)) !== 0;
      halves[at + HIGH] = (a & h) | (more ? REST_HIGH : 0);
      halves[at + LOW] = b & l;
    }
    this.#numbers[1] = record.bank;
    halves[LOW] = present;
    halves[HIGH] = vendor === undefined ? 0 : vendor === 'intel' ? 1 : 2;
  }

  /** Of the status only these bits count, for answers that nothing else of it decided; they hold {@link STATUS_READS}. */
  onlyStatus(bits: bigint, { status }: X86McaRecord): void {
    this.#words[FIRST] = status & bits;
  }

  /** What rules see of the packed record. */
  read(): McaDeciding {
    const words = this.#words;
    const halves = this.#halves;
    const vendor = VENDORS[halves[HIGH] as number];
    const out: Record<string, unknown> = { bank: this.#numbers[1] };
    if (vendor !== undefined) out['vendor'] = vendor;
    const high = halves[2 * FIRST + HIGH] as number;
    const low = halves[2 * FIRST + LOW] as number;
    const present = halves[LOW] as number;
    for (let i = 0; i < MEMBERS.length; i++) {
      if ((present & (1 << i)) === 0) continue;
      const part = PARTS[i] as Part<unknown>;
      out[MEMBERS[i] as Member] = part.read(words[FIRST + i] as bigint, part.mask(vendor, high, low));
    }
    return out as McaDeciding;
  }

  /** A copy of the key, for {@link equals}. */
  copy(): Uint32Array {
    return this.#halves.slice();
  }

  /** Whether a copy is that of the packed record. */
  equals(copy: Uint32Array): boolean {
    const halves = this.#halves;
    let i = 0;
    while (i < halves.length && copy[i] === halves[i]) i++;
    return i === halves.length;
  }

  /** A hash of the key, 32 bits. */
  hash(): number {
    return this.hashWith(this.hashOfRest());
  }

  /** A hash of all but the status: for {@link hashWith}, where the same key is looked for with several parts of the status. */
  hashOfRest(): number {
    const halves = this.#halves;
    let h = 0;
    for (let i = 0; i < 2 * FIRST; i++) h = mixed(h, halves[i] as number);
    for (let i = 2 * FIRST + 2; i < halves.length; i++) h = mixed(h, halves[i] as number);
    return h;
  }

  /** The hash of the key, of that of all but the status. */
  hashWith(rest: number): number {
    const halves = this.#halves;
    const h = mixed(mixed(rest, halves[2 * FIRST] as number), halves[2 * FIRST + 1] as number);
    return (h ^ (h >>> 16)) >>> 0;
  }
}

const mixed = (h: number, half: number): number => Math.imul(h ^ half, 0x9e37_79b1) ^ (h >>> 15);

/**
 * What rules see of a record.
 *
 * @example
 * decidingOf({ kind: 'x86-mca', bank: 1, status: 0xbd80000000000134n, addr: 0x1234000n }).addr.high // 0n
 */
export function decidingOf(record: X86McaRecord): McaDeciding {
  const key = new McaKey();
  key.pack(record);
  return key.read();
}
