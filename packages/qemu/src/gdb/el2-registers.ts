/** @module Registers of a hypervisor at EL2 that say whether a guest runs, and how its addresses are translated. */
import { bit, bits, defineRegister } from '@syndrome/decode/registers/register.ts';

export const HCR_EL2 = defineRegister({
  name: 'HCR_EL2',
  width: 64,
  source: 'DDI 0487 D24.2, HCR_EL2; what of it matters here',
  fields: [
    bit(27, 'TGE', 'EL0 belongs to the host, and stage 2 is off whatever VM says'),
    bit(0, 'VM', 'stage 2 is on'),
  ],
});

export const VTTBR_EL2 = defineRegister({
  name: 'VTTBR_EL2',
  width: 64,
  source: 'DDI 0487 D24.2, VTTBR_EL2',
  fields: [bits(63, 48, 'VMID'), bits(47, 1, 'BADDR', 'bits 47:1 of the address of the tables'), bit(0, 'CnP')],
});

/** The same with 52-bit output addresses: the tables are aligned to 64 bytes at least. */
export const VTTBR_EL2_52 = defineRegister({
  name: 'VTTBR_EL2',
  width: 64,
  source: 'DDI 0487 D24.2, VTTBR_EL2, BADDR where the output address has 52 bits',
  fields: [
    bits(63, 48, 'VMID'),
    bits(47, 6, 'BADDR_LOW', 'bits 47:6 of the address of the tables'),
    bits(5, 2, 'BADDR_HIGH', 'bits 51:48 of the address of the tables'),
    bit(0, 'CnP'),
  ],
});

export const VTCR_EL2 = defineRegister({
  name: 'VTCR_EL2',
  width: 64,
  source: 'DDI 0487 D24.2, VTCR_EL2; what of it matters here',
  fields: [
    bit(38, 'D128', '128-bit descriptors'),
    bit(33, 'SL2', 'start level, high bit (with DS)'),
    bit(32, 'DS', '52-bit addresses with 4 KiB and 16 KiB pages'),
    bit(21, 'HA', 'hardware sets the access flag'),
    bits(18, 16, 'PS', 'output address size'),
    bits(15, 14, 'TG0', 'granule'),
    bits(7, 6, 'SL0', 'start level'),
    bits(5, 0, 'T0SZ', 'input addresses have 64 less this many bits'),
  ],
});

/** PSTATE in the layout of SPSR_EL1, what of it matters here. */
export const CPSR = defineRegister({
  name: 'CPSR',
  width: 64,
  source: 'DDI 0487 C5.2.19, SPSR_EL1.M',
  fields: [bits(4, 0, 'M', 'mode')],
});
