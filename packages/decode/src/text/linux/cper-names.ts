/** @module Names the kernel prints for kinds in a CPER record, each list in the order of the numbers it stands for. */
import { X86_CHECK_BUS, X86_CHECK_CACHE, X86_CHECK_MS, X86_CHECK_TLB } from '../../cper/x86.ts';

/** Types of an ARM register context (UEFI 2.10 N.2.4.4.2). */
export const ARM_CONTEXT_NAMES: readonly string[] = [
  'AArch32 general purpose registers',
  'AArch32 EL1 context registers',
  'AArch32 EL2 context registers',
  'AArch32 secure context registers',
  'AArch64 general purpose registers',
  'AArch64 EL1 context registers',
  'AArch64 EL2 context registers',
  'AArch64 EL3 context registers',
  'Misc. system register structure',
];

/** Types of an IA32/X64 register context (UEFI 2.10 N.2.4.2.2). */
export const X86_CONTEXT_NAMES: readonly string[] = [
  'Unclassified Data',
  'MSR Registers (Machine Check and other MSRs)',
  '32-bit Mode Execution Context',
  '64-bit Mode Execution Context',
  'FXSAVE Context',
  '32-bit Mode Debug Registers (DR0-DR7)',
  '64-bit Mode Debug Registers (DR0-DR7)',
  'Memory Mapped Registers',
];

/** Kinds of check of an IA32/X64 section. */
export const PRINTED_CHECKS: Readonly<Record<string, string>> = {
  'cache error': X86_CHECK_CACHE,
  'TLB error': X86_CHECK_TLB,
  'bus error': X86_CHECK_BUS,
  'micro-architectural error': X86_CHECK_MS,
};

/** Types of a firmware error record (UEFI 2.10 N.2.10). */
export const FIRMWARE_TYPES: readonly string[] = [
  'IPF SAL Error Record',
  'SOC Firmware Error Record Type1 (Legacy CrashLog Support)',
  'SOC Firmware Error Record Type2',
];
