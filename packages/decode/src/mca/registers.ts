/**
 * @module Machine check registers of both vendors. Sources: Intel 64 and IA-32 Architectures Software Developer's Manual
 * vol. 3B "Machine-Check Architecture" ("SDM"); AMD64 Architecture Programmer's Manual vol. 2 "Machine Check
 * Architecture" ("APM") and the Processor Programming Reference of family 17h and later ("PPR"). Registers of AMD's scalable MCA:
 * amd-registers.ts.
 */
import { bitsOf } from '../registers/asked.ts';
import type { Bits } from '../registers/asked.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';

export const MCG_CAP = defineRegister({
  name: 'MCG_CAP',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCG_CAP MSR',
  fields: [
    bit(27, 'LMCE_P', 'local machine check exception supported'),
    bit(26, 'ELOG_P', 'extended error logging supported'),
    bit(25, 'EMC_P', 'enhanced machine check supported'),
    bit(24, 'SER_P', 'software error recovery supported: MCi_STATUS.S and .AR have a meaning'),
    bits(23, 16, 'EXT_CNT', 'extended state registers'),
    // Reserved in the SDM, and set by Nehalem and Westmere: 0x1c09.
    bit(12, 'UNDOCUMENTED', 'no meaning in public documents; hardware of 2008 to 2011 sets it'),
    bit(11, 'TES_P', 'threshold-based error status supported'),
    bit(10, 'CMCI_P', 'corrected machine check interrupt supported'),
    bit(9, 'EXT_P', 'extended state registers present'),
    bit(8, 'CTL_P', 'MCG_CTL present'),
    bits(7, 0, 'COUNT', 'reporting banks'),
  ],
});

export const MCG_STATUS = defineRegister({
  name: 'MCG_STATUS',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCG_STATUS MSR; bit 12: Intel TDX module specification',
  fields: [
    bit(12, 'SEAM_NR', 'the error hit a guest in SEAM non-root mode'),
    bit(3, 'LMCE', 'delivered to this logical processor only'),
    bit(2, 'MCIP', 'machine check in progress'),
    bit(1, 'EIPV', 'the saved instruction pointer belongs to the error'),
    bit(0, 'RIPV', 'the program can be restarted at the saved instruction pointer'),
  ],
});

/** All ones enables every reporting feature, all zeroes disables them (MCG_CAP.CTL_P). */
export const MCG_CTL = defineRegister({
  name: 'MCG_CTL',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCG_CTL MSR; APM vol. 2, Machine-Check Global-Control Register (one enable per bank)',
  fields: [bits(63, 0, 'ENABLE', 'reporting features enabled')],
});

/** Present when MCG_CAP.LMCE_P. */
export const MCG_EXT_CTL = defineRegister({
  name: 'MCG_EXT_CTL',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCG_EXT_CTL MSR',
  fields: [bit(0, 'LMCE_EN', 'local delivery of some machine checks enabled')],
});

export const MCI_CTL = defineRegister({
  name: 'MCi_CTL',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCi_CTL MSRs; APM vol. 2, Machine-Check Control Registers',
  fields: [bits(63, 0, 'EE', 'error reporting enables, one bit per error of the bank')],
});

/** Present when MCG_CAP.CMCI_P. */
export const MCI_CTL2 = defineRegister({
  name: 'MCi_CTL2',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCi_CTL2 MSRs',
  fields: [
    bit(30, 'CMCI_EN', 'corrected machine check interrupt enabled'),
    bits(14, 0, 'THRESHOLD', 'corrected error count that raises the interrupt'),
  ],
});

export const MCI_STATUS_INTEL = defineRegister({
  name: 'MCi_STATUS',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCi_STATUS MSRs and UCR Error Reporting and Logging',
  fields: [
    bit(63, 'VAL', 'the bank holds an error'),
    bit(62, 'OVER', 'another error was lost'),
    bit(61, 'UC', 'uncorrected'),
    bit(60, 'EN', 'reporting of this error was enabled'),
    bit(59, 'MISCV', 'MCi_MISC is valid'),
    bit(58, 'ADDRV', 'MCi_ADDR is valid'),
    bit(57, 'PCC', 'processor context corrupt'),
    bit(56, 'S', 'signalled by a machine check exception'),
    bit(55, 'AR', 'action required'),
    bits(54, 53, 'TES', 'threshold-based error status', { 0: 'no tracking', 1: 'green', 2: 'yellow', 3: 'reserved' }),
    bits(52, 38, 'CEC', 'corrected error count'),
    bit(37, 'FW', 'firmware updated error status'),
    bits(36, 32, 'OTHER', 'other information'),
    bits(31, 16, 'MSCOD', 'model-specific error code'),
    bits(15, 0, 'MCACOD', 'machine check architecture error code'),
  ],
});

const { VAL } = MCI_STATUS_INTEL.masks;

/** Whether a status register, of either vendor, holds an error: MCi_STATUS.VAL. */
export function holdsError(status: Bits): boolean {
  return bitsOf(status, VAL) !== 0n;
}

/** The status register of AMD's scalable MCA; what older families have at the same places reads the same way. */
export const MCI_STATUS_AMD = defineRegister({
  name: 'MCi_STATUS',
  width: 64,
  source: 'APM vol. 2, Machine-Check Status Registers; PPR MCA_STATUS',
  fields: [
    bit(63, 'VAL', 'the bank holds an error'),
    bit(62, 'OVER', 'another error was lost'),
    bit(61, 'UC', 'uncorrected'),
    bit(60, 'EN', 'reporting of this error was enabled'),
    bit(59, 'MISCV', 'MCi_MISC is valid'),
    bit(58, 'ADDRV', 'MCi_ADDR is valid'),
    bit(57, 'PCC', 'processor context corrupt'),
    bit(56, 'ERRCOREIDVAL', 'ERRCOREID is valid'),
    bit(55, 'TCC', 'task context corrupt'),
    bit(54, 'PADDRV', 'MCA_ADDR holds a system physical address'),
    bit(53, 'SYNDV', 'MCA_SYND is valid'),
    bit(46, 'CECC', 'corrected by ECC'),
    bit(45, 'UECC', 'found by ECC, not correctable'),
    bit(44, 'DEFERRED', 'deferred: bad data was marked and not yet consumed'),
    bit(43, 'POISON', 'poisoned data was consumed'),
    bit(40, 'SCRUB', 'found by the scrubber'),
    bits(37, 32, 'ERRCOREID', 'core that caused the error'),
    bits(29, 24, 'ADDRLSB', 'lowest valid bit of MCA_ADDR'),
    bits(21, 16, 'XEC', 'extended error code'),
    bits(15, 0, 'ERRORCODE', 'error code'),
  ],
});

/** MCi_MISC as defined while MCG_CAP.SER_P=1 for recoverable errors. */
export const MCI_MISC = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCi_MISC MSRs',
  fields: [
    bits(63, 9, 'MODEL', 'model-specific'),
    bits(8, 6, 'MODE', 'address mode', {
      0: 'segment offset',
      1: 'linear',
      2: 'physical',
      3: 'memory',
      4: 'reserved',
      5: 'reserved',
      6: 'reserved',
      7: 'generic',
    }),
    bits(5, 0, 'LSB', 'lowest valid bit of MCi_ADDR'),
  ],
});

/** MCi_MISC of an I/O error (MCACOD 0x0e0b): the root port that reported it; its AER registers know more. */
export const MCI_MISC_IO = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source: 'SDM vol. 3B, IA32_MCi_MISC MSRs, "Address Mode and LSB" and IOMCA',
  fields: [
    bits(39, 32, 'SEGMENT', 'PCI segment'),
    bits(31, 24, 'BUS', 'PCI bus'),
    bits(23, 19, 'DEVICE', 'PCI device'),
    bits(18, 16, 'FUNCTION', 'PCI function'),
    bits(8, 6, 'MODE', 'address mode'),
    bits(5, 0, 'LSB', 'lowest valid bit of MCi_ADDR'),
  ],
});

/** Physical addresses have at most 52 bits (SDM vol. 1 3.3, MAXPHYADDR; APM vol. 2): from there on a granularity leaves nothing of them. */
export const MAX_PHYSICAL_BITS = 52;

/** MCi_MISC.MODE of a physical address. */
export const ADDRESS_MODE_PHYSICAL = 2n;
