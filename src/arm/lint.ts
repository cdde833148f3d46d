/** @module Whether an abort or SError can be what a real CPU, or KVM, reports. */
import { hex64 } from '../common/hex.ts';
import {
  ESR,
  HPFAR,
  ISS_DATA_ABORT,
  ISS_DATA_ABORT_ISV,
  ISS_INSTRUCTION_ABORT,
  ISS_SERROR,
  syndromeTables,
} from './esr.ts';
import { EC as CLASS, exceptionClass } from './exception-class.ts';
import { faultStatus, hasLoadStoreType } from './fault-status.ts';
import type { FaultStatus } from './fault-status.ts';
import type { ArmFinding } from './finding.ts';
import { KVM_ARM_SEA_ESR_MASK, KVM_EXIT_ARM_SEA_FLAG_GPA_VALID } from './kvm.ts';
import type { ArmSeaRecord } from './record.ts';

const DDI = 'DDI 0487 D24.2.40';
const DABT = `${DDI}, ISS encoding for a Data Abort`;
const IABT = `${DDI}, ISS encoding for an Instruction Abort`;
const SERR = `${DDI}, ISS encoding for an SError`;
const KVM = 'Linux Documentation/virt/kvm/api.rst, KVM_EXIT_ARM_SEA';

/** What each code says in general, for `--explain`. */
export const ARM_LINT_CODES: Readonly<Record<string, string>> = {
  ARM_RESERVED_CLASS: 'The exception class has no meaning in the architecture.',
  ARM_RESERVED_BITS: 'Bits are set that the architecture keeps 0 for this exception class.',
  ARM_RESERVED_FAULT: 'The fault status code has no meaning for this abort.',
  ARM_FAULT_FEATURE: 'The fault status code exists only with an optional feature of the CPU.',
  ARM_IL_CLEAR: 'IL is 0 where the architecture says it is 1: instruction aborts, SErrors, data aborts without ISV.',
  ARM_PARITY_WITH_RAS: 'The parity and ECC fault codes exist only without FEAT_RAS.',
  ARM_SET_RESERVED: 'SET is 1, a reserved value.',
  ARM_SET_WITHOUT_RAS: 'SET is not 0 on a CPU without FEAT_RAS.',
  ARM_SET_MISPLACED: 'SET is not 0, but the fault is not code 0x10, the only one that has it.',
  ARM_FNV_MISPLACED: 'FnV is set, but the fault is not code 0x10, the only one that has it.',
  ARM_FNV_WITH_FAR: 'An address is given although FnV says that it is not valid.',
  ARM_EA_MISPLACED: 'EA is set on a fault that is not an external abort.',
  ARM_S1PTW_ABORT: 'S1PTW is set on an external abort of the access itself; it speaks of a table walk.',
  ARM_S1PTW_EL1: 'S1PTW is set in an EL1 syndrome; stage 2 faults are taken to EL2.',
  ARM_ISV_EXTERNAL: 'ISV is set on an external abort; only stage 2 faults describe the instruction.',
  ARM_ISV_EL1: 'ISV is set in an EL1 syndrome; only EL2 gets the instruction described.',
  ARM_VNCR_EL1: 'VNCR is set in an EL1 syndrome; such accesses are reported to EL2.',
  ARM_AET_IDS: 'IDS is set: the format belongs to the implementation, and an AET read from it means nothing.',
  ARM_AET_RESERVED: 'AET is 4, 5 or 7, reserved values.',
  ARM_AET_UNCATEGORIZED: 'AET or EA is not 0 although DFSC says uncategorized.',
  ARM_SERROR_FAULT: 'The DFSC of an SError is 0 or 0x11, nothing else.',
  ARM_HPFAR_RESERVED: 'Reserved bits of HPFAR_EL2 are set.',
  ARM_KVM_CLASS: 'KVM exits for an abort of the guest, which is always from a lower level (0x20 or 0x24).',
  ARM_KVM_FAULT: 'KVM exits with this reason only for a synchronous external abort.',
  ARM_KVM_MASKED: 'Bits are set that KVM removes from the syndrome before it exits.',
  ARM_KVM_FLAGS: 'Flag bits are set that the exit does not define.',
  ARM_KVM_GPA: 'A guest physical address is given without the flag that makes it valid.',
};

/** Checks a record. Findings come in a fixed order; none means that nothing speaks against the record. */
export function lintArm(record: ArmSeaRecord): ArmFinding[] {
  const findings: ArmFinding[] = [];
  const add = (
    code: string,
    severity: ArmFinding['severity'],
    message: string,
    section: string,
    bits?: readonly [number, number],
  ): void => {
    findings.push(
      bits === undefined ? { code, severity, message, section } : { code, severity, message, section, bits },
    );
  };
  const esr = BigInt.asUintN(64, record.esr);
  const { EC, IL, ISS, ISS2 } = ESR.decode(esr);
  const cls = exceptionClass(Number(EC));
  if (cls === undefined) {
    add('ARM_RESERVED_CLASS', 'error', `exception class 0x${EC.toString(16)} is reserved`, DDI, [31, 26]);
  }
  if (esr >> 56n !== 0n) add('ARM_RESERVED_BITS', 'warning', 'bits 63:56 are reserved', DDI, [63, 56]);
  const tables = syndromeTables(esr);
  const stray = tables.iss.decode(ISS).reserved;
  if (cls !== undefined && cls.iss !== 'other' && stray !== 0n) {
    add(
      'ARM_RESERVED_BITS',
      'warning',
      `reserved bits of the ISS are set: ${hex64(stray)}`,
      tables.iss.source,
      [24, 0],
    );
  }
  const stray2 = tables.iss2.decode(ISS2).reserved;
  if (cls !== undefined && cls.iss !== 'other' && stray2 !== 0n) {
    add(
      'ARM_RESERVED_BITS',
      'warning',
      `reserved bits of ISS2 are set: ${hex64(stray2)}`,
      tables.iss2.source,
      [55, 32],
    );
  }
  const top = ISS >> 24n === 1n;
  const wantsIl = cls?.iss === 'instruction-abort' || cls?.iss === 'serror' || (cls?.iss === 'data-abort' && !top);
  if (wantsIl && !IL) add('ARM_IL_CLEAR', 'error', `IL is 0 in ${cls?.name ?? ''}`, DDI, [25, 25]);

  if (cls?.iss === 'serror') lintSError(ISS, add);
  if (cls?.iss === 'data-abort' || cls?.iss === 'instruction-abort') {
    lintAbort(record, ISS, cls.iss === 'instruction-abort', top, add);
  }
  if (record.hpfar !== undefined && HPFAR.decode(record.hpfar).reserved !== 0n) {
    add('ARM_HPFAR_RESERVED', 'warning', `HPFAR_EL2 ${hex64(record.hpfar)} has reserved bits set`, 'DDI 0487 D24.2.67');
  }
  if (record.flags !== undefined) lintKvm(record, esr, add);
  return findings;
}

type Add = (
  code: string,
  severity: ArmFinding['severity'],
  message: string,
  section: string,
  bits?: readonly [number, number],
) => void;

function lintSError(iss: bigint, add: Add): void {
  const s = ISS_SERROR.decode(iss);
  if (s.IDS) {
    if (s.AET !== 0n) {
      add('ARM_AET_IDS', 'info', `IDS is set, bits 12:10 are not AET but IMPLEMENTATION DEFINED`, SERR, [24, 24]);
    }
    return;
  }
  if (s.DFSC !== 0n && s.DFSC !== 0x11n) {
    add('ARM_SERROR_FAULT', 'error', `DFSC 0x${s.DFSC.toString(16)} is reserved for an SError`, SERR, [5, 0]);
  }
  if (s.DFSC === 0n && (s.AET !== 0n || s.EA)) {
    add('ARM_AET_UNCATEGORIZED', 'warning', 'AET and EA have no meaning in an uncategorized SError', SERR, [12, 9]);
  }
  if (s.DFSC === 0x11n && (s.AET === 4n || s.AET === 5n || s.AET === 7n)) {
    add('ARM_AET_RESERVED', 'error', `AET ${s.AET} is reserved`, SERR, [12, 10]);
  }
}

function lintAbort(record: ArmSeaRecord, iss: bigint, instruction: boolean, top: boolean, add: Add): void {
  const section = instruction ? IABT : DABT;
  const name = instruction ? 'IFSC' : 'DFSC';
  const i = ISS_INSTRUCTION_ABORT.decode(iss);
  const d = ISS_DATA_ABORT.decode(iss);
  const code = Number(d.DFSC);
  const fault: FaultStatus | undefined = faultStatus(code, instruction ? 'instruction' : 'data');
  if (fault === undefined) {
    add('ARM_RESERVED_FAULT', 'error', `${name} 0x${code.toString(16).padStart(2, '0')} is reserved`, section, [5, 0]);
    return;
  }
  if (fault.needs !== undefined) {
    add('ARM_FAULT_FEATURE', 'info', `${fault.text}: only with ${fault.needs}`, section, [5, 0]);
  }
  const external = fault.kind.startsWith('external-abort');
  const direct = fault.kind === 'external-abort';
  if (fault.withoutRas && record.ras === true) {
    add('ARM_PARITY_WITH_RAS', 'error', `${fault.text}: with FEAT_RAS it is an external abort`, section, [5, 0]);
  }
  if (direct && i.SET === 1n) add('ARM_SET_RESERVED', 'error', 'SET 1 is reserved', section, [12, 11]);
  if (direct && i.SET !== 0n && record.ras === false) {
    add('ARM_SET_WITHOUT_RAS', 'error', `SET ${i.SET} on a CPU without FEAT_RAS`, section, [12, 11]);
  }
  const lst = !instruction && hasLoadStoreType(code);
  if (!direct && !lst && i.SET !== 0n) {
    add(
      'ARM_SET_MISPLACED',
      'warning',
      `SET ${i.SET} with ${name} 0x${code.toString(16)}: ${fault.text}`,
      section,
      [12, 11],
    );
  }
  if (!direct && i.FnV) add('ARM_FNV_MISPLACED', 'warning', `FnV with ${fault.text}`, section, [10, 10]);
  const address = record.far ?? (record.flags === undefined ? undefined : record.gva);
  if (direct && i.FnV && address !== undefined && address !== 0n) {
    add('ARM_FNV_WITH_FAR', 'warning', `FnV is set, so the address ${hex64(address)} says nothing`, section, [10, 10]);
  }
  if (!external && !fault.kind.startsWith('parity') && i.EA) {
    add('ARM_EA_MISPLACED', 'warning', `EA with ${fault.text}`, section, [9, 9]);
  }
  if (i.S1PTW && direct) add('ARM_S1PTW_ABORT', 'warning', 'S1PTW on an abort that was not on a walk', section, [7, 7]);
  if (i.S1PTW && record.el === 1) {
    add('ARM_S1PTW_EL1', 'error', 'S1PTW speaks of stage 2, whose faults are taken to EL2', section, [7, 7]);
  }
  if (instruction) return;
  if (top && (external || fault.kind.startsWith('parity'))) {
    add('ARM_ISV_EXTERNAL', 'warning', `ISV with ${fault.text}`, section, [24, 24]);
  }
  if (top && record.el === 1) add('ARM_ISV_EL1', 'warning', 'ISV in ESR_EL1', section, [24, 24]);
  if (ISS_DATA_ABORT_ISV.decode(iss).VNCR && record.el === 1) {
    add('ARM_VNCR_EL1', 'error', 'VNCR in ESR_EL1', section, [13, 13]);
  }
}

function lintKvm(record: ArmSeaRecord, esr: bigint, add: Add): void {
  const ec = Number(ESR.decode(esr).EC);
  const flags = record.flags ?? 0n;
  if (ec !== CLASS.IABT_LOW && ec !== CLASS.DABT_LOW) {
    add('ARM_KVM_CLASS', 'error', `a KVM exit with class 0x${ec.toString(16)}`, KVM, [31, 26]);
  } else {
    const kind = faultStatus(Number(esr & 0x3fn), ec === CLASS.IABT_LOW ? 'instruction' : 'data')?.kind;
    if (kind === undefined || !(kind.startsWith('external-abort') || kind.startsWith('parity'))) {
      add('ARM_KVM_FAULT', 'error', 'a KVM exit that is no synchronous external abort', KVM, [5, 0]);
    }
  }
  const masked = esr & ~KVM_ARM_SEA_ESR_MASK;
  if (masked !== 0n) add('ARM_KVM_MASKED', 'warning', `KVM never passes on ${hex64(masked)}`, KVM);
  if ((flags & ~KVM_EXIT_ARM_SEA_FLAG_GPA_VALID) !== 0n) {
    add('ARM_KVM_FLAGS', 'warning', `flags ${hex64(flags)}: only bit 0 is defined`, KVM);
  }
  if ((flags & KVM_EXIT_ARM_SEA_FLAG_GPA_VALID) === 0n && (record.gpa ?? 0n) !== 0n) {
    add('ARM_KVM_GPA', 'warning', `gpa ${hex64(record.gpa ?? 0n)} without its flag says nothing`, KVM);
  }
}
