/** @module Which vendor's CPU a record of an unknown one comes from, as far as its values speak for one. */
import { MCI_STATUS_AMD_LEGACY } from './amd-registers.ts';
import type { McaDeciding } from './deciding.ts';
import { UMC_DRAM } from './component.ts';
import { softwareShapes } from './lint-shapes.ts';
import { decodeMcacod, errorCodeOf } from './mcacod.ts';
import type { McaVendor } from './record.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL, holdsError } from './registers.ts';
import { QEMU_SIGBUS } from './vmm-made.ts';

/** A reading that is likelier than the other, and why. */
interface LikelyVendor {
  readonly vendor: McaVendor;
  /** A clause. */
  readonly because: string;
  /** The record, read so. */
  readonly as: McaDeciding;
}

const NAMES: Readonly<Record<McaVendor, string>> = { intel: 'Intel', amd: 'AMD' };

/** Whether only QEMU makes such a record, for guests with CPUs of this vendor. Where no bank is named the record has bank 0. */
function isQemus(record: McaDeciding, vendor: McaVendor): boolean {
  const { bank } = QEMU_SIGBUS['intel-required'];
  const exact = softwareShapes({ ...record, vendor, bank: record.bank === 0 ? bank : record.bank }).map(
    shape => shape.code,
  );
  return exact.some(code => code.startsWith('L_MCA_QEMU_') && code !== 'L_MCA_QEMU_BROADCAST');
}

/** What one vendor defines, and the other would not set. */
interface Sign {
  readonly vendor: McaVendor;
  readonly when: (record: McaDeciding, code: number) => boolean;
  /** A clause. */
  readonly because: string;
  /** A CPU of the families that have it. */
  readonly cpuid?: bigint;
}

/** BKDG, NB MCA Status: bank of the northbridge, the codes of a DRAM ECC error (without and with chip kill). */
const NORTHBRIDGE = 4;
const DRAM_ECC: ReadonlySet<bigint> = new Set([0n, 8n]);
/** BUSLG_*_RD|WR_M without a timeout: the source or an observer. */
const NORTHBRIDGE_DRAM = new Set([0x0813, 0x0823, 0x0a13, 0x0a23, 0x0c13, 0x0c23]);
/** SDM vol. 3B, tables of architecturally defined SRAR and SRAO errors; the other codes of SRAO are Intel's alone. */
const REQUIRED = new Set([0x0134, 0x0150]);
const LLC_WRITEBACK = 0x017a;
const FAMILY_0FH = 0xf00n;

function isNorthbridgeDram({ bank, status }: McaDeciding, code: number): boolean {
  const { UC, UECC, CECC, XEC } = MCI_STATUS_AMD_LEGACY.read(status);
  // Of a lone value nobody knows the bank.
  if ((bank !== NORTHBRIDGE && bank !== 0) || !NORTHBRIDGE_DRAM.has(code) || !DRAM_ECC.has(XEC)) return false;
  return UECC === UC && CECC === !UC;
}

/** Sources: BKDG 26094 and 31116, NB MCA Status; PPR, MCA_STATUS and MCA_STATUS_UMC; SDM vol. 3B, IA32_MCi_STATUS MSRs. */
const SIGNS: readonly Sign[] = [
  {
    vendor: 'amd',
    when: isNorthbridgeDram,
    because:
      'the code is that of a DRAM error of AMD’s northbridge (families 0Fh to 16h), the bit of its ECC (UECC or CECC) fits, and what Intel would count there is its syndrome',
    cpuid: FAMILY_0FH,
  },
  {
    vendor: 'amd',
    when: ({ status }, code) => {
      const { SYNDV, UC, CECC, UECC, DEFERRED } = MCI_STATUS_AMD.read(status);
      return code === UMC_DRAM && SYNDV && (UC || DEFERRED ? !CECC : CECC && !UECC);
    },
    because:
      'AMD’s memory controllers (family 17h and later) report DRAM errors with code 0x011b, a syndrome (SYNDV) and the bits of their ECC; those of Intel have codes 0x0080 to 0x00ff',
  },
  {
    vendor: 'amd',
    when: ({ status }) => {
      const { UC, TCC, SYNDV, ERRCOREIDVAL } = MCI_STATUS_AMD.read(status);
      return UC && TCC && SYNDV && !ERRCOREIDVAL;
    },
    because:
      'AMD sets bits 55 and 53 (TCC, SYNDV) beside such an error; on Intel they are action required without signalled, and the status of a corrected count',
  },
  {
    vendor: 'intel',
    when: ({ status }, code) => {
      const { UC, PCC, S, AR, CEC, EN } = MCI_STATUS_INTEL.read(status);
      return UC && !PCC && EN && S && CEC === 0n && (AR ? REQUIRED.has(code) : code === LLC_WRITEBACK);
    },
    because: 'code and flags are those of one of Intel’s errors to recover from (SDM, SRAR and SRAO)',
  },
];

/**
 * The likelier vendor; undefined for a record that names its own, and where nothing speaks for one. It is never taken for
 * a fact.
 *
 * @example
 * likelyVendor(decidingOf({ kind: 'x86-mca', bank: 9, status: 0xbd80000000000134n })).vendor // 'intel'
 */
export function likelyVendor(record: McaDeciding): LikelyVendor | undefined {
  if (record.vendor !== undefined || !holdsError(record.status)) return undefined;
  const of = (vendor: McaVendor, because: string, cpuid = record.cpuid): LikelyVendor => ({
    vendor,
    because,
    as: { ...record, vendor, ...(cpuid === undefined ? {} : { cpuid }) },
  });
  const intel = isQemus(record, 'intel');
  if (intel !== isQemus(record, 'amd')) {
    const vendor = intel ? 'intel' : 'amd';
    return of(vendor, `it is the record that QEMU makes for an ${NAMES[vendor]} guest`);
  }
  const code = errorCodeOf(record.status);
  const known = (vendor: McaVendor): boolean => decodeMcacod(code, vendor).class !== 'unknown';
  if (known('intel') !== known('amd')) {
    const [vendor, other] = known('intel') ? (['intel', 'amd'] as const) : (['amd', 'intel'] as const);
    return of(vendor, `${NAMES[other]} has no error code 0x${code.toString(16).padStart(4, '0')}`);
  }
  const sign = SIGNS.find(each => each.when(record, code));
  return sign && of(sign.vendor, sign.because, record.cpuid ?? sign.cpuid);
}

/** What is said of the likelier vendor, a whole sentence. */
export function likelySentence({ vendor, because }: LikelyVendor): string {
  return `${NAMES[vendor]} is likelier: ${because}.`;
}
