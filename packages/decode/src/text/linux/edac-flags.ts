/** @module The flag list of the kernel's AMD decoder (`MC0_STATUS[Over|UE|MiscV|…]`) turned back into bits. */
import { CPUID_1_EAX } from '../../mca/cpu.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import { MCI_STATUS_AMD } from '../../mca/registers.ts';
import type { TextNote } from '../item.ts';

const BITS = MCI_STATUS_AMD.masks;

/** Printed word → bit of MCi_STATUS. */
const FLAG_BITS: Readonly<Record<string, bigint>> = {
  Over: BITS.OVER,
  UE: BITS.UC,
  MiscV: BITS.MISCV,
  AddrV: BITS.ADDRV,
  PCC: BITS.PCC,
  TCC: BITS.TCC,
  SyndV: BITS.SYNDV,
  CECC: BITS.CECC,
  UECC: BITS.UECC,
  Deferred: BITS.DEFERRED,
  Poison: BITS.POISON,
  Scrub: BITS.SCRUB,
};

/** Bits that every version of the decoder prints, so that a missing word says that the bit is clear. */
const ALWAYS: readonly string[] = ['Over', 'UE', 'MiscV', 'AddrV', 'PCC'];

/** The bits the words say are set (`CE` and `-` say nothing), with VAL, which every printed record has. */
export function edacFlagBits(flags: string): bigint {
  let bits = BITS.VAL;
  for (const word of flags.split('|')) bits |= FLAG_BITS[word] ?? 0n;
  return bits;
}

/** Words that disagree with the status they stand beside, as `+Poison` (printed, bit clear) or `-Over` (bit set, not printed). */
export function edacFlagMismatch(flags: string, status: bigint): string[] {
  // Whoever showed the text to others lost what stands between the words.
  if (!flags.includes('|')) return [];
  const words = new Set(flags.split('|'));
  const wrong: string[] = [];
  for (const [word, bit] of Object.entries(FLAG_BITS)) {
    const set = (status & bit) !== 0n;
    if (words.has(word) && !set) wrong.push(`+${word}`);
    if (!words.has(word) && set && ALWAYS.includes(word)) wrong.push(`-${word}`);
  }
  if (words.has('CE') && (status & BITS.UC) !== 0n) wrong.push('+CE');
  return wrong;
}

/** The oldest AMD family whose banks are numbered by unit: its tables have what 0Fh to 16h share. */
const K8 = 0x0f;

/** Gives a record the family that the words around it prove, where nothing else says one; what is to be said of that. */
export function readAsFamily(record: X86McaRecord, family: number = K8): TextNote[] {
  record.vendor = 'amd';
  if (record.cpuid !== undefined) return [];
  record.cpuid = cpuidOf(family, 0, 0);
  const name = family.toString(16).toUpperCase().padStart(2, '0');
  const message = `the words of the text are those for old AMD families; it is read as family ${name}h, model and stepping are not known`;
  return [{ code: 'W_TEXT_FAMILY', message }];
}

/** CPUID leaf 1 EAX of a display family, model and stepping (APM vol. 3, CPUID Fn0000_0001_EAX). */
export function cpuidOf(family: number, model: number, stepping: number): bigint {
  const base = Math.min(family, 0xf);
  const extended = family - base;
  return CPUID_1_EAX.encode({
    EXT_FAMILY: BigInt(extended & 0xff),
    EXT_MODEL: BigInt(Math.floor(model / 16) % 16),
    FAMILY: BigInt(base),
    MODEL: BigInt(model % 16),
    STEPPING: BigInt(stepping % 16),
  });
}
