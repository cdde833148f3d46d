/** @module Family, model and stepping out of a CPUID signature. */
import { lowHalf } from '../registers/field.ts';
import { bits, defineRegister, wordField } from '../registers/register.ts';
import type { McaVendor } from './record.ts';

/** CPUID leaf 1, EAX. */
export const CPUID_1_EAX = defineRegister({
  name: 'CPUID.1:EAX',
  width: 32,
  source: 'SDM vol. 2A, CPUID; APM vol. 3, CPUID Fn0000_0001_EAX',
  fields: [
    bits(27, 20, 'EXT_FAMILY', 'extended family'),
    bits(19, 16, 'EXT_MODEL', 'extended model'),
    bits(13, 12, 'TYPE', 'processor type'),
    bits(11, 8, 'FAMILY', 'base family'),
    bits(7, 4, 'MODEL', 'base model'),
    bits(3, 0, 'STEPPING', 'stepping'),
  ],
});

const familyOf = wordField(CPUID_1_EAX, 'FAMILY');
const extendedFamilyOf = wordField(CPUID_1_EAX, 'EXT_FAMILY');
const modelOf = wordField(CPUID_1_EAX, 'MODEL');
const extendedModelOf = wordField(CPUID_1_EAX, 'EXT_MODEL');
const steppingOf = wordField(CPUID_1_EAX, 'STEPPING');

export interface CpuModel {
  family: number;
  model: number;
  stepping: number;
}

/**
 * Display family and model of a CPUID signature. The extended family counts when the base family is 0xf; the extended
 * model when the base family is 6 or 0xf (SDM), which is all AMD has.
 */
export function cpuModel(signature: bigint): CpuModel {
  const eax = lowHalf(signature);
  const base = familyOf(eax);
  const extended = base === 0x6 || base === 0xf ? 16 * extendedModelOf(eax) : 0;
  return {
    family: base === 0xf ? base + extendedFamilyOf(eax) : base,
    model: extended + modelOf(eax),
    stepping: steppingOf(eax),
  };
}

/**
 * The CPUID signature of a CPU: {@link cpuModel} the other way round.
 * @example cpuSignature({ family: 6, model: 0x55, stepping: 4 }) // 0x50654n
 */
export function cpuSignature({ family, model, stepping }: CpuModel): bigint {
  const base = Math.min(family, 0xf);
  return CPUID_1_EAX.encode({
    EXT_FAMILY: BigInt(family - base),
    EXT_MODEL: base === 0x6 || base === 0xf ? BigInt(Math.trunc(model / 16)) : 0n,
    FAMILY: BigInt(base),
    MODEL: BigInt(model % 16),
    STEPPING: BigInt(stepping),
  });
}

/** The CPU of a record; undefined without a signature (0 is what software writes that does not know it). */
export function cpuOf(record: { readonly cpuid?: bigint | undefined }): CpuModel | undefined {
  return record.cpuid === undefined || record.cpuid === 0n ? undefined : cpuModel(record.cpuid);
}

/** Families of one vendor only; 0Fh (Pentium 4, K8) and 12h (Llano, and an Intel family of 2025) are used by both. */
const INTEL_FAMILIES: ReadonlySet<number> = new Set([0x06, 0x13]);
const AMD_FAMILIES: ReadonlySet<number> = new Set([0x10, 0x11, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a]);

/** The vendor that a CPUID signature settles (Hygon, 18h, follows AMD); undefined for families that both or neither use. */
export function vendorOfCpu(signature: bigint): McaVendor | undefined {
  const { family } = cpuModel(signature);
  if (INTEL_FAMILIES.has(family)) return 'intel';
  return AMD_FAMILIES.has(family) ? 'amd' : undefined;
}

/** Vendor strings of CPUID leaf 0. Hygon's CPUs are no AMD ones to software, and have no rules of their own here. */
const VENDOR_IDS: ReadonlyMap<string, McaVendor> = new Map([
  ['GenuineIntel', 'intel'],
  ['AuthenticAMD', 'amd'],
]);

/** The vendor of a CPUID vendor string; undefined for any other. */
export function vendorOfId(id: string): McaVendor | undefined {
  return VENDOR_IDS.get(id);
}

/** `06_55H`: how the SDM writes a family and model. */
export function signatureName(cpu: CpuModel): string {
  const hex = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');
  return `${hex(cpu.family)}_${hex(cpu.model)}H`;
}
