/** @module The machine check room: record, registers, error codes, class, severity, component, explanation, lint, named records. */
export type { McaVendor, RecordOrigin, X86McaRecord } from './record.ts';
export {
  ADDRESS_MODE_PHYSICAL,
  MCG_CAP,
  MCG_CTL,
  MCG_EXT_CTL,
  MCG_STATUS,
  MCI_CTL,
  MCI_CTL2,
  MCI_MISC,
  MCI_MISC_IO,
  MCI_STATUS_AMD,
  MCI_STATUS_INTEL,
} from './registers.ts';
export {
  MCA_ADDR,
  MCA_ADDR_WIDE,
  MCA_CONFIG,
  MCA_DESTAT,
  MCA_IPID,
  MCA_MISC0,
  MCA_SYND,
  MCI_STATUS_AMD_LEGACY,
  thresholdBlock,
} from './amd-registers.ts';
export type { ThresholdBlock } from './amd-registers.ts';
export { CPUID_1_EAX, cpuModel, cpuOf, signatureName, vendorOfCpu } from './cpu.ts';
export type { CpuModel } from './cpu.ts';
export { decodeMcacod, isMemoryCode } from './mcacod.ts';
export type { Mcacod, McacodClass, McacodFields } from './mcacod.ts';
export { INTEL_FAMILIES, intelFamily, intelModelInfo, intelPlace, intelUnit } from './intel-model.ts';
export type { IntelFamily, IntelModelInfo, IntelPlace, IntelUnit, MscodRow } from './intel-model.ts';
export { SMCA_BANKS, smcaBank, umcPlace } from './smca-banks.ts';
export type { SmcaArea, SmcaBank, UmcPlace } from './smca-banks.ts';
export { MCA_NOTES, deferredRecord, errorsOf, fruText } from './smca-extra.ts';
export { isLegacyAmd, legacyBank, legacyText } from './amd-legacy.ts';
export type { LegacyBank } from './amd-legacy.ts';
export { classify, gradedClass } from './classify.ts';
export type { McaClass } from './classify.ts';
export { MCA_SEVERITIES, severity } from './severity.ts';
export type { McaSeverity } from './severity.ts';
export { amdAddressLsb, pageOf, pfnOf } from './page.ts';
export type { PageRef, Pfn } from './page.ts';
export { component, ioRootPort, isFirmwareBank } from './component.ts';
export type { Component, ComponentArea } from './component.ts';
export { describeRecord, miscRegister, statusRegister } from './describe.ts';
export type { RegisterView } from './describe.ts';
export { errorText, errorWords } from './error-words.ts';
export type { ErrorWords } from './error-words.ts';
export { explain } from './explain.ts';
export { isDowngradedScrub } from './downgraded.ts';
export { nextStep } from './next-step.ts';
export { lint } from './lint.ts';
export type { LintContext } from './lint.ts';
export { LINT_CODES } from './lint-codes.ts';
export type { Finding, FindingBits, LintCode, LintCodeId, LintSeverity } from './lint-codes.ts';
export { decodeXenMcelog, XEN_MCE_BYTES } from './xen-mcelog.ts';
export { NAMED_MCA, namedMca } from './named.ts';
export type { NamedMca } from './named.ts';
