/**
 * @module Machine check banks in the MSR contexts of an IA32/X64 section. Sources: SDM vol. 3B, Error-Reporting
 * Register Banks (bank MSRs from 400H, four a bank); PPR, MCA registers (SMCA MSRs from C000_2000H, sixteen a bank).
 */
import type { X86McaRecord } from '../mca/record.ts';
import { MCA_DESTAT } from '../mca/amd-registers.ts';
import { vendorOfCpu } from '../mca/cpu.ts';
import { SMCA_END, SMCA_FIRST } from '../mca/smca-msr.ts';
import type { CperX86Context, CperX86Processor } from './record.ts';

/** What firmware can tell of a bank. */
type CperMcaBank = Pick<
  X86McaRecord,
  | 'kind'
  | 'bank'
  | 'status'
  | 'mcgStatus'
  | 'mcgCap'
  | 'addr'
  | 'misc'
  | 'synd'
  | 'synd1'
  | 'synd2'
  | 'ipid'
  | 'config'
  | 'destat'
  | 'deaddr'
  | 'cpuid'
  | 'apicId'
> & { vendor?: 'intel' | 'amd' };

const MSR_CONTEXT = 1;
const MCG_CAP = 0x179;
const MCG_STATUS = 0x17a;
const LEGACY = 0x400;
/** 32 banks of four; what follows (0x480) are the VMX capability MSRs. */
const LEGACY_END = 0x480;

type Register = Exclude<keyof CperMcaBank, 'kind' | 'vendor' | 'bank' | 'mcgStatus' | 'mcgCap' | 'cpuid' | 'apicId'>;
const LEGACY_REGISTERS: readonly (Register | undefined)[] = [undefined, 'status', 'addr', 'misc'];
/** CTL, STATUS, ADDR, MISC0, CONFIG, IPID, SYND, -, DESTAT, DEADDR, MISC1 to MISC4, SYND1, SYND2. */
const SMCA_REGISTERS: readonly (Register | undefined)[] = [
  undefined,
  'status',
  'addr',
  'misc',
  'config',
  'ipid',
  'synd',
  undefined,
  'destat',
  'deaddr',
  ...Array.from({ length: 4 }, () => undefined),
  'synd1',
  'synd2',
];

const { VAL } = MCA_DESTAT.masks;

function* msrs(context: CperX86Context): Generator<[address: number, value: bigint]> {
  const { data } = context;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let i = 0; 8 * i + 8 <= data.length; i++) yield [(context.msrAddress ?? 0) + i, view.getBigUint64(8 * i, true)];
}

/**
 * The machine check banks of a section that hold an error, in the order they are met: MSR contexts that cover bank
 * registers, of either numbering. Registers outside the contexts are missing. The status is 0 where the only error is a
 * deferred one in MCA_DESTAT.
 */
export function mcaBanksOf(section: CperX86Processor): CperMcaBank[] {
  const eax =
    section.cpuid === undefined
      ? undefined
      : BigInt(new DataView(section.cpuid.buffer, section.cpuid.byteOffset).getUint32(0, true));
  const common: Partial<CperMcaBank> = {};
  if (eax !== undefined) common.cpuid = eax;
  if (section.apicId !== undefined) common.apicId = section.apicId;
  const banks = new Map<string, { smca: boolean; bank: number; registers: Partial<Record<Register, bigint>> }>();
  for (const context of section.contexts) {
    if (context.type !== MSR_CONTEXT) continue;
    for (const [address, value] of msrs(context)) {
      if (address === MCG_CAP) common.mcgCap = value;
      if (address === MCG_STATUS) common.mcgStatus = value;
      const smca = address >= SMCA_FIRST && address < SMCA_END;
      if (!smca && (address < LEGACY || address >= LEGACY_END)) continue;
      const bank = smca
        ? Math.floor((address - SMCA_FIRST) / SMCA_REGISTERS.length)
        : Math.floor((address - LEGACY) / LEGACY_REGISTERS.length);
      const register = smca
        ? SMCA_REGISTERS[address % SMCA_REGISTERS.length]
        : LEGACY_REGISTERS[address % LEGACY_REGISTERS.length];
      const key = `${smca ? 's' : 'l'}${bank}`;
      let entry = banks.get(key);
      if (entry === undefined) banks.set(key, (entry = { smca, bank, registers: {} }));
      if (register !== undefined) entry.registers[register] = value;
    }
  }
  const out: CperMcaBank[] = [];
  for (const { smca, bank, registers } of banks.values()) {
    const { status = 0n, ...rest } = registers;
    if (status === 0n && ((rest.destat ?? 0n) & VAL) === 0n) continue;
    const vendor = smca ? 'amd' : eax === undefined ? undefined : vendorOfCpu(eax);
    out.push({ kind: 'x86-mca', ...(vendor === undefined ? {} : { vendor }), bank, status, ...rest, ...common });
  }
  return out;
}
