/**
 * @module Machine checks that are no fault of the machine that logs them: values that errata leave in a bank, which kernels
 * drop, and records of virtual CPUs. Sources: Linux arch/x86/kernel/cpu/mce/intel.c intel_filter_mce(), amd.c
 * amd_filter_mce(); AMD BKDG of families 0Fh and 10h, NB MCA Status; QEMU target/i386/cpu.c, ucode_rev.
 */
import { hasBits } from '../registers/asked.ts';
import type { Bits } from '../registers/asked.ts';
import { MCA_IPID, MCI_STATUS_AMD_LEGACY } from './amd-registers.ts';
import { cpuOf } from './cpu.ts';
import type { CpuModel } from './cpu.ts';
import type { McaDeciding } from './deciding.ts';
import type { McaVendor } from './record.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL, holdsError } from './registers.ts';
import { smcaBank } from './smca-banks.ts';

/** Versions of Linux, both ends included. */
type Versions = readonly { readonly from: string; readonly to?: string }[];

/** What the rules look at: all of it counts whole ({@link McaDeciding}), so that a record of its own has the same answer. */
type Told<Status extends Bits> = Pick<McaDeciding<Status>, 'vendor' | 'bank' | 'status' | 'cpuid' | 'ipid'>;

interface Bogus {
  readonly vendor: McaVendor;
  readonly of: (cpu: CpuModel) => boolean;
  readonly when: (record: Told<Bits>, cpu: CpuModel) => boolean;
  /** Whose it is, as the end of a sentence. */
  readonly note: string;
  /** Which Linux drops it. */
  readonly dropped: (cpu: CpuModel) => Versions;
}

/** Haswell, Broadwell and Skylake-SP: a corrected internal parity error of bank 0 with MSCOD 000fh. */
const SKYLAKE_SP = 0x55;
const SPURIOUS_PARITY = new Set([0x3c, 0x3d, 0x45, 0x46, SKYLAKE_SP]);
const PARITY_MASK =
  MCI_STATUS_INTEL.masks.VAL | MCI_STATUS_INTEL.masks.UC | MCI_STATUS_INTEL.masks.MSCOD | MCI_STATUS_INTEL.masks.MCACOD;
const PARITY = MCI_STATUS_INTEL.encode({ VAL: true, MSCOD: 0xfn, MCACOD: 0x5n });
/** PPR of family 17h: bank type of the instruction fetch unit, and its code for several hits in the branch target buffer. */
const BTB_MULTIMATCH = 10n;
/** BKDG: bank of the northbridge, and the extended code of an error in the GART's table walk. */
const NORTHBRIDGE = 4;
const GART = 5n;

const BOGUS: readonly Bogus[] = [
  {
    vendor: 'intel',
    of: ({ family, model }) => family === 6 && SPURIOUS_PARITY.has(model),
    when: ({ bank, status }) => bank === 0 && hasBits(status, PARITY_MASK, PARITY),
    note: 'the processor logs corrected parity errors that did not happen (Intel errata HSD131, HSM142, HSW131, BDM48 and SKX37); newer kernels drop them',
    dropped: ({ model }) => [{ from: model === SKYLAKE_SP ? '5.16' : '5.7' }],
  },
  {
    vendor: 'amd',
    of: ({ family, model, stepping }) => family === 0x19 && model === 0x50 && stepping === 0,
    when: ({ status }) => !MCI_STATUS_AMD.read(status).EN,
    note: 'banks of Cezanne A0 hold left-over values with EN clear; Linux drops them since 0422b07bc4c2',
    dropped: () => [{ from: '6.19.13', to: '6.19.999' }, { from: '7.0' }],
  },
  {
    vendor: 'amd',
    of: ({ family, model }) => family === 0x17 && model >= 0x10 && model <= 0x2f,
    when: ({ status, ipid }, cpu) =>
      ipid !== undefined &&
      MCA_IPID.read(ipid).HWID !== 0n &&
      smcaBank(ipid, cpu)?.id === 'IF' &&
      MCI_STATUS_AMD.read(status).XEC === BTB_MULTIMATCH,
    note: 'the instruction fetch unit logs a multi-match of its branch target buffer that did not happen (AMD erratum 1114); Linux drops it since 5.2',
    dropped: () => [{ from: '5.2' }],
  },
  {
    vendor: 'amd',
    of: ({ family }) => family === 0x0f || family === 0x10,
    when: ({ bank, status }) => bank === NORTHBRIDGE && MCI_STATUS_AMD_LEGACY.read(status).XEC === GART,
    note: 'a walk of the GART met an entry that is not valid: the graphics driver or the IOMMU code causes it, no part failed; kernels switch its report off',
    dropped: () => [{ from: '5.8' }],
  },
];

/**
 * Why a record is none that a fault of the hardware made, and which Linux drops it; undefined for all others.
 * @param of whose CPU it is, where more is known than the record says
 */
export function bogusOf(record: Told<Bits>, of = record.vendor): { note: string; dropped: Versions } | undefined {
  const cpu = cpuOf(record);
  if (cpu === undefined || !holdsError(record.status)) return undefined;
  const row = BOGUS.find(each => each.vendor === of && each.of(cpu) && each.when(record, cpu));
  return row && { note: row.note, dropped: row.dropped(cpu) };
}

/** Why a record is none that a fault of the hardware made; undefined for all others. */
export const bogusNote = (record: Told<bigint>): string | undefined => bogusOf(record)?.note;

/** What a hypervisor shows in place of the revision of the microcode, and which one it is where that is known. */
const HIDDEN: readonly { revision: bigint; vendor?: McaVendor; who: string }[] = [
  { revision: 0xffff_ffffn, who: 'a hypervisor (Hyper-V, so WSL2 and Azure too, and others hide the revision so)' },
  { revision: 0x1n, vendor: 'intel', who: 'QEMU' },
  { revision: 0x0100_0065n, vendor: 'amd', who: 'QEMU' },
];

/** Who made the CPU of the record, where the microcode revision says that it is a virtual one. */
export function virtualCpu({ microcode, vendor }: McaDeciding): string | undefined {
  if (microcode === undefined) return undefined;
  return HIDDEN.find(row => row.revision === microcode && (row.vendor === undefined || row.vendor === vendor))?.who;
}
