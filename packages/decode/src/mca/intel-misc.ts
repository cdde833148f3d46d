/**
 * @module MCi_MISC of Intel memory controllers: where in the DRAM. Source: SDM vol. 3B "Interpreting Machine-Check
 * Error Codes", tables for IA32_MCi_MISC of 06_1AH, 06_6AH and 06_6CH, 06_8FH; 06_ADH and 06_AEH as Intel published them with
 * its open decoders.
 */
import { bit, bits, defineRegister } from '../registers/register.ts';

const GRANULARITY = [bits(8, 6, 'MODE', 'address mode'), bits(5, 0, 'LSB', 'lowest valid bit of MCi_ADDR')] as const;

/** Older than software error recovery: bits 8:0 say nothing of the address. */
export const MISC_IMC_NHM = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_1AH, IA32_MC8_MISC',
  fields: [
    bits(63, 32, 'SYNDROME', 'ECC syndrome'),
    bits(19, 18, 'CHANNEL', 'channel'),
    bits(17, 16, 'DIMM', 'DIMM of the channel'),
    bits(7, 0, 'RTID', 'number of the request'),
  ],
});

export const MISC_IMC_ICX = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source:
    'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_6AH and 06_6CH, IA32_MCi_MISC of the memory controllers',
  fields: [
    bit(63, 'TRANSIENT', 'the error did not come back when the read was repeated'),
    bits(62, 59, 'ECCMODE', 'ECC mode', {
      0: 'SDDC, memory mode',
      1: 'SDDC',
      4: 'ADDDC, memory mode',
      5: 'ADDDC',
      8: 'DDR-T read',
    }),
    bits(58, 56, 'RANK', 'rank'),
    bits(55, 52, 'SUBRANK', 'sub-rank'),
    bits(51, 46, 'DEVICE', 'failed device, of a corrected error that is not transient'),
    bit(44, 'BANKGROUP2', 'bank group, bit 2'),
    bits(43, 42, 'BANK', 'bank'),
    bits(41, 40, 'BANKGROUP', 'bank group, bits 1:0'),
    bits(39, 19, 'ROW', 'row'),
    bits(18, 9, 'COLUMN', 'column, bits 11:2'),
    ...GRANULARITY,
  ],
});

/** The published row field of 06_8FH overlaps the bank fields; only the part that does not is given as the row. */
export const MISC_IMC_SPR = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_8FH, IA32_MCi_MISC of the memory controllers',
  fields: [
    bit(63, 'TRANSIENT', 'the error did not come back when the read was repeated'),
    bits(62, 59, 'ECCMODE', 'ECC mode', {
      0: 'SDDC, 2LM memory mode',
      1: 'SDDC',
      2: 'SDDC+1, 2LM memory mode',
      3: 'SDDC+1',
      4: 'ADDDC, 2LM memory mode',
      5: 'ADDDC',
      6: 'ADDDC+1, 2LM memory mode',
      7: 'ADDDC+1',
      8: 'DDR-T read',
    }),
    bits(58, 56, 'RANK', 'rank'),
    bits(55, 52, 'SUBRANK', 'sub-rank'),
    bits(48, 43, 'DEVICE', 'failed device, of a corrected error that is not transient'),
    bit(41, 'BANKGROUP2', 'bank group, bit 2'),
    bits(40, 39, 'BANK', 'bank'),
    bits(38, 37, 'BANKGROUP', 'bank group, bits 1:0'),
    bits(36, 19, 'ROW', 'row'),
    bits(18, 9, 'COLUMN', 'column, bits 11:2'),
    ...GRANULARITY,
  ],
});

export const MISC_HBM_SPR = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_8FH, IA32_MCi_MISC of the HBM controllers',
  fields: [
    bit(63, 'TRANSIENT', 'the error did not come back when the read was repeated'),
    bits(62, 59, 'ECCMODE', 'ECC mode', { 1: '64-byte read', 9: '32-byte read' }),
    bits(58, 56, 'RANK', 'rank'),
    bits(55, 51, 'DEVICE2', 'second failed device'),
    bits(48, 43, 'DEVICE', 'failed device'),
    bit(41, 'BANKGROUP2', 'bank group, bit 2'),
    bits(40, 39, 'BANK', 'bank'),
    bits(38, 37, 'BANKGROUP', 'bank group, bits 1:0'),
    bits(36, 19, 'ROW', 'row'),
    bits(18, 9, 'COLUMN', 'column, bits 11:2'),
    ...GRANULARITY,
  ],
});

/** Valid when MCi_STATUS bit 33 is set beside MISCV. */
export const MISC_MCCHAN_GNR = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source: 'Intel, published decoders for 06_ADH, 06_AEH, 06_AFH and 06_DDH',
  fields: [
    bit(63, 'TRANSIENT', 'the error did not come back when the read was repeated'),
    bits(61, 58, 'ECCMODE', 'ECC mode', {
      1: 'SDDC 128b 1LM',
      2: 'SDDC 125b 1LM',
      3: 'SDDC 96b 1LM',
      4: 'SDDC 96b 2LM',
      5: 'ADDDC 80b 1LM',
      6: 'ADDDC 80b 2LM',
      7: 'ADDDC 64b 1LM',
      8: '9x4 61b 1LM',
      9: '9x4 32b 1LM',
      10: '9x4 32b 2LM',
    }),
    bits(57, 55, 'CHIPSELECT', 'chip select'),
    bits(54, 51, 'SUBRANK', 'sub-rank'),
    bits(48, 43, 'DEVICE', 'failed device, when not transient'),
    bits(41, 39, 'BANKGROUP', 'bank group'),
    bits(38, 37, 'BANK', 'bank'),
    bits(36, 19, 'ROW', 'row'),
    bits(18, 9, 'COLUMN', 'column, bits 11:2'),
    ...GRANULARITY,
  ],
});

/** Mesh to memory banks with mirrored memory (06_55H, 06_6AH, 06_6CH), corrected errors. */
export const MISC_M2M = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source: 'Intel Xeon Scalable, memory mirroring: IA32_MCi_MISC of the mesh to memory banks',
  fields: [
    bit(63, 'FAILOVER', 'corrected by mirroring, the channel failed over'),
    bit(62, 'MIRRORED', 'corrected by mirroring, the primary channel was scrubbed'),
    ...GRANULARITY,
  ],
});

/** Home agents of 06_4FH with mirrored memory, corrected errors. */
export const MISC_HA_BDX = defineRegister({
  name: 'MCi_MISC',
  width: 64,
  source: 'Intel, published decoders for 06_4FH: memory mirroring, IA32_MCi_MISC of the home agents',
  fields: [
    bit(42, 'MIRRORED', 'corrected by mirroring, the primary channel was scrubbed'),
    bit(41, 'FAILOVER', 'corrected by mirroring, the channel failed over'),
    ...GRANULARITY,
  ],
});
