/**
 * @module What of a machine check decides all that is said about it except its CPU, its address and its plain registers:
 * packed into words, so that records which say the same are found with a few comparisons.
 */
import { decodeMcacod } from '../mca/mcacod.ts';
import type { X86McaRecord } from '../mca/record.ts';

/** Registers that count whole. */
const WHOLE = [
  'status',
  'mcgStatus',
  'cpuid',
  'mcgCap',
  'ipid',
  'config',
  'destat',
  'deaddr',
  'synd1',
  'synd2',
] as const satisfies readonly (keyof X86McaRecord)[];

/** Words of a packed record: the first holds vendor, bank and presence, then `addr`, `misc`, `synd`, then the others. */
const WORDS = 4 + WHOLE.length;

const ADDRV = 1 << 26;
const MISCV = 1 << 27;
const SYNDV = 1 << 21;
const VENDOR = { intel: 1, amd: 2 } as const;

/** One packed record; `halves` are the same words as two numbers each. */
export class Deciding {
  readonly words = new BigUint64Array(WORDS);
  readonly halves = new Uint32Array(this.words.buffer);

  /** Packs a record. Two records with the same words differ in nothing that the rules of mca and outlook look at. */
  pack(record: X86McaRecord): void {
    const { words, halves } = this;
    const { vendor, addr, misc, synd, tsc, cs } = record;
    let present = 0;
    for (let i = 0; i < WHOLE.length; i++) {
      const value = record[WHOLE[i] as (typeof WHOLE)[number]];
      if (value === undefined) words[4 + i] = 0n;
      else {
        words[4 + i] = value;
        present |= 1 << i;
      }
    }
    const flags = halves[2 * 4 + HIGH] as number;
    words[1] = addr ?? 0n;
    words[2] = misc ?? 0n;
    words[3] = synd ?? 0n;
    if (addr !== undefined) {
      present |= 1 << 16;
      // Without ADDRV the lint names the value; with it only whether the address is wider than any physical one matters,
      // and the granularity that AMD keeps in the top byte.
      if ((flags & ADDRV) !== 0) {
        const high = halves[2 + HIGH] as number;
        halves[2 + LOW] = 0;
        halves[2 + HIGH] =
          vendor === 'amd'
            ? (high & 0xff00_0000) | ((high & 0x00f0_0000) === 0 ? 0 : 1)
            : (high & 0xfff0_0000) === 0
              ? 0
              : 1;
      }
    }
    if (misc !== undefined) {
      present |= 1 << 17;
      if ((flags & MISCV) !== 0) this.#misc(record);
    }
    if (synd !== undefined) {
      present |= 1 << 18;
      if (vendor === 'amd' && (flags & SYNDV) !== 0) this.#synd();
    }
    // The outlook takes the way of arrival from a time stamp of 0, and what the CPU was doing from the privilege level.
    if (tsc === 0n) present |= 1 << 22;
    if (cs !== undefined) present |= (cs & 3n) === 3n ? 3 << 23 : 1 << 23;
    halves[LOW] = present | ((vendor === undefined ? 0 : VENDOR[vendor]) << 20);
    halves[HIGH] = record.bank;
  }

  /** MISCV is set: place (Intel) and counter (AMD) change from record to record, and only the field table shows them. */
  #misc({ vendor, status }: X86McaRecord): void {
    const { halves } = this;
    const high = halves[4 + HIGH] as number;
    const low = halves[4 + LOW] as number;
    if (vendor === 'intel') {
      // Of an I/O error it is the address of the root port.
      if (decodeMcacod(Number(status & 0xffffn), 'intel').class === 'io') return;
      halves[4 + HIGH] = 0;
      halves[4 + LOW] = (low & 0x1ff) | (high === 0 && low <= 0x1ff ? 0 : 0x200);
    } else if (vendor === 'amd') {
      halves[4 + HIGH] = (high & 0xffff_f000) | ((high & 0xfff) === 0 ? 0 : 1);
    }
  }

  /** SYNDV is set: what counts is the chip select, and whether there is a value. */
  #synd(): void {
    const { halves } = this;
    const low = halves[6 + LOW] as number;
    const some = (low | (halves[6 + HIGH] as number)) !== 0 ? 8 : 0;
    halves[6 + HIGH] = 0;
    halves[6 + LOW] = (low & 7) | some;
  }

  /** Whether `halves` are those of the packed record. */
  equals(halves: Uint32Array): boolean {
    let i = 0;
    while (i < halves.length && halves[i] === this.halves[i]) i++;
    return i === this.halves.length;
  }

  /** A hash of the words. */
  hash(): number {
    const { halves } = this;
    let h = 0;
    for (let i = 0; i < halves.length; i++) h = Math.imul(h ^ (halves[i] as number), 0x9e37_79b1) ^ (h >>> 15);
    return (h ^ (h >>> 16)) >>> 0;
  }
}

/** Which half of a word stands first depends on the byte order of the machine. */
const LOW = new Uint32Array(new BigUint64Array([1n]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;
