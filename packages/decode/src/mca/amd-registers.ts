/**
 * @module Registers of AMD's machine check banks beyond MCi_STATUS. Sources: APM vol. 2, "Machine Check Architecture Extensions (MCAX)"; PPR of family
 * 17h and later, "MCA Registers"; BKDG of families 10h (31116) and 15h (42301) for the older banks.
 */
import { bit, bits, defineRegister } from '../registers/register.ts';

/** MCi_STATUS of families 10h to 16h, where it differs from scalable MCA. */
export const MCI_STATUS_AMD_LEGACY = defineRegister({
  name: 'MCi_STATUS',
  width: 64,
  source: 'BKDG 31116 and 42301, MSR0000_0401 and following, NB MCA Status',
  fields: [
    bit(63, 'VAL', 'the bank holds an error'),
    bit(62, 'OVER', 'another error was lost'),
    bit(61, 'UC', 'uncorrected'),
    bit(60, 'EN', 'reporting of this error was enabled'),
    bit(59, 'MISCV', 'MCi_MISC is valid'),
    bit(58, 'ADDRV', 'MCi_ADDR is valid'),
    bit(57, 'PCC', 'processor context corrupt'),
    bit(56, 'ERRCOREIDVAL', 'ERRCOREID is valid'),
    bits(54, 47, 'SYNDLO', 'ECC syndrome, bits 7:0'),
    bit(46, 'CECC', 'corrected by ECC'),
    bit(45, 'UECC', 'found by ECC, not correctable'),
    bit(44, 'DEFERRED', 'deferred: bad data was marked and not yet consumed (family 15h)'),
    bit(43, 'POISON', 'poisoned data was consumed (family 15h)'),
    bits(42, 41, 'SUBCACHE', 'L3 sub-cache (northbridge bank)'),
    bit(40, 'SCRUB', 'found by the scrubber'),
    bits(39, 36, 'LINK', 'HyperTransport link (northbridge bank)'),
    bits(35, 32, 'ERRCOREID', 'core that caused the error'),
    bits(31, 24, 'SYNDHI', 'ECC syndrome, bits 15:8'),
    bits(20, 16, 'XEC', 'extended error code'),
    bits(15, 0, 'ERRORCODE', 'error code'),
  ],
});

/** Which block of the chip a scalable bank belongs to; the bank number says nothing. */
export const MCA_IPID = defineRegister({
  name: 'MCA_IPID',
  width: 64,
  source: 'PPR MCA_IPID',
  fields: [
    bits(63, 48, 'MCATYPE', 'type of the bank'),
    bits(47, 44, 'INSTANCEHI', 'instance, high part'),
    bits(43, 32, 'HWID', 'hardware block'),
    bits(31, 0, 'INSTANCELO', 'instance'),
  ],
});

export const MCA_SYND = defineRegister({
  name: 'MCA_SYND',
  width: 64,
  source: 'PPR MCA_SYND',
  fields: [
    bits(63, 32, 'SYNDROME', 'syndrome'),
    // Reserved in the public PPRs, but set in records of the field (Zen 1 to Zen 5): 4d000000, 5a800001, 5b240203.
    bits(31, 27, 'UNDOCUMENTED', 'no meaning in public documents; hardware sets them'),
    bits(26, 24, 'PRIORITY', 'severity of the logged error', {
      0: 'no error',
      1: 'transparent',
      2: 'corrected',
      3: 'deferred',
      4: 'uncorrected',
      5: 'fatal',
      6: 'reserved',
      7: 'reserved',
    }),
    bits(23, 18, 'LENGTH', 'number of valid syndrome bits'),
    bits(17, 0, 'INFO', 'error information, depends on the bank'),
  ],
});

export const MCA_CONFIG = defineRegister({
  name: 'MCA_CONFIG',
  width: 64,
  source: 'PPR MCA_CONFIG; bit 11: PPR of family 1Ah',
  fields: [
    bit(40, 'INT_EN', 'threshold interrupt enabled'),
    bits(38, 37, 'DFR_INT_TYPE', 'deferred error interrupt', { 0: 'none', 1: 'APIC', 2: 'SMI', 3: 'reserved' }),
    bit(34, 'LOG_DFR_IN_STAT', 'deferred errors are logged in MCA_STATUS too'),
    bit(33, 'TRANSPARENT_EN', 'transparent errors are logged'),
    bit(32, 'MCAX_EN', 'the extended registers are in use'),
    bit(11, 'PADDRV', 'MCA_STATUS.PADDRV says whether MCA_ADDR is a system physical address'),
    bit(10, 'INT_PRESENT', 'threshold interrupt present'),
    bit(9, 'FRU_TEXT', 'MCA_SYND1 and MCA_SYND2 hold the text of the replaceable unit'),
    bit(8, 'LSB_IN_STATUS', 'MCA_STATUS.ADDRLSB is defined'),
    // Bits 7:6 and 4:3: set in records of the field (CONFIG 3000001f9), without a meaning in public documents.
    bits(7, 6, 'UNDOCUMENTED1', 'no meaning in public documents; hardware sets them'),
    bit(5, 'DFR_INT_SUPP', 'deferred error interrupt type supported'),
    bits(4, 3, 'UNDOCUMENTED0', 'no meaning in public documents; hardware sets them'),
    bit(2, 'DFR_LOG_SUPP', 'deferred errors are logged in MCA_DESTAT and MCA_DEADDR'),
    bit(1, 'TRANSPARENT_SUPP', 'transparent error logging supported'),
    bit(0, 'MCAX', 'the extended registers exist'),
  ],
});

/** The deferred error register: what a later error in MCA_STATUS may have overwritten stays here. */
export const MCA_DESTAT = defineRegister({
  name: 'MCA_DESTAT',
  width: 64,
  source: 'PPR MCA_DESTAT',
  fields: [
    bit(63, 'VAL', 'the register holds a deferred error'),
    bit(62, 'OVER', 'another deferred error was lost'),
    bit(58, 'ADDRV', 'MCA_DEADDR is valid'),
    bit(53, 'SYNDV', 'MCA_SYND belongs to this error'),
    bit(44, 'DEFERRED', 'deferred error'),
    bits(29, 24, 'ADDRLSB', 'lowest valid bit of MCA_DEADDR'),
    bits(21, 16, 'XEC', 'extended error code'),
    bits(15, 0, 'ERRORCODE', 'error code'),
  ],
});

/** MCA_ADDR and MCA_DEADDR of banks that keep the granularity beside the address. */
export const MCA_ADDR = defineRegister({
  name: 'MCA_ADDR',
  width: 64,
  source: 'PPR MCA_ADDR of family 17h models 00h to 3Fh',
  fields: [bits(61, 56, 'LSB', 'lowest valid bit'), bits(55, 0, 'ADDRESS', 'address')],
});

/** MCA_ADDR and MCA_DEADDR of banks that keep the granularity in MCA_STATUS: MCA_CONFIG.LSB_IN_STATUS. */
export const MCA_ADDR_WIDE = defineRegister({
  name: 'MCA_ADDR',
  width: 64,
  source: 'PPR MCA_ADDR of family 19h and later',
  fields: [bits(56, 0, 'ADDRESS', 'address')],
});

/** MCi_MISC0: the threshold counter of a bank. Software sets it to 0xfff less the limit; it overflows at 0xfff. */
export const MCA_MISC0 = defineRegister({
  name: 'MCi_MISC0',
  width: 64,
  source: 'PPR MCA_MISC0; BKDG 31116 MSR0000_0413; APM vol. 2, Machine-Check Miscellaneous-Error Information Registers',
  fields: [
    bit(63, 'VAL', 'a threshold counter is implemented and usable'),
    bit(62, 'CNTP', 'the counter is present'),
    bit(61, 'LOCKED', 'the platform owns the counter, software cannot write it'),
    bit(60, 'INTP', 'the interrupt type can be set'),
    bits(55, 52, 'LVTOFF', 'APIC local vector table entry, from 0x500, in steps of 0x10'),
    bit(51, 'CNTEN', 'counting'),
    bits(50, 49, 'INTTYPE', 'interrupt at overflow', { 0: 'none', 1: 'APIC', 2: 'SMI', 3: 'reserved' }),
    bit(48, 'OVRFLW', 'the counter reached its limit'),
    bits(43, 32, 'ERRCNT', 'error counter'),
    bits(31, 24, 'BLKPTR', 'further threshold registers exist when not 0'),
  ],
});
