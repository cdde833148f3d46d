/** The processor state and the control registers that decide how an exception is taken to EL1, and how an address is translated. */
import { bit, bits, defineRegister } from '@syndrome/decode/registers/register.ts';

/** PSTATE as KVM gives it, in the layout of SPSR_EL1 for AArch64. */
export const PSTATE = defineRegister({
  name: 'PSTATE',
  width: 64,
  source: 'DDI 0487 C5.2, SPSR_EL1, when exception taken from AArch64 state',
  fields: [
    bits(31, 28, 'NZCV', 'condition flags'),
    bit(25, 'TCO', 'tag check override'),
    bit(24, 'DIT', 'data independent timing'),
    bit(22, 'PAN', 'privileged access never'),
    bit(12, 'SSBS', 'speculative store bypass safe'),
    bits(9, 6, 'DAIF', 'masks of debug exceptions, SError, IRQ and FIQ'),
    bit(4, 'AARCH32', 'AArch32 state'),
    bits(3, 2, 'EL', 'exception level'),
    bit(0, 'SP', 'the stack pointer of the level, not that of EL0'),
  ],
});

/** SCTLR_EL1, what of it matters here. */
export const SCTLR_EL1 = defineRegister({
  name: 'SCTLR_EL1',
  width: 64,
  source: 'DDI 0487 D24.2, SCTLR_EL1',
  fields: [
    bit(44, 'DSSBS', 'value of PSTATE.SSBS on taking an exception'),
    bit(23, 'SPAN', 'PSTATE.PAN is left as it is on taking an exception'),
    bit(0, 'M', 'stage 1 translation is on'),
  ],
});

/** TCR_EL1, what of it matters here. The granules of the two halves are numbered differently. */
export const TCR_EL1 = defineRegister({
  name: 'TCR_EL1',
  width: 64,
  source: 'DDI 0487 D24.2, TCR_EL1',
  fields: [
    bit(59, 'DS', '52-bit addresses with 4 KiB and 16 KiB pages (FEAT_LPA2)'),
    bit(38, 'TBI1', 'the top byte of an upper address is ignored'),
    bit(37, 'TBI0', 'the top byte of a lower address is ignored'),
    bits(31, 30, 'TG1', 'granule of the upper half', { 1: '16 KiB', 2: '4 KiB', 3: '64 KiB' }),
    bit(23, 'EPD1', 'no walks for the upper half'),
    bits(21, 16, 'T1SZ', 'the upper half has 64 less this many address bits'),
    bits(15, 14, 'TG0', 'granule of the lower half', { 0: '4 KiB', 1: '64 KiB', 2: '16 KiB' }),
    bit(7, 'EPD0', 'no walks for the lower half'),
    bits(5, 0, 'T0SZ', 'the lower half has 64 less this many address bits'),
  ],
});

/** TTBR0_EL1 and TTBR1_EL1. */
export const TTBR_EL1 = defineRegister({
  name: 'TTBRn_EL1',
  width: 64,
  source: 'DDI 0487 D24.2, TTBR0_EL1',
  fields: [bits(63, 48, 'ASID'), bits(47, 1, 'BADDR', 'bits 47:1 of the address of the table'), bit(0, 'CnP')],
});

/** The same with 52-bit addresses: the table is aligned to 64 bytes at least. */
export const TTBR_EL1_52 = defineRegister({
  name: 'TTBRn_EL1',
  width: 64,
  source: 'DDI 0487 D24.2, TTBR0_EL1, BADDR where the address of the table has 52 bits',
  fields: [
    bits(63, 48, 'ASID'),
    bits(47, 6, 'BADDR_LOW', 'bits 47:6 of the address of the table'),
    bits(5, 2, 'BADDR_HIGH', 'bits 51:48 of the address of the table'),
    bit(0, 'CnP'),
  ],
});

/** A virtual address, what of it does not select a descriptor. */
export const VIRTUAL_ADDRESS = defineRegister({
  name: 'VA',
  width: 64,
  source: 'DDI 0487 D8.1, "Virtual address space", and D8.8, "Address tagging"',
  fields: [bits(63, 56, 'TAG', 'ignored where TBI says so'), bit(55, 'UPPER', 'translated by TTBR1')],
});
