/** @module Exception classes of ESR_ELx. Source: Arm ARM DDI 0487, D24.2.40 "ESR_EL1", field EC (and ESR_EL2, ESR_EL3). */

/** What the ISS of a class means to this room. */
type IssKind = 'data-abort' | 'instruction-abort' | 'serror' | 'other';

interface ExceptionClass {
  value: number;
  /** Short name, as kernels write it. */
  name: string;
  text: string;
  iss: IssKind;
  /** Taken from a lower level than the one whose ESR this is, or from the same; missing where the class does not say. */
  from?: 'lower' | 'same';
}

const other = (value: number, name: string, text: string, from?: 'lower' | 'same'): ExceptionClass => ({
  value,
  name,
  text,
  iss: 'other',
  ...(from === undefined ? {} : { from }),
});

/** Every architected class; values that are not here are reserved. */
export const EXCEPTION_CLASSES: readonly ExceptionClass[] = [
  other(0x00, 'UNKNOWN', 'unknown reason'),
  other(0x01, 'WFx', 'trapped WFI, WFE, WFIT or WFET'),
  other(0x03, 'CP15_32', 'trapped MCR or MRC, coprocessor 15'),
  other(0x04, 'CP15_64', 'trapped MCRR or MRRC, coprocessor 15'),
  other(0x05, 'CP14_MR', 'trapped MCR or MRC, coprocessor 14'),
  other(0x06, 'CP14_LS', 'trapped LDC or STC'),
  other(0x07, 'FP_ASIMD', 'trapped access to SVE, SIMD or floating point'),
  other(0x08, 'CP10_ID', 'trapped VMRS'),
  other(0x09, 'PAC', 'trapped pointer authentication instruction'),
  other(0x0a, 'OTHER', 'other trapped instruction (64-byte loads and stores and the like)'),
  other(0x0c, 'CP14_64', 'trapped MRRC, coprocessor 14'),
  other(0x0d, 'BTI', 'branch target exception'),
  other(0x0e, 'ILL', 'illegal execution state'),
  other(0x11, 'SVC32', 'SVC in AArch32 state'),
  other(0x12, 'HVC32', 'HVC in AArch32 state'),
  other(0x13, 'SMC32', 'SMC in AArch32 state'),
  other(0x14, 'SYS128', 'trapped MSRR, MRRS or 128-bit system instruction'),
  other(0x15, 'SVC64', 'SVC in AArch64 state'),
  other(0x16, 'HVC64', 'HVC in AArch64 state'),
  other(0x17, 'SMC64', 'SMC in AArch64 state'),
  other(0x18, 'SYS64', 'trapped MSR, MRS or system instruction'),
  other(0x19, 'SVE', 'trapped access to SVE'),
  other(0x1a, 'ERET', 'trapped ERET, ERETAA or ERETAB'),
  other(0x1b, 'TSTART', 'trapped TSTART at EL0'),
  other(0x1c, 'FPAC', 'pointer authentication failure'),
  other(0x1d, 'SME', 'trapped access to SME'),
  other(0x1e, 'GPC', 'granule protection check'),
  other(0x1f, 'IMP_DEF', 'IMPLEMENTATION DEFINED exception to EL3'),
  {
    value: 0x20,
    name: 'IABT_LOW',
    text: 'instruction abort from a lower level',
    iss: 'instruction-abort',
    from: 'lower',
  },
  {
    value: 0x21,
    name: 'IABT_CUR',
    text: 'instruction abort from the same level',
    iss: 'instruction-abort',
    from: 'same',
  },
  other(0x22, 'PC_ALIGN', 'misaligned PC'),
  { value: 0x24, name: 'DABT_LOW', text: 'data abort from a lower level', iss: 'data-abort', from: 'lower' },
  { value: 0x25, name: 'DABT_CUR', text: 'data abort from the same level', iss: 'data-abort', from: 'same' },
  other(0x26, 'SP_ALIGN', 'misaligned SP'),
  other(0x27, 'MOPS', 'memory copy or set exception'),
  other(0x28, 'FP_EXC32', 'trapped floating point exception in AArch32 state'),
  other(0x2c, 'FP_EXC64', 'trapped floating point exception in AArch64 state'),
  other(0x2d, 'GCS', 'guarded control stack exception'),
  { value: 0x2f, name: 'SERROR', text: 'SError', iss: 'serror' },
  other(0x30, 'BREAKPT_LOW', 'breakpoint from a lower level', 'lower'),
  other(0x31, 'BREAKPT_CUR', 'breakpoint from the same level', 'same'),
  other(0x32, 'SOFTSTP_LOW', 'software step from a lower level', 'lower'),
  other(0x33, 'SOFTSTP_CUR', 'software step from the same level', 'same'),
  other(0x34, 'WATCHPT_LOW', 'watchpoint from a lower level', 'lower'),
  other(0x35, 'WATCHPT_CUR', 'watchpoint from the same level', 'same'),
  other(0x38, 'BKPT32', 'BKPT in AArch32 state'),
  other(0x3a, 'VECTOR32', 'vector catch in AArch32 state'),
  other(0x3c, 'BRK64', 'BRK in AArch64 state'),
  other(0x3d, 'PROFILING', 'profiling exception'),
];

const BY_VALUE = new Map(EXCEPTION_CLASSES.map(c => [c.value, c]));
const BY_NAME = new Map(EXCEPTION_CLASSES.map(c => [c.name, c]));

/** The class of an EC value; undefined when it is reserved. */
export function exceptionClass(ec: number): ExceptionClass | undefined {
  return BY_VALUE.get(ec);
}

/** The class with a short name such as `DABT_LOW`; undefined when there is none. */
export function exceptionClassByName(name: string): ExceptionClass | undefined {
  return BY_NAME.get(name);
}

/** EC values of the classes that carry memory errors. */
export const EC = { IABT_LOW: 0x20, IABT_CUR: 0x21, DABT_LOW: 0x24, DABT_CUR: 0x25, SERROR: 0x2f } as const;
