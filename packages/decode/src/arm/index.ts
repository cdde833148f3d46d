/** @module ESR_ELx and the aborts and SErrors behind it, both ways. */
export { armPageOf, classifyArm, hpfarValid } from './classify.ts';
export type { ArmClass, ArmPage, ArmPfn, ArmSeverity, ArmState, ArmVerdict } from './classify.ts';
export { NAMED_ESR, encodeEsr, namedEsr } from './encode.ts';
export type { EsrFields, NamedEsr } from './encode.ts';
export { ArmError } from './errors.ts';
export {
  ESR,
  HPFAR,
  ISS2_DATA_ABORT,
  ISS2_INSTRUCTION_ABORT,
  ISS2_NONE,
  ISS_DATA_ABORT,
  ISS_DATA_ABORT_ISV,
  ISS_INSTRUCTION_ABORT,
  ISS_SERROR,
  ISS_SERROR_IDS,
  PFAR,
  describeEsr,
  hpfarOf,
  ipaOf,
  syndromeTables,
} from './esr.ts';
export { EC, EXCEPTION_CLASSES, exceptionClass, exceptionClassByName } from './exception-class.ts';
export type { ExceptionClass, IssKind } from './exception-class.ts';
export { explainArm } from './explain.ts';
export { FAULT_STATUS, faultCode, faultStatus, hasLoadStoreType, isMemoryError } from './fault-status.ts';
export type { FaultKind, FaultStatus } from './fault-status.ts';
export {
  ARM_SEA_LENGTH,
  KVM_ARM_SEA_ESR_MASK,
  KVM_CAP_ARM_SEA_TO_USER,
  KVM_EXIT_ARM_SEA,
  KVM_EXIT_ARM_SEA_FLAG_GPA_VALID,
  armSeaAddresses,
  decodeArmSea,
  encodeArmSea,
  guestEsr,
  kvmExitOf,
} from './kvm.ts';
export { lintArm } from './lint.ts';
export { ARM_LINT_CODES } from './lint-codes.ts';
export type { ArmFinding, ArmLintCode, ArmLintCodeId, ArmLintSeverity } from './lint-codes.ts';
export type { ArmSeaRecord } from './record.ts';
export { ESR_WORDS, esrOfWords } from './words.ts';
export type { WordedEsr } from './words.ts';
