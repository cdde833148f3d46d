/**
 * @module Every finding the lint of machine checks can make: a stable code, how serious it is, one line for a list, the
 * place in the manual, and the long text behind `--explain`.
 */

import type { FindingCode } from '../registers/finding.ts';
import type * as finding from '../registers/finding.ts';

const SDM_STATUS = 'SDM vol. 3B, IA32_MCi_STATUS MSRs';
const SDM_UCR = 'SDM vol. 3B, UCR Error Reporting and Logging';
const SDM_CLASSES = 'SDM vol. 3B, UCR Error Classification';
const SDM_ARCH_UCR = 'SDM vol. 3B, Architecturally Defined UCR Errors';
const APM_STATUS = 'APM vol. 2, Machine-Check Status Registers';
const PPR_STATUS = 'PPR, MCA_STATUS';
const QEMU = 'QEMU target/i386/kvm, kvm_mce_inject()';

export const LINT_CODES = {
  // The record as a whole.
  L_MCA_EMPTY: {
    severity: 'info',
    title: 'the bank is empty',
    section: SDM_STATUS,
    explanation:
      'MCi_STATUS is 0: no error is logged in this bank. Such records come from software that dumps all banks, or from a decoder that split one record into two.',
  },
  L_MCA_VAL_CLEAR: {
    severity: 'error',
    title: 'VAL is clear but other bits are set',
    section: SDM_STATUS,
    explanation:
      'Without VAL the other bits of MCi_STATUS have no meaning, and nothing is decoded from them. The value was mistyped, truncated, shifted, or read while the bank was being written.',
  },
  L_MCA_VENDOR_UNKNOWN: {
    severity: 'info',
    title: 'the CPU vendor is not known',
    section: 'SDM vol. 3B, IA32_MCi_STATUS MSRs; APM vol. 2, Machine-Check Status Registers',
    explanation:
      'Intel and AMD give different meanings to bits 56 to 16 of MCi_STATUS. Only what both read the same way was checked. The PROCESSOR line of a kernel log (0 Intel, 2 AMD, 9 Hygon) or the CPUID vendor settles it.',
  },
  L_MCA_RESERVED_BITS: {
    severity: 'warning',
    title: 'reserved bits are set',
    section: "the register's own table",
    explanation:
      'Bits are set that the manuals at hand do not define. Either the CPU is newer than the tables, or the value was made by software or damaged on its way.',
  },
  L_MCA_BANK_OUT_OF_RANGE: {
    severity: 'error',
    title: 'the CPU has no such bank',
    section: 'SDM vol. 3B, IA32_MCG_CAP MSR, Count',
    explanation:
      'The bank number is not below the count in MCG_CAP[7:0]. No hardware can have written this record; QEMU refuses to inject it ("Invalid MCE bank number").',
  },
  L_MCA_VENDOR_MIX: {
    severity: 'warning',
    title: 'AMD registers in an Intel record',
    section: PPR_STATUS,
    explanation:
      'MCA_IPID, MCA_SYND and MCA_CONFIG exist on AMD only. The vendor of the record is wrong, or two records were mixed.',
  },
  L_MCA_VENDOR_CPUID: {
    severity: 'warning',
    title: 'no CPU of this vendor has this CPUID signature',
    section: 'SDM vol. 2A, CPUID; APM vol. 3, CPUID Fn0000_0001_EAX',
    explanation:
      'The family in CPUID leaf 1 belongs to the other vendor. The record is read as its vendor reads it; if that was given by hand (--vendor), one of the two is wrong, and with the other vendor the status has another meaning.',
  },
  // Address and MISC.
  L_MCA_REGISTER_MISSING: {
    severity: 'info',
    title: 'the status calls registers valid that the input does not have',
    section: SDM_STATUS,
    explanation:
      'MCi_ADDR, MCi_MISC or MCA_SYND was recorded, and the input does not give it: a lone status has none, and logs leave out what is 0. Without the address no page can be taken out of use; on Intel MCi_MISC says what kind of address it is; with MCA_SYND the chip select would be known.',
  },
  L_MCA_ADDR_WIDTH: {
    severity: 'error',
    title: 'the address has more bits than any physical address',
    section: 'SDM vol. 1, CPUID leaf 80000008H, MAXPHYADDR; APM vol. 2, Long-Mode Page Translation',
    explanation:
      'Physical addresses have at most 52 bits. The value was mistyped or shifted, or it is a virtual address.',
  },
  L_MCA_ADDR_NOT_VALID: {
    severity: 'warning',
    title: 'there is an address but ADDRV is clear',
    section: SDM_STATUS,
    explanation:
      'MCi_ADDR is not valid while ADDRV is clear; what is in it is left over from something else. Nobody may act on it.',
  },
  L_MCA_MISC_NOT_VALID: {
    severity: 'info',
    title: 'there is an MCi_MISC but MISCV is clear',
    section: SDM_STATUS,
    explanation: 'MCi_MISC is not valid while MISCV is clear; it is shown and not used.',
  },
  L_MCA_MISC_MODE_RESERVED: {
    severity: 'warning',
    title: 'reserved address mode in MCi_MISC',
    section: 'SDM vol. 3B, IA32_MCi_MISC MSRs',
    explanation:
      'The address modes are 0 segment offset, 1 linear, 2 physical, 3 memory and 7 generic; 4 to 6 are reserved. The address cannot be interpreted. Model-specific banks may use these bits for something else.',
  },
  // Intel: recovery classes.
  L_MCA_PCC_WITHOUT_UC: {
    severity: 'error',
    title: 'PCC is set but UC is clear',
    section: SDM_STATUS,
    explanation:
      'A corrected error cannot leave the processor context corrupt. Kernels differ: Linux panics on PCC whatever UC says.',
  },
  L_MCA_AR_WITHOUT_S: {
    severity: 'error',
    title: 'AR is set but S is clear',
    section: SDM_CLASSES,
    explanation:
      'The class table has UCNA (S=0 AR=0), SRAO (S=1 AR=0) and SRAR (S=1 AR=1). Action cannot be required for an error that was not signalled by a machine check. Linux calls it an illegal combination and panics.',
  },
  L_MCA_PCC_WITH_S_AR: {
    severity: 'info',
    title: 'S or AR have no meaning beside PCC',
    section: SDM_CLASSES,
    explanation:
      'With PCC the error is fatal, whatever S and AR say. Some decoders still print "SRAR" for such a record; do not believe it.',
  },
  L_MCA_S_AR_WITHOUT_UC: {
    severity: 'warning',
    title: 'S or AR are set in a corrected error',
    section: SDM_CLASSES,
    explanation:
      'S and AR classify uncorrected errors. In a corrected one they have no meaning, and no hardware is known to set them.',
  },
  L_MCA_S_WITHOUT_EN: {
    severity: 'error',
    title: 'S is set but EN is clear',
    section: SDM_UCR,
    explanation:
      'S says that a machine check exception was raised for this error, which needs the error to be enabled (EN). An exception handler skips records without EN.',
  },
  L_MCA_UC_WITHOUT_EN: {
    severity: 'warning',
    title: 'uncorrected but EN is clear',
    section: SDM_STATUS,
    explanation:
      'The error was logged while its reporting was disabled in MCi_CTL. In the exception handler Linux clears such a record and does nothing else; the poller logs it. QEMU makes such records for the other CPUs of a broadcast.',
  },
  L_MCA_S_AR_WITHOUT_SER_P: {
    severity: 'warning',
    title: 'S or AR are set but the CPU has no software error recovery',
    section: 'SDM vol. 3B, IA32_MCG_CAP MSR, MCG_SER_P',
    explanation:
      'Without MCG_CAP.SER_P bits 56 and 55 are model-specific. The record was made for another CPU, or MCG_CAP is wrong.',
  },
  L_MCA_UCR_WITHOUT_ADDRESS: {
    severity: 'warning',
    title: 'action optional or required, but ADDRV or MISCV are clear',
    section: SDM_ARCH_UCR,
    explanation:
      'The architectural SRAO and SRAR errors set ADDRV and MISCV: recovery needs the page. Without them a kernel can only panic or ignore the record.',
  },
  L_MCA_UCR_ADDRESS_MODE: {
    severity: 'warning',
    title: 'action optional or required, but the address is not a physical one',
    section: SDM_ARCH_UCR,
    explanation:
      'The architectural SRAO and SRAR errors give a physical address (MCi_MISC[8:6] = 2). Kernels do not take another kind of address for a page.',
  },
  L_MCA_SRAR_CODE: {
    severity: 'warning',
    title: 'action required with a code that is not an architectural SRAR code',
    section: SDM_ARCH_UCR,
    explanation:
      'The architecture defines SRAR for data loads (0x0134) and instruction fetches (0x0150) only. Linux panics on any other ("Action required: unknown MCACOD").',
  },
  L_MCA_SRAO_CODE: {
    severity: 'info',
    title: 'action optional with a code that is not an architectural SRAO code',
    section: SDM_ARCH_UCR,
    explanation:
      'The architecture defines SRAO for memory scrubbing (0x00c0 to 0x00cf) and last level cache write-back (0x017a). Linux logs any other and takes no page away.',
  },
  L_MCA_SRAR_OVER: {
    severity: 'warning',
    title: 'action required, and another error was lost',
    section: 'SDM vol. 3B, UCR Error Overwrite Rules',
    explanation:
      'OVER with SRAR means that the record of another error is gone, perhaps a fatal one: recovery is not safe. Linux panics ("Action required with lost events").',
  },
  // Intel: fields that depend on MCG_CAP, counts, codes.
  L_MCA_OVER: {
    severity: 'info',
    title: 'at least one other error was lost',
    section: 'SDM vol. 3B, Overwrite Rules for Machine Check Overflow; APM vol. 2, Machine-Check Status Registers',
    explanation:
      'The bank already held an error when another one came. An uncorrected error replaces a corrected one, not the reverse; between errors of one kind the registers may belong to the first or to the last.',
  },
  L_MCA_COUNT_WITHOUT_CMCI_P: {
    severity: 'info',
    title: 'a corrected error count on a CPU that does not count',
    section: SDM_STATUS,
    explanation:
      'Bits 52 to 38 are a corrected error count only with MCG_CAP.CMCI_P. Without it they are model-specific, and no count is taken from them.',
  },
  L_MCA_COUNT_WITH_UC: {
    severity: 'info',
    title: 'a corrected error count in an uncorrected error',
    section: SDM_STATUS,
    explanation:
      'The bank counted corrected errors before the uncorrected one took the register. The count is about those, not about this error.',
  },
  L_MCA_COUNT_OVERFLOW: {
    severity: 'info',
    title: 'the corrected error count overflowed',
    section: SDM_STATUS,
    explanation: 'Bit 52 is sticky: there were more corrected errors than the counter holds.',
  },
  L_MCA_TES_WITHOUT_TES_P: {
    severity: 'info',
    title: 'threshold status on a CPU that has none',
    section: SDM_STATUS,
    explanation:
      'Bits 54 and 53 are green and yellow only with MCG_CAP.TES_P. Without it they are model-specific and mean nothing here.',
  },
  L_MCA_TES_RESERVED: {
    severity: 'warning',
    title: 'reserved threshold status',
    section: 'SDM vol. 3B, Enhanced Cache Error Reporting',
    explanation: 'The threshold status is 0 no tracking, 1 green or 2 yellow; 3 is reserved.',
  },
  L_MCA_TES_WITH_UC: {
    severity: 'info',
    title: 'threshold status in an uncorrected error',
    section: 'SDM vol. 3B, Enhanced Cache Error Reporting',
    explanation: 'Green and yellow grade the number of corrected errors; they have no meaning when UC is set.',
  },
  L_MCA_FILTER_WITH_UC: {
    severity: 'warning',
    title: 'correction report filtering in an uncorrected error',
    section: 'SDM vol. 3B, Correction Report Filtering (F) Bit',
    explanation:
      'Bit 12 of MCACOD says that further corrections of this entry may not be reported. Uncorrected errors are always reported; the architectural SRAO and SRAR codes have the bit clear.',
  },
  L_MCA_CODE_RESERVED: {
    severity: 'warning',
    title: 'reserved error code',
    section: 'SDM vol. 3B, Interpreting the MCA Error Codes; APM vol. 2, Machine-Check Status Registers',
    explanation:
      'MCi_STATUS[15:0] is in none of the published forms, or uses a reserved value inside one. The value was made by software, or is newer than the tables.',
  },
  L_MCA_MSCOD_UNKNOWN: {
    severity: 'info',
    title: 'model-specific code without a public meaning',
    section: 'SDM vol. 3B, Interpreting Machine-Check Error Codes',
    explanation:
      'The unit that reports is known from the CPU model and the bank; its published table does not have these bits. They are shown as they are.',
  },
  L_MCA_NO_CODE: {
    severity: 'info',
    title: 'a valid record without an error code',
    section: 'SDM vol. 3B, Simple Error Codes',
    explanation:
      'MCACOD 0 says that no error was reported, yet the record is valid. AMD banks and injectors do so; Intel hardware names its errors.',
  },
  L_MCA_BARE_STATUS: {
    severity: 'warning',
    title: 'flags and nothing else',
    section: 'SDM vol. 3B, Interpreting the MCA Error Codes',
    explanation:
      'The status has no error code, no model-specific code, no count and no address. Hardware names what failed; a record made of flags alone comes from an injector or a test recipe.',
  },
  // MCG_STATUS.
  L_MCA_S_WITHOUT_MCIP: {
    severity: 'warning',
    title: 'signalled by an exception, but MCG_STATUS.MCIP is clear',
    section: 'SDM vol. 3B, IA32_MCG_STATUS MSR',
    explanation:
      'S says that the error raised a machine check exception, which sets MCIP. Linux panics in that state ("MCIP not set in MCA handler"). Injecting with an MCG_STATUS of 0 is the usual cause.',
  },
  L_MCA_NO_IP: {
    severity: 'warning',
    title: 'neither RIPV nor EIPV is set during a machine check',
    section: 'SDM vol. 3B, IA32_MCG_STATUS MSR',
    explanation:
      'The saved instruction pointer is neither where the error was nor where one can go on: no recovery is possible. Linux panics ("Neither restart nor error IP").',
  },
  L_MCA_LMCE_WITHOUT_LMCE_P: {
    severity: 'warning',
    title: 'local machine check on a CPU that has none',
    section: 'SDM vol. 3B, Enabling Local Machine Check',
    explanation:
      'MCG_STATUS.LMCE is set, MCG_CAP.LMCE_P is clear. The monitor command of QEMU can do this; hardware cannot. Linux believes the flag and skips its rendezvous.',
  },
  // AMD.
  L_MCA_DEFERRED_WITH_POISON: {
    severity: 'error',
    title: 'DEFERRED and POISON are both set',
    section: PPR_STATUS,
    explanation:
      'Deferred says that nobody has used the bad data, poison that somebody tried to. Hardware reports two records: deferred by the memory controller, later poison by the load-store unit. QEMU sets both on purpose, so that the guest takes the address for a usable one.',
  },
  L_MCA_DEFERRED_WITH_UC: {
    severity: 'error',
    title: 'DEFERRED and UC are both set',
    section: APM_STATUS,
    explanation: 'A deferred error is one that does not need an exception: UC is clear in its record.',
  },
  L_MCA_DEFERRED_WITH_PCC: {
    severity: 'error',
    title: 'DEFERRED and PCC are both set',
    section: APM_STATUS,
    explanation: 'A deferred error leaves the processor context alone. Linux looks at PCC first and panics.',
  },
  L_MCA_TCC_WITHOUT_UC: {
    severity: 'error',
    title: 'TCC is set but UC is clear',
    section: PPR_STATUS,
    explanation:
      'Task context corrupt says that the interrupted task cannot go on; a corrected or deferred error does not do that.',
  },
  L_MCA_POISON_WITHOUT_UC: {
    severity: 'warning',
    title: 'POISON is set in an error that is not uncorrected',
    section: PPR_STATUS,
    explanation:
      'Consuming poison is an uncorrected error. With UC clear and DEFERRED clear the record is contradictory or was made by software.',
  },
  L_MCA_CECC_AND_UECC: {
    severity: 'error',
    title: 'CECC and UECC are both set',
    section: APM_STATUS,
    explanation: 'One error is either correctable by ECC or not.',
  },
  L_MCA_CECC_WITH_UC: {
    severity: 'warning',
    title: 'CECC is set in an uncorrected error',
    section: APM_STATUS,
    explanation: 'CECC says that ECC corrected the error, UC that it was not corrected.',
  },
  L_MCA_UECC_WITHOUT_UC: {
    severity: 'warning',
    title: 'UECC is set in an error that is neither uncorrected nor deferred',
    section: APM_STATUS,
    explanation: 'An error that ECC could not correct is reported as uncorrected or deferred.',
  },
  L_MCA_SYND_NOT_VALID: {
    severity: 'info',
    title: 'there is an MCA_SYND but SYNDV is clear',
    section: PPR_STATUS,
    explanation: 'MCA_SYND is not valid while SYNDV is clear; nothing is taken from it.',
  },
  L_MCA_CORE_NOT_VALID: {
    severity: 'info',
    title: 'a core is named but ERRCOREIDVAL is clear',
    section: PPR_STATUS,
    explanation: 'Bits 37 to 32 name the core only with ERRCOREIDVAL.',
  },
  L_MCA_IPID_MISSING: {
    severity: 'info',
    title: 'scalable MCA flags without MCA_IPID',
    section: 'PPR, MCA_IPID',
    explanation:
      'TCC, SYNDV and PADDRV exist on scalable MCA only, where MCA_IPID names the unit. Without it the bank number says nothing, whatever older tables claim.',
  },
  L_MCA_IPID_UNKNOWN: {
    severity: 'info',
    title: 'unknown bank type',
    section: 'PPR, MCA_IPID',
    explanation:
      'The hardware id and type in MCA_IPID are in no public document that the tables were made from. The values are shown; nothing is guessed from the bank number.',
  },
  L_MCA_XEC_UNKNOWN: {
    severity: 'info',
    title: 'extended error code without a public meaning',
    section: 'PPR, MCA_STATUS ErrorCodeExt',
    explanation: 'The bank type is known, the number of the error is reserved or not public for it.',
  },
  L_MCA_ADDR_LSB: {
    severity: 'warning',
    title: 'the granularity of the address is larger than the address space',
    section: 'SDM vol. 3B, IA32_MCi_MISC MSRs; PPR, MCA_STATUS AddrLsb',
    explanation:
      'The lowest valid bit lies above the 52 bits an x86 physical address can have: the address says nothing. The field was left over or made by software.',
  },
  // Shapes only software makes.
  L_MCA_QEMU_SRAR: {
    severity: 'info',
    title: "QEMU's record for BUS_MCEERR_AR (Intel guest)",
    section: QEMU,
    explanation:
      'Status 0xbd80000000000134, MCi_MISC 0x8c, bank 9: what QEMU gives an Intel guest when the kernel told it that a vCPU touched bad memory. It always says "data load", whatever the access was. The address is a guest physical one.',
  },
  L_MCA_QEMU_SRAO: {
    severity: 'info',
    title: "QEMU's record for BUS_MCEERR_AO (Intel guest)",
    section: QEMU,
    explanation:
      'Status 0xbd000000000000c0, MCi_MISC 0x8c, bank 9: what QEMU gives an Intel guest when the kernel reported bad memory that nobody touched. It always says "memory scrubbing", whoever found it. The address is a guest physical one.',
  },
  L_MCA_QEMU_AMD_AR: {
    severity: 'info',
    title: "QEMU's record for BUS_MCEERR_AR (AMD guest)",
    section: QEMU,
    explanation:
      'Status 0xbc00080000000000, MCi_MISC 0x8c, bank 9: what QEMU 9.1 and later gives an AMD guest when a vCPU touched bad memory. It has no error code and no MCA_IPID; MCi_MISC has the shape of Intel.',
  },
  L_MCA_QEMU_AMD_AO: {
    severity: 'info',
    title: "QEMU's record for BUS_MCEERR_AO (AMD guest)",
    section: QEMU,
    explanation:
      'Status 0x9c00180000000000, MCi_MISC 0x8c, bank 9: what QEMU 9.1 and later gives an AMD guest for bad memory that nobody touched. DEFERRED and POISON together occur in no hardware. No exception is raised: the guest polls. Linux 6.19.0 to 6.19.9 panics on it under KVM.',
  },
  L_MCA_QEMU_BROADCAST: {
    severity: 'info',
    title: "QEMU's filler for the other CPUs of a broadcast",
    section: 'QEMU target/i386, cpu_x86_inject_mce()',
    explanation:
      'Status 0xa000000000000000 in bank 1 (VAL and UC, EN clear): with a broadcast QEMU writes this to every CPU but the one that was named. It describes no error; Linux clears it as "not enabled".',
  },
  L_MCA_NOT_HARDWARE: {
    severity: 'warning',
    title: 'a value that is known to be no error of the hardware',
    section: 'Linux arch/x86/kernel/cpu/mce/intel.c intel_filter_mce(), amd.c amd_filter_mce(); BKDG, NB MCA Status',
    explanation:
      'An erratum of this processor, or its way to report, leaves such values in the bank although nothing failed. Newer kernels drop them. Nothing has to be replaced for it; update kernel, microcode and firmware.',
  },
  L_MCA_VIRTUAL_CPU: {
    severity: 'info',
    title: 'logged by a virtual CPU',
    section: 'Linux arch/x86/kernel/cpu/microcode, the revision in MSR 8Bh; QEMU target/i386/cpu.c, ucode_rev',
    explanation:
      'The microcode revision of the record is one that no processor has and that hypervisors show their guests. The hypervisor made the record, or passed on one of the host: the cause is to be found in the log of the host.',
  },
  L_MCA_HYPERV_MADE: {
    severity: 'info',
    title: 'a status seen in guests of Hyper-V alone',
    section: 'public reports: microsoft/WSL issues 41649 and 41659, linux-hyperv of October 2025',
    explanation:
      'Status 0xb200000080060001 in bank 0 was reported from guests of Hyper-V (WSL2) only, again and again the same and without an error on the host; 0xb2000000c0060001 from a root partition of MSHV that powers off by the registers of ACPI, which the hypervisor intercepts. Very likely Hyper-V makes them; no public document says when.',
  },
  L_MCA_GHES_MADE: {
    severity: 'info',
    title: 'made by Linux from a firmware report',
    section: 'Linux arch/x86/kernel/cpu/mce/apei.c',
    explanation:
      'Bank -1 (255) does not exist: Linux turns a memory error that firmware reported (GHES, CPER) into a machine check record with the fixed code 0x009f, "memory read, channel not specified". What really failed is in the firmware record.',
  },
  L_MCA_MCE_INJECT: {
    severity: 'info',
    title: 'the flags of an mce-inject keyword and nothing else',
    section: 'mce-inject, status keywords',
    explanation:
      'mce-inject writes VAL and EN for CORRECTED, and UC for UNCORRECTED, and PCC for FATAL; without more in the script nothing else is set. Test recipes use the same values by hand. Hardware names what failed.',
  },
  L_MCA_XEN_MCEINJ: {
    severity: 'info',
    title: 'the values of a fixed record of xen-mceinj',
    section: 'Xen tools/misc/xen-mceinj.c',
    explanation:
      'The status is one of the fixed values of the Xen injection tool; a CPU could write the same. The labels of its types 0 and 1 are swapped: what it calls memory scrubbing (0x017a) is a last level cache write-back, and what it calls LLC (0x00cf) is memory scrubbing.',
  },
} as const satisfies Readonly<Record<string, FindingCode>>;

export type LintCodeId = keyof typeof LINT_CODES;

export type Finding = finding.Finding<LintCodeId>;
