/**
 * @module The registers of a processor context by name. Sources: UEFI 2.10 N.2.4.2, IA32/X64 Processor Context Information, and
 * N.2.4.4.2, ARM Processor Context Information; SDM vol. 1, 10.5 for the FXSAVE area, vol. 4 for MSRs.
 */
import { bit, bits, defineRegister } from '../registers/register.ts';
import { SMCA_END, SMCA_FIRST } from '../mca/smca-msr.ts';
import type { CperArmContext, CperX86Context } from './record.ts';
import type { NamedRegister } from './tabled.ts';

/** Names in their order, all of one size. */
interface Bank {
  readonly size: 2 | 4 | 8;
  readonly names: readonly string[];
}

const list = (names: string): string[] => names.split(' ');

const ARM: Readonly<Record<number, Bank>> = {
  0: { size: 4, names: [...Array.from({ length: 13 }, (_, i) => `R${i}`), 'SP', 'LR', 'PC'] },
  1: {
    size: 4,
    names: list(
      'DFAR DFSR IFAR ISR MAIR0 MAIR1 MIDR MPIDR NMRR PRRR SCTLR SPSR SPSR_abt SPSR_fiq SPSR_irq SPSR_svc SPSR_und TPIDRPRW TPIDRURO TPIDRURW TTBCR TTBR0 TTBR1 DACR',
    ),
  },
  2: {
    size: 4,
    names: list(
      'ELR_hyp HAMAIR0 HAMAIR1 HCR HCR2 HDFAR HIFAR HPFAR HSR HTCR HTPIDR HTTBR SPSR_hyp VTCR VTTBR DACR32_EL2',
    ),
  },
  3: { size: 4, names: list('SCTLR_S SPSR_mon') },
  4: { size: 8, names: [...Array.from({ length: 31 }, (_, i) => `X${i}`), 'SP'] },
  5: {
    size: 8,
    names: list(
      'ELR_EL1 ESR_EL1 FAR_EL1 ISR_EL1 MAIR_EL1 MIDR_EL1 MPIDR_EL1 SCTLR_EL1 SP_EL0 SP_EL1 SPSR_EL1 TCR_EL1 TPIDR_EL0 TPIDR_EL1 TPIDRRO_EL0 TTBR0_EL1 TTBR1_EL1',
    ),
  },
  6: {
    size: 8,
    names: list(
      'ELR_EL2 ESR_EL2 FAR_EL2 HACR_EL2 HCR_EL2 HPFAR_EL2 MAIR_EL2 SCTLR_EL2 SP_EL2 SPSR_EL2 TCR_EL2 TPIDR_EL2 TTBR0_EL2 VTCR_EL2 VTTBR_EL2',
    ),
  },
  7: {
    size: 8,
    names: list('ELR_EL3 ESR_EL3 FAR_EL3 MAIR_EL3 SCTLR_EL3 SP_EL3 SPSR_EL3 TCR_EL3 TPIDR_EL3 TTBR0_EL3'),
  },
};
const ARM_SYSTEM_REGISTER = 8;
/** An encoding of two bytes and the value. */
const ARM_SYSTEM_ENTRY = 10;

type Slot = readonly [name: string, at: number, size: 1 | 2 | 4 | 8];

/** Slots of one size that follow each other. */
const run = (size: Slot[2], at: number, names: readonly string[]): Slot[] =>
  names.map((name, i) => [name, at + size * i, size] as const);

const IA32: readonly Slot[] = [
  ...run(4, 0, list('EAX EBX ECX EDX ESI EDI EBP ESP')),
  ...run(2, 32, list('CS DS SS ES FS GS')),
  ...run(4, 44, list('EFLAGS EIP CR0 CR1 CR2 CR3 CR4')),
  ...run(8, 72, list('GDTR IDTR')),
  ...run(2, 88, list('LDTR TR')),
];
const X64: readonly Slot[] = [
  ...run(8, 0, list('RAX RBX RCX RDX RSI RDI RBP RSP R8 R9 R10 R11 R12 R13 R14 R15')),
  ...run(2, 128, list('CS DS SS ES FS GS')),
  ...run(8, 144, list('RFLAGS RIP CR0 CR1 CR2 CR3 CR4 CR8')),
  // 16 bytes each, of which UEFI does not say where limit and base stand.
  ...run(8, 208, list('GDTR[63:0] GDTR[127:64] IDTR[63:0] IDTR[127:64]')),
  ...run(2, 240, list('LDTR TR')),
];
const FXSAVE: readonly Slot[] = [
  ...run(2, 0, list('FCW FSW')),
  ['FTW', 4, 1],
  ['FOP', 6, 2],
  ...run(8, 8, list('FIP FDP')),
  ...run(4, 24, list('MXCSR MXCSR_MASK')),
];
const X86: Readonly<Record<number, readonly Slot[]>> = { 2: IA32, 3: X64, 4: FXSAVE };
const MSR_CONTEXT = 1;
const MEMORY_MAPPED = 7;

/** MSRs of machine checks and of what stands beside them. SDM vol. 4; APM vol. 2, appendix A. */
const MSRS: Readonly<Record<number, string>> = {
  0x17: 'IA32_PLATFORM_ID',
  0x1b: 'IA32_APIC_BASE',
  0x8b: 'IA32_BIOS_SIGN_ID',
  0x179: 'IA32_MCG_CAP',
  0x17a: 'IA32_MCG_STATUS',
  0x17b: 'IA32_MCG_CTL',
  0x4d0: 'IA32_MCG_EXT_CTL',
};
const MC_BANK = list('CTL STATUS ADDR MISC');
const MC_FIRST = 0x400;
const MC_END = 0x480;
const CTL2_FIRST = 0x280;
const CTL2_END = 0x2a0;
const SMCA_BANK = list('CTL STATUS ADDR MISC0 CONFIG IPID SYND - DESTAT DEADDR MISC1 MISC2 MISC3 MISC4 SYND1 SYND2');

/** `IA32_MC7_STATUS`, `MCA_STATUS[7]`, or `MSR_0x…` for one that has no name here. */
export function msrName(address: number): string {
  const known = MSRS[address];
  if (known !== undefined) return known;
  if (address >= MC_FIRST && address < MC_END) {
    return `IA32_MC${Math.floor((address - MC_FIRST) / 4)}_${MC_BANK[address % 4] ?? ''}`;
  }
  if (address >= CTL2_FIRST && address < CTL2_END) return `IA32_MC${address - CTL2_FIRST}_CTL2`;
  const name = SMCA_BANK[address % 16] ?? '-';
  if (address >= SMCA_FIRST && address < SMCA_END && name !== '-') {
    return `MCA_${name}[${Math.floor((address - SMCA_FIRST) / 16)}]`;
  }
  return `MSR_0x${address.toString(16)}`;
}

const viewOf = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength);

function read(view: DataView, at: number, size: Slot[2]): bigint {
  if (size === 8) return view.getBigUint64(at, true);
  if (size === 4) return BigInt(view.getUint32(at, true));
  return BigInt(size === 2 ? view.getUint16(at, true) : view.getUint8(at));
}

const inSlots = (data: Uint8Array, slots: readonly Slot[]): NamedRegister[] =>
  slots
    .filter(([, at, size]) => at + size <= data.length)
    .map(([name, at, size]) => ({ name, value: read(viewOf(data), at, size) }));

const MRS_ENCODING = defineRegister({
  name: 'MRS encoding',
  width: 16,
  source: 'UEFI 2.10 N.2.4.4.2, miscellaneous system register structure',
  fields: [bit(14, 'O0'), bits(13, 11, 'OP1'), bits(10, 7, 'CRN'), bits(6, 3, 'CRM'), bits(2, 0, 'OP2')],
});

/** How MRS names a register that has no name in a table: `S3_0_C5_C3_1`. Arm ARM, C5.1.2. */
function systemRegister(encoding: number): string {
  const { O0, OP1, CRN, CRM, OP2 } = MRS_ENCODING.read(BigInt(encoding));
  return `S${O0 ? 3 : 2}_${OP1}_C${CRN}_C${CRM}_${OP2}`;
}

/** The registers of an Arm context; empty for one of a type that is not specified. */
export function armContextRegisters({ type, data }: CperArmContext): NamedRegister[] {
  const bank = ARM[type ?? -1];
  if (bank !== undefined) return inSlots(data, run(bank.size, 0, bank.names));
  if (type !== ARM_SYSTEM_REGISTER) return [];
  const view = viewOf(data);
  return Array.from({ length: Math.floor(data.length / ARM_SYSTEM_ENTRY) }, (_, i) => ({
    name: systemRegister(view.getUint16(ARM_SYSTEM_ENTRY * i, true)),
    value: view.getBigUint64(ARM_SYSTEM_ENTRY * i + 2, true),
  }));
}

/** The registers of an x86 context; empty for one of which UEFI gives no layout. */
export function x86ContextRegisters({ type, data, msrAddress, mmAddress }: CperX86Context): NamedRegister[] {
  const slots = X86[type ?? -1];
  if (slots !== undefined) return inSlots(data, slots);
  if (type !== MSR_CONTEXT && type !== MEMORY_MAPPED) return [];
  const view = viewOf(data);
  return Array.from({ length: Math.floor(data.length / 8) }, (_, i) => ({
    name:
      type === MSR_CONTEXT
        ? msrName((msrAddress ?? 0) + i)
        : `MMIO_0x${((mmAddress ?? 0n) + BigInt(8 * i)).toString(16)}`,
    value: view.getBigUint64(8 * i, true),
  }));
}
