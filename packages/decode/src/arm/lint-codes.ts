/**
 * @module Every finding the lint of aborts and SErrors can make: a stable code, how serious it is, one line for a list,
 * the place in the manual, and the text behind `--explain`. The shapes are those of the machine check lint.
 */

import type { Finding, FindingCode, FindingSeverity } from '../registers/finding.ts';

const DDI = 'DDI 0487 D24.2.40, ESR_ELx';
const ABORT = 'DDI 0487 D24.2.40, ISS encodings for a Data Abort and an Instruction Abort';
const SERROR = 'DDI 0487 D24.2.40, ISS encoding for an SError';
const KVM = 'Linux Documentation/virt/kvm/api.rst, KVM_EXIT_ARM_SEA';

const row = (severity: FindingSeverity, section: string, title: string, explanation: string): FindingCode => ({
  severity,
  title,
  section,
  explanation,
});

export const ARM_LINT_CODES = {
  L_ARM_RESERVED_CLASS: row(
    'error',
    DDI,
    'the exception class is reserved',
    'No exception has this class. The value is no ESR, or it was cut or shifted on the way.',
  ),
  L_ARM_RESERVED_BITS: row(
    'warning',
    DDI,
    'reserved bits are set',
    'The architecture keeps these bits 0 for this exception class. A newer CPU may use them; otherwise the value was made by hand.',
  ),
  L_ARM_IL_CLEAR: row(
    'error',
    DDI,
    'IL is clear where it is always set',
    'IL is 1 for instruction aborts, SErrors and data aborts whose ISV is 0. Handwritten syndromes forget it.',
  ),
  L_ARM_RESERVED_FAULT: row(
    'error',
    ABORT,
    'the fault status code is reserved',
    'The code has no meaning for this kind of abort; some codes exist for data aborts only.',
  ),
  L_ARM_FAULT_FEATURE: row(
    'info',
    ABORT,
    'the fault status code needs an optional feature',
    'Only a CPU with the feature reports this code. Check that the CPU, or the model a virtual one claims to be, has it.',
  ),
  L_ARM_PARITY_WITH_RAS: row(
    'error',
    ABORT,
    'a parity or ECC code on a CPU with FEAT_RAS',
    'With FEAT_RAS such errors are reported as external aborts (0x10 to 0x17); codes 0x18 and 0x1b to 0x1f are reserved.',
  ),
  L_ARM_SET_RESERVED: row('error', ABORT, 'SET is 1, a reserved value', 'SET is 0 (UER), 2 (UC) or 3 (UEO).'),
  L_ARM_SET_WITHOUT_RAS: row(
    'error',
    ABORT,
    'SET is not 0 on a CPU without FEAT_RAS',
    'SET is part of FEAT_RAS and 0 without it. KVM removes it for a guest that does not have FEAT_RAS.',
  ),
  L_ARM_SET_MISPLACED: row(
    'warning',
    ABORT,
    'SET is not 0 on a fault that has none',
    'SET is defined for code 0x10 only: for aborts on a table walk nothing is said about the state of the PE.',
  ),
  L_ARM_FNV_MISPLACED: row(
    'warning',
    ABORT,
    'FnV is set on a fault whose FAR is always valid',
    'FnV is defined for code 0x10 only.',
  ),
  L_ARM_FNV_WITH_FAR: row(
    'warning',
    ABORT,
    'an address is given although FnV says there is none',
    'With FnV the fault address register holds an unknown value. Do not act on that address.',
  ),
  L_ARM_EA_MISPLACED: row(
    'warning',
    ABORT,
    'EA is set on a fault that is no external abort',
    'EA classifies external aborts and is 0 for all other faults.',
  ),
  L_ARM_S1PTW_ABORT: row(
    'warning',
    ABORT,
    'S1PTW is set on an abort that was not on a walk',
    'S1PTW says that stage 2 failed for a stage 1 table walk; code 0x10 is an abort of the access itself.',
  ),
  L_ARM_S1PTW_EL1: row(
    'error',
    ABORT,
    'S1PTW is set in an EL1 syndrome',
    'Stage 2 faults are taken to EL2. A VMM that passes a host syndrome to its guest has to clear the bit.',
  ),
  L_ARM_ISV_EXTERNAL: row(
    'warning',
    ABORT,
    'ISV is set on an external abort',
    'The instruction is described for stage 2 translation, access flag and permission faults, not for external aborts.',
  ),
  L_ARM_ISV_EL1: row(
    'warning',
    ABORT,
    'ISV is set in an EL1 syndrome',
    'Only EL2 gets the instruction described, so that a hypervisor can emulate the access.',
  ),
  L_ARM_VNCR_EL1: row(
    'error',
    ABORT,
    'VNCR is set in an EL1 syndrome',
    'Accesses through VNCR_EL2 that EL1 makes are reported to EL2.',
  ),
  L_ARM_AET_IDS: row(
    'info',
    SERROR,
    'AET read from an SError in a format of its maker',
    'With IDS the syndrome has a format of the CPU maker. Bits 12:10 are then not AET, and no state can be read from them.',
  ),
  L_ARM_AET_RESERVED: row('error', SERROR, 'AET is reserved', 'AET is 0 (UC), 1 (UEU), 2 (UEO), 3 (UER) or 6 (CE).'),
  L_ARM_AET_UNCATEGORIZED: row(
    'warning',
    SERROR,
    'AET or EA is set in an uncategorized SError',
    'With DFSC 0 the SError has no category, and AET and EA have no meaning.',
  ),
  L_ARM_SERROR_FAULT: row(
    'error',
    SERROR,
    'the DFSC of an SError is reserved',
    'An SError has DFSC 0 (uncategorized) or 0x11 (asynchronous SError) and no other.',
  ),
  L_ARM_HPFAR_RESERVED: row(
    'warning',
    'DDI 0487 D24.2, HPFAR_EL2',
    'reserved bits of HPFAR_EL2 are set',
    'The IPA stands in bits 47:4, shifted: bits 55:12 of the address. An address put there unshifted sets others.',
  ),
  L_ARM_HPFAR_UNKNOWN: row(
    'warning',
    'DDI 0487 D24.2, HPFAR_EL2',
    'an IPA is given for a fault that does not set HPFAR_EL2',
    'External aborts leave HPFAR_EL2 as it was: the value is that of an earlier fault. KVM asks the MMU again for the page; take its gpa.',
  ),
  L_ARM_KVM_CLASS: row(
    'error',
    KVM,
    'a KVM exit with a class that is no abort of a guest',
    'KVM sees its guest from EL2, so that an abort is always from a lower level: class 0x20 or 0x24.',
  ),
  L_ARM_KVM_FAULT: row(
    'error',
    KVM,
    'a KVM exit that is no synchronous external abort',
    'The exit exists for external aborts and parity errors only; other faults KVM handles itself.',
  ),
  L_ARM_KVM_MASKED: row(
    'warning',
    KVM,
    'bits are set that KVM takes out of the syndrome',
    'KVM passes on EC, IL, SET, FnV, EA, CM, WnR and the fault status code. Everything else is 0 in the exit.',
  ),
  L_ARM_KVM_FLAGS: row(
    'warning',
    KVM,
    'flags of the exit that are not defined',
    'Only bit 0, the validity of gpa, is defined.',
  ),
  L_ARM_KVM_GPA: row(
    'warning',
    KVM,
    'a guest physical address without its flag',
    'gpa says something only with flag bit 0. Without it the page is not known.',
  ),
} as const satisfies Readonly<Record<string, FindingCode>>;

export type ArmLintCodeId = keyof typeof ARM_LINT_CODES;

export type ArmFinding = Finding<ArmLintCodeId>;
