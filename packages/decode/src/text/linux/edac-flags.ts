/** @module The flag list of the kernel's AMD decoder (`MC0_STATUS[Over|UE|MiscV|…]`) turned back into bits. */

/** Printed word → MCi_STATUS bit. APM vol. 2, Machine-Check Status Registers; PPR, MCA_STATUS. */
const FLAG_BITS: Readonly<Record<string, number>> = {
  Over: 62,
  UE: 61,
  MiscV: 59,
  AddrV: 58,
  PCC: 57,
  TCC: 55,
  SyndV: 53,
  CECC: 46,
  UECC: 45,
  Deferred: 44,
  Poison: 43,
  Scrub: 40,
};

/** Bits that every version of the decoder prints, so that a missing word says that the bit is clear. */
const ALWAYS: readonly string[] = ['Over', 'UE', 'MiscV', 'AddrV', 'PCC'];

/** The bits the words say are set (`CE` and `-` say nothing), with VAL, which every printed record has. */
export function edacFlagBits(flags: string): bigint {
  let bits = 1n << 63n;
  for (const word of flags.split('|')) {
    const position = FLAG_BITS[word];
    if (position !== undefined) bits |= 1n << BigInt(position);
  }
  return bits;
}

/** Words that disagree with the status they stand beside, as `+Poison` (printed, bit clear) or `-Over` (bit set, not printed). */
export function edacFlagMismatch(flags: string, status: bigint): string[] {
  const words = new Set(flags.split('|'));
  const wrong: string[] = [];
  for (const [word, position] of Object.entries(FLAG_BITS)) {
    const set = ((status >> BigInt(position)) & 1n) === 1n;
    if (words.has(word) && !set) wrong.push(`+${word}`);
    if (!words.has(word) && set && ALWAYS.includes(word)) wrong.push(`-${word}`);
  }
  if (words.has('CE') && ((status >> 61n) & 1n) === 1n) wrong.push('+CE');
  return wrong;
}

/** CPUID leaf 1 EAX of a display family, model and stepping (APM vol. 3, CPUID Fn0000_0001_EAX). */
export function cpuidOf(family: number, model: number, stepping: number): bigint {
  const base = Math.min(family, 0xf);
  const extended = family - base;
  return BigInt(
    ((extended & 0xff) << 20) | (((model >> 4) & 0xf) << 16) | (base << 8) | ((model & 0xf) << 4) | (stepping & 0xf),
  );
}
