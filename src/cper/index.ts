/** @module CPER sections and the ACPI generic error status block, both ways. */
export { CperError } from './error.ts';
export type { CperDiagnostic } from './error.ts';
export * from './guid.ts';
export {
  CPER_ERROR_STATUS,
  MEMORY_ERROR_TYPES,
  MEMORY_SECTION_LENGTH,
  decodeMemoryError,
  encodeMemoryError,
  memoryErrorTypeName,
} from './memory.ts';
export { CPER_SEVERITIES, QEMU_GHES_MAX_BYTES, decodeGhesBlock, encodeGhesBlock } from './ghes.ts';
export type { GhesBlockInput, GhesSectionInput } from './ghes.ts';
export type { CperMemoryError, CperRawSection, CperRecord, CperSection, CperSeverity } from './record.ts';
