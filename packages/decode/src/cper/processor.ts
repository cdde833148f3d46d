/** @module The generic processor error section. Source: UEFI 2.10 N.2.4.1. */
import { text, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';

/** Bits of `errorType`. */
export const PROCESSOR_ERROR_TYPES: Readonly<Record<number, string>> = {
  0: 'unknown',
  1: 'cache error',
  2: 'TLB error',
  4: 'bus error',
  8: 'micro-architectural error',
};

export const PROCESSOR_LAYOUT: Layout = {
  name: 'generic processor section',
  source: 'UEFI 2.10 N.2.4.1',
  length: 192,
  validation: { at: 0, size: 8 },
  fields: [
    u8('processorType', 8, { valid: 0, values: { 0: 'IA32/X64', 1: 'IA64', 2: 'ARM' } }),
    u8('isa', 9, { valid: 1, values: { 0: 'IA32', 1: 'IA64', 2: 'X64', 3: 'ARM A32/T32', 4: 'ARM A64' } }),
    u8('errorType', 10, { valid: 2, values: PROCESSOR_ERROR_TYPES }),
    u8('operation', 11, {
      valid: 3,
      values: { 0: 'unknown or generic', 1: 'data read', 2: 'data write', 3: 'instruction execution' },
    }),
    u8('flags', 12, { valid: 4 }),
    u8('level', 13, { valid: 5 }),
    u64('cpuVersion', 16, { valid: 6, meaning: 'x86: CPUID leaf 1 EAX; Arm: MIDR' }),
    text('brand', 24, 128, { valid: 7 }),
    u64('processorId', 152, { valid: 8, meaning: 'x86: APIC id; Arm: MPIDR' }),
    u64('targetAddress', 160, { valid: 9 }),
    u64('requestorId', 168, { valid: 10 }),
    u64('responderId', 176, { valid: 11 }),
    u64('instructionPointer', 184, { valid: 12 }),
  ],
};
