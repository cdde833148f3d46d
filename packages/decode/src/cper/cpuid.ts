/** @module The CPUID block of an IA32/X64 section: leaf 1, each register in eight bytes. Sources: UEFI 2.10 N.2.4.2; SDM vol. 2A, CPUID. */
import { CPUID_1_EAX, cpuModel } from '../mca/cpu.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { NamedRegister } from './tabled.ts';
import { hex } from './tabled.ts';

const source = 'SDM vol. 2A, CPUID; APM vol. 3, CPUID Fn0000_0001';

const CPUID_1_EBX = defineRegister({
  name: 'CPUID.1:EBX',
  width: 32,
  source,
  fields: [
    bits(31, 24, 'INITIAL_APIC_ID', 'initial APIC id'),
    bits(23, 16, 'LOGICAL_PROCESSORS', 'addressable ids of logical processors in the package'),
    bits(15, 8, 'CLFLUSH', 'cache line in 8 bytes'),
    bits(7, 0, 'BRAND', 'brand index'),
  ],
});
/** Of the features those that matter to machine checks. */
const CPUID_1_ECX = defineRegister({
  name: 'CPUID.1:ECX',
  width: 32,
  source,
  fields: [bit(31, 'HYPERVISOR', 'under a hypervisor'), bits(30, 0, 'FEATURES', 'other features')],
});
const CPUID_1_EDX = defineRegister({
  name: 'CPUID.1:EDX',
  width: 32,
  source,
  fields: [
    bits(31, 15, 'FEATURES_HIGH', 'other features'),
    bit(14, 'MCA', 'machine check architecture'),
    bits(13, 8, 'FEATURES', 'other features'),
    bit(7, 'MCE', 'machine check exception'),
    bits(6, 0, 'FEATURES_LOW', 'other features'),
  ],
});

const REGISTERS = [
  ['CPUID.1:EAX', CPUID_1_EAX],
  ['CPUID.1:EBX', CPUID_1_EBX],
  ['CPUID.1:ECX', CPUID_1_ECX],
  ['CPUID.1:EDX', CPUID_1_EDX],
] as const;

/** The registers of the block; none where it is missing or all zero. */
export function cpuidRegisters(cpuid: Uint8Array | undefined): NamedRegister[] {
  if (cpuid === undefined || cpuid.length < 8 * REGISTERS.length || cpuid.every(b => b === 0)) return [];
  const view = new DataView(cpuid.buffer, cpuid.byteOffset, cpuid.byteLength);
  return REGISTERS.map(([name, table], i) => ({ name, value: BigInt(view.getUint32(8 * i, true)), table }));
}

/** Which processor the block says it was, and whether a hypervisor made it. */
export function cpuidWords(cpuid: Uint8Array | undefined): string[] {
  const [eax, , ecx] = cpuidRegisters(cpuid);
  if (eax === undefined || ecx === undefined || eax.value === 0n) return [];
  const { family, model, stepping } = cpuModel(eax.value);
  const virtual = CPUID_1_ECX.read(ecx.value).HYPERVISOR ? ', which a hypervisor made for its guest' : '';
  return [`CPUID ${hex(eax.value)}: family ${hex(family)}, model ${hex(model)}, stepping ${stepping}${virtual}.`];
}
