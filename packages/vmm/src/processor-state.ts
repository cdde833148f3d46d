/** The processor state and the control register that decide how an exception is taken to EL1. */
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
