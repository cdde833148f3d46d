/** Which processors QEMU's -cpu models say they are: what CPUID leaves 0 and 1 of a guest answer. */
import { type CpuModel, cpuSignature, vendorOfId } from '@syndrome/decode/mca/cpu.ts';

type Row = readonly [shape: RegExp, vendor: 'intel' | 'amd', family: number, model: number, stepping: number];

/**
 * By the beginning of the name; versions (`-v2`) and variants (`-IBRS`, `-noTSX`) are the same processor but for what has a row
 * of its own. Source: QEMU 11.1, query-cpu-model-expansion of every model; target/i386/cpu.c, builtin_x86_defs.
 */
const MODELS: readonly Row[] = [
  [/^Conroe/, 'intel', 6, 0x0f, 3],
  [/^core2duo/, 'intel', 6, 0x0f, 11],
  [/^coreduo/, 'intel', 6, 0x0e, 8],
  [/^Penryn/, 'intel', 6, 0x17, 3],
  [/^Nehalem/, 'intel', 6, 0x1a, 3],
  [/^Westmere/, 'intel', 6, 0x2c, 1],
  [/^SandyBridge/, 'intel', 6, 0x2a, 1],
  [/^IvyBridge/, 'intel', 6, 0x3a, 9],
  [/^Haswell-(noTSX|v[24]$)/, 'intel', 6, 0x3c, 1],
  [/^Haswell/, 'intel', 6, 0x3c, 4],
  [/^Broadwell/, 'intel', 6, 0x3d, 2],
  [/^Skylake-Client/, 'intel', 6, 0x5e, 3],
  [/^Skylake-Server/, 'intel', 6, 0x55, 4],
  [/^Cascadelake/, 'intel', 6, 0x55, 6],
  [/^Cooperlake/, 'intel', 6, 0x55, 10],
  [/^Icelake-Server-v[4-9]$/, 'intel', 6, 0x6a, 0],
  [/^Icelake-Server/, 'intel', 6, 0x86, 0],
  [/^SapphireRapids/, 'intel', 6, 0x8f, 4],
  [/^GraniteRapids(-v1)?$/, 'intel', 6, 0xad, 0],
  [/^GraniteRapids/, 'intel', 6, 0xad, 1],
  [/^SierraForest(-v1)?$/, 'intel', 6, 0xaf, 0],
  [/^SierraForest/, 'intel', 6, 0xaf, 3],
  [/^ClearwaterForest/, 'intel', 6, 0xdd, 0],
  [/^DiamondRapids/, 'intel', 0x13, 0x01, 0],
  [/^Snowridge/, 'intel', 6, 0x86, 1],
  [/^Denverton/, 'intel', 6, 0x5f, 1],
  [/^KnightsMill/, 'intel', 6, 0x85, 0],
  [/^kvm64/, 'intel', 0x0f, 0x06, 1],
  [/^qemu64/, 'amd', 0x0f, 0x6b, 1],
  [/^athlon/, 'amd', 6, 0x02, 3],
  [/^phenom/, 'amd', 0x10, 0x02, 3],
  [/^Opteron_G[12]/, 'amd', 0x0f, 0x06, 1],
  [/^Opteron_G3/, 'amd', 0x10, 0x02, 3],
  [/^Opteron_G4/, 'amd', 0x15, 0x01, 2],
  [/^Opteron_G5/, 'amd', 0x15, 0x02, 0],
  [/^EPYC-Rome/, 'amd', 0x17, 0x31, 0],
  [/^EPYC-Milan/, 'amd', 0x19, 0x01, 1],
  [/^EPYC-Genoa/, 'amd', 0x19, 0x11, 0],
  [/^EPYC-Turin/, 'amd', 0x1a, 0x00, 0],
  [/^EPYC(-v\d+|-IBPB)?$/, 'amd', 0x17, 0x01, 2],
];

/** A property of a -cpu option; the last one counts. */
function property(cpu: string, name: string): string | undefined {
  return [...cpu.matchAll(/,([^,=]+)=([^,]*)/g)].findLast(([, key]) => key === name)?.[2];
}

const rowOf = (cpu: string): Row | undefined => MODELS.find(([shape]) => shape.test(cpu.split(',')[0] ?? ''));

/**
 * Vendor a guest reads from its CPU. Under KVM a model takes the vendor of the CPU that runs it, unless `vendor=` is given.
 * @param host vendor of the CPU under KVM; `tcg` where the model itself decides
 * @returns undefined when it cannot be told
 */
export function cpuVendor(cpu: string, host: 'intel' | 'amd' | 'tcg' | undefined): 'intel' | 'amd' | undefined {
  const stated = property(cpu, 'vendor');
  if (stated !== undefined) return vendorOfId(stated);
  return host === 'tcg' ? rowOf(cpu)?.[1] : host;
}

/**
 * CPUID leaf 1 EAX that a guest reads: of the model, or as `family=`, `model=` and `stepping=` say.
 * @returns undefined for a model that is not known, such as `host`
 * @example cpuSignatureOf('SandyBridge,model=45') // 0x206d1n: SandyBridge-EP
 */
export function cpuSignatureOf(cpu: string): bigint | undefined {
  const [, , family, model, stepping] = rowOf(cpu) ?? [];
  const stated = (name: keyof CpuModel, known: number | undefined): number | undefined => {
    const text = property(cpu, name);
    return text === undefined ? known : /^(0x[0-9a-f]{1,3}|\d{1,3})$/i.test(text) ? Number(text) : undefined;
  };
  const [f, m, s] = [stated('family', family), stated('model', model), stated('stepping', stepping)];
  return f === undefined || m === undefined || s === undefined
    ? undefined
    : cpuSignature({ family: f, model: m, stepping: s });
}
