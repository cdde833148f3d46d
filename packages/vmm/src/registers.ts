/** Register ids of KVM_GET_ONE_REG and KVM_SET_ONE_REG on arm64 (api.rst 4.68; asm/kvm.h), all 64 bits wide. */

const ARM64_U64 = 0x6030_0000_0000_0000n;
const CORE = 0x0010_0000n;
const SYSREG = 0x0013_0000n;

/** A register of `struct kvm_regs`, numbered by its offset in 32-bit words. */
const core = (byteOffset: number): bigint => ARM64_U64 | CORE | BigInt(byteOffset / 4);

/** A system register by its encoding. */
const sysreg = (op0: number, op1: number, crn: number, crm: number, op2: number): bigint =>
  ARM64_U64 | SYSREG | BigInt((op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2);

export const REG = {
  X0: core(0),
  PC: core(256),
  PSTATE: core(264),
  ELR_EL1: core(280),
  SPSR_EL1: core(288),
  SCTLR_EL1: sysreg(3, 0, 1, 0, 0),
  TTBR0_EL1: sysreg(3, 0, 2, 0, 0),
  TTBR1_EL1: sysreg(3, 0, 2, 0, 1),
  TCR_EL1: sysreg(3, 0, 2, 0, 2),
  ESR_EL1: sysreg(3, 0, 5, 2, 0),
  FAR_EL1: sysreg(3, 0, 6, 0, 0),
  VBAR_EL1: sysreg(3, 0, 12, 0, 0),
} as const;

export type RegisterName = keyof typeof REG;
