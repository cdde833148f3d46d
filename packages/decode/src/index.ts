/**
 * @module Everything that is public: decode any input, make records, say what becomes of them. Nothing here throws on data
 * that is read; what is not named here is inner and may change.
 */
// Any input in, decoded records out: class, severity, fields, lint, explanation, next step, outlook.
export { createDecoder, decode } from './decode/decoder.ts';
export type { DecoderOptions } from './decode/decoder.ts';
export { FORMS } from './decode/form.ts';
export type { Form } from './decode/form.ts';
export type { DecodedRecord, DecodedSource, Diagnostic, Finding, RawRecord } from './decode/record.ts';
// One record: of raw values, to a worker and back, as data, as text.
export { dataOf, recordOf } from './decode/transfer.ts';
export type { RecordData } from './decode/transfer.ts';
export { toData } from './decode/record.ts';
export { toText } from './decode/to-text.ts';
export { stringify } from './common/hex.ts';
// What many records come to: the worst, the parts, how often, what is one error.
export { Triage } from './triage/triage.ts';
export type { TriageReport } from './triage/triage.ts';
export { ticketOf } from './triage/ticket.ts';
export { triageHead } from './triage/triage-text.ts';
// What a raw record of any kind holds, field by field, and whether it can be real.
export { describe, lint } from './decode/record-rules.ts';
export type { RegisterView } from './registers/view.ts';
export { stripOf } from './decode/bit-strip.ts';
// Make one.
export { encodeCper } from './cper/region.ts';
export { encodeEsr, namedEsr } from './arm/encode.ts';
export { namedMca } from './mca/named.ts';
export { MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './mca/registers.ts';
export type { BitField, BitsField } from './registers/register.ts';
export type { ArmSeaRecord } from './arm/record.ts';
export type { CperRecord } from './cper/record.ts';
export type { X86McaRecord } from './mca/record.ts';
// What Linux, Xen, QEMU and KVM do with it, and by which rule.
export { predict, predictChain } from './outlook/predict.ts';
export { settings } from './outlook/settings.ts';
export type { SettingInfo } from './outlook/settings.ts';
export type { OutlookContext } from './outlook/context.ts';
export type { Prediction } from './outlook/prediction.ts';
// Put it into a machine: what is typed, what it may do, what the guest finds.
export { ghesInjection } from './inject/ghes.ts';
export { mceInjection } from './inject/mce.ts';
export type { Injection } from './inject/injection.ts';
export { dangersOfInjection, seenRecord } from './inject/outcome.ts';
export { commandOf, wordsOf } from './inject/ways.ts';
// For a VMM that takes KVM_EXIT_ARM_SEA.
export { KVM_CAP_ARM_SEA_TO_USER, KVM_EXIT_ARM_SEA } from './arm/kvm-numbers.ts';
export { decodeArmSea, guestEsr } from './arm/kvm.ts';
// The manuals that fields and findings cite, with their editions.
export { MANUALS } from './registers/manuals.ts';
export { VERSION } from './common/version.ts';
