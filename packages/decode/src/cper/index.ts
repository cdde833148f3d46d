/** @module UEFI error records, ACPI generic error status blocks and their sections, both ways. */
export {
  ARM_BUS_ERROR,
  ARM_CACHE_ERROR,
  ARM_CONTEXT_TYPES,
  ARM_ERROR_FLAGS,
  ARM_TLB_ERROR,
  armErrorInfoTable,
  armErrorTypeDoubt,
  armErrorTypeNames,
} from './arm.ts';
export { bodyCorrected, classifyCper } from './classify.ts';
export type { CperClass, CperVerdict } from './classify.ts';
export { armContextRegisters, describeSection } from './describe.ts';
export { CPER_DIAGNOSTICS, CperError } from './error.ts';
export type { CperDiagnostic } from './error.ts';
export { explainBody, explainCper } from './explain.ts';
export * from './guid.ts';
export type { CperKept, Layout, LayoutField, MemberRow } from './layout.ts';
export { bodyFromJson, cperFromJson, cperToJson, regionFromJson } from './json.ts';
export type { Json } from './json.ts';
export {
  CPER_ERROR_STATUS,
  MEMORY2_SECTION_LENGTH,
  MEMORY_ERROR_TYPES,
  MEMORY_SECTION_LENGTH,
  decodeMemoryError,
  decodeMemoryError2,
  encodeMemoryError,
  encodeMemoryError2,
  memoryErrorTypeName,
} from './memory.ts';
export { lintCper } from './lint.ts';
export { CPER_LINT_CODES } from './lint-codes.ts';
export type { CperFinding, CperLintCode, CperLintCodeId, CperLintSeverity } from './lint-codes.ts';
export { maskLsb, pagesOfBody, pagesOfCper } from './page.ts';
export type { CperPage, CperPfn } from './page.ts';
export { CPER_SEVERITIES, QEMU_GHES_MAX_BYTES, decodeGhesBlock, encodeGhesBlock, rawDataOf } from './ghes.ts';
export type { GhesBlockInput, GhesRead, GhesSectionInput } from './ghes.ts';
export type * from './record.ts';
export { CperReader, looksLikeGhesBlock } from './reader.ts';
export type { CperFound, CperSink } from './reader.ts';
export { decodeCper, encodeCper, encodeCperRegion } from './region.ts';
export type { CperRegion } from './region.ts';
export {
  SECTIONS,
  decodeSection,
  encodeSection,
  sectionName,
  sectionOfKind,
  sectionType,
} from './sections.ts';
export type { CperKind, CperKnownBody, SectionType } from './sections.ts';
export { decodeTimestamp, encodeTimestamp } from './timestamp.ts';
export type { CperTime } from './timestamp.ts';
export {
  RECORD_FLAGS,
  RECORD_HEADER_LENGTH,
  SECTION_FLAGS,
  decodeCperRecord,
  encodeCperRecord,
  isCperRecord,
  makeCperRecord,
} from './uefi-record.ts';
export type { RecordRead } from './uefi-record.ts';
export {
  X86_BUS_CHECK,
  X86_CACHE_CHECK,
  X86_CHECKS,
  X86_CHECK_BUS,
  X86_CHECK_CACHE,
  X86_CHECK_MS,
  X86_CHECK_TLB,
  X86_CONTEXT_TYPES,
  X86_MS_CHECK,
  X86_TLB_CHECK,
} from './x86.ts';
export { mcaBanksOf } from './x86-mca.ts';
export type { CperMcaBank } from './x86-mca.ts';
