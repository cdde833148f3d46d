/** @module Whether an abort or SError can be what a real CPU, or KVM, reports. */
import { joined } from '../registers/field.ts';
import { hex64 } from '../common/hex.ts';
import { bySeverity, findingAt, runsOf } from '../registers/finding.ts';
import type { FindingPlace } from '../registers/finding.ts';
import { hpfarValid } from './classify.ts';
import { ESR, HPFAR, ISS_DATA_ABORT, ISS_INSTRUCTION_ABORT, ISS_SERROR, faultCodeOf, syndromeTables } from './esr.ts';
import { EC as CLASS, exceptionClass } from './exception-class.ts';
import { faultStatus, hasLoadStoreType, isMemoryError } from './fault-status.ts';
import { KVM_EXIT_ARM_SEA_FLAG_GPA_VALID } from './kvm-numbers.ts';
import { KVM_ARM_SEA_ESR_MASK } from './kvm.ts';
import { ARM_LINT_CODES } from './lint-codes.ts';
import type { ArmFinding, ArmLintCodeId } from './lint-codes.ts';
import type { ArmSeaRecord } from './record.ts';

const hex = (n: number | bigint): string => `0x${n.toString(16).padStart(2, '0')}`;

type Place = FindingPlace<keyof ArmSeaRecord>;
type Add = (code: ArmLintCodeId, note: string | undefined, ...places: Place[]) => void;

const bits = (hi: number, lo = hi): Place => ({ member: 'esr', register: 'ESR', hi, lo });

/** What is wrong or remarkable about a record, errors first. Empty for one that nothing speaks against. */
export function lintArm(record: ArmSeaRecord): ArmFinding[] {
  const findings: ArmFinding[] = [];
  const add: Add = (code, note, ...places) => {
    const { severity, title, section } = ARM_LINT_CODES[code];
    findings.push(findingAt(code, severity, note === undefined ? title : `${title}: ${note}`, section, places));
  };
  const esr = BigInt.asUintN(64, record.esr);
  lintSyndrome(esr, add);
  const { EC, ISS } = ESR.read(esr);
  const kind = exceptionClass(Number(EC))?.iss;
  if (kind === 'serror') lintSError(ISS, add);
  if (kind === 'data-abort' || kind === 'instruction-abort') lintAbort(record, ISS, kind === 'instruction-abort', add);
  if (record.hpfar !== undefined) {
    const { reserved } = HPFAR.read(record.hpfar);
    if (reserved !== 0n) add('L_ARM_HPFAR_RESERVED', hex64(record.hpfar), ...runsOf('hpfar', HPFAR.name, reserved));
    if (record.hpfar !== 0n && !hpfarValid(esr)) add('L_ARM_HPFAR_UNKNOWN', hex64(record.hpfar), 'hpfar', bits(5, 0));
  }
  if (record.flags !== undefined) lintKvm(record, esr, record.flags, add);
  return findings.sort(bySeverity);
}

function lintSyndrome(esr: bigint, add: Add): void {
  const { EC, IL, ISS, ISS2, reserved } = ESR.read(esr);
  const cls = exceptionClass(Number(EC));
  if (cls === undefined) add('L_ARM_RESERVED_CLASS', hex(EC), bits(31, 26));
  if (reserved !== 0n) add('L_ARM_RESERVED_BITS', 'bits 63:56', bits(63, 56));
  if (cls === undefined || cls.iss === 'other') return;
  const { iss, iss2 } = syndromeTables(esr);
  const stray = joined(iss2.read(ISS2).reserved, iss.read(ISS).reserved);
  if (stray !== 0n) add('L_ARM_RESERVED_BITS', hex64(stray), ...runsOf('esr', 'ESR', stray));
  const isv = cls.iss === 'data-abort' && ISS_DATA_ABORT.read(ISS).ISV;
  if (!isv && !IL) add('L_ARM_IL_CLEAR', cls.name, bits(25));
}

function lintSError(iss: bigint, add: Add): void {
  const s = ISS_SERROR.read(iss);
  if (s.IDS) {
    if (s.AET !== 0n) add('L_ARM_AET_IDS', undefined, bits(24), bits(12, 10));
    return;
  }
  if (s.DFSC === 0n) {
    if (s.AET !== 0n || s.EA) add('L_ARM_AET_UNCATEGORIZED', undefined, bits(12, 9));
  } else if (s.DFSC !== 0x11n) {
    add('L_ARM_SERROR_FAULT', hex(s.DFSC), bits(5, 0));
  } else if (s.AET === 4n || s.AET === 5n || s.AET === 7n) {
    add('L_ARM_AET_RESERVED', String(s.AET), bits(12, 10));
  }
}

function lintAbort(record: ArmSeaRecord, iss: bigint, instruction: boolean, add: Add): void {
  const { SET, FnV, EA, S1PTW, IFSC } = ISS_INSTRUCTION_ABORT.read(iss);
  const code = Number(IFSC);
  const fault = faultStatus(code, instruction ? 'instruction' : 'data');
  if (fault === undefined) {
    add('L_ARM_RESERVED_FAULT', hex(code), bits(5, 0));
    return;
  }
  if (fault.needs !== undefined) add('L_ARM_FAULT_FEATURE', `${fault.text}, ${fault.needs}`, bits(5, 0));
  if (fault.withoutRas && record.ras === true) add('L_ARM_PARITY_WITH_RAS', hex(code), bits(5, 0), 'ras');
  if (fault.kind === 'external-abort') {
    if (SET === 1n) add('L_ARM_SET_RESERVED', undefined, bits(12, 11));
    if (SET !== 0n && record.ras === false) add('L_ARM_SET_WITHOUT_RAS', String(SET), bits(12, 11), 'ras');
    const address = record.far ?? record.gva ?? 0n;
    if (FnV && address !== 0n)
      add('L_ARM_FNV_WITH_FAR', hex64(address), bits(10), record.far === undefined ? 'gva' : 'far');
    if (S1PTW) add('L_ARM_S1PTW_ABORT', undefined, bits(7));
  } else {
    const lst = !instruction && hasLoadStoreType(code);
    if (!lst && SET !== 0n) add('L_ARM_SET_MISPLACED', fault.text, bits(12, 11));
    if (FnV) add('L_ARM_FNV_MISPLACED', fault.text, bits(10));
  }
  if (EA && !isMemoryError(fault.kind)) add('L_ARM_EA_MISPLACED', fault.text, bits(9));
  const el1 = record.el === 1;
  if (S1PTW && el1) add('L_ARM_S1PTW_EL1', undefined, bits(7), 'el');
  if (instruction) return;
  const { ISV, VNCR } = ISS_DATA_ABORT.read(iss);
  if (ISV && isMemoryError(fault.kind)) add('L_ARM_ISV_EXTERNAL', fault.text, bits(24));
  if (ISV && el1) add('L_ARM_ISV_EL1', undefined, bits(24), 'el');
  if (VNCR && el1) add('L_ARM_VNCR_EL1', undefined, bits(13), 'el');
}

function lintKvm(record: ArmSeaRecord, esr: bigint, flags: bigint, add: Add): void {
  const { EC, ISS } = ESR.read(esr);
  const ec = Number(EC);
  if (ec !== CLASS.IABT_LOW && ec !== CLASS.DABT_LOW) {
    add('L_ARM_KVM_CLASS', hex(ec), bits(31, 26));
  } else {
    const code = faultCodeOf(ISS);
    const fault = faultStatus(code);
    if (fault === undefined || !isMemoryError(fault.kind)) add('L_ARM_KVM_FAULT', hex(code), bits(5, 0));
  }
  const masked = esr & ~KVM_ARM_SEA_ESR_MASK;
  if (masked !== 0n) add('L_ARM_KVM_MASKED', hex64(masked), ...runsOf('esr', 'ESR', masked));
  const unknown = flags & ~KVM_EXIT_ARM_SEA_FLAG_GPA_VALID;
  if (unknown !== 0n) add('L_ARM_KVM_FLAGS', hex64(flags), ...runsOf('flags', 'flags', unknown));
  const gpa = record.gpa ?? 0n;
  if ((flags & KVM_EXIT_ARM_SEA_FLAG_GPA_VALID) === 0n && gpa !== 0n) add('L_ARM_KVM_GPA', hex64(gpa), 'flags', 'gpa');
}
