/** @module What kind of error an abort or SError is, from its syndrome alone. */
import { pageOf, pfnOf } from '../registers/address.ts';
import type { Pfn } from '../registers/address.ts';
import { ESR, ISS_DATA_ABORT, ISS_INSTRUCTION_ABORT, ISS_SERROR, PFAR, faultCodeOf, ipaOf } from './esr.ts';
import { exceptionClass } from './exception-class.ts';
import { faultStatus } from './fault-status.ts';
import type { FaultStatus } from './fault-status.ts';
import { armSeaAddresses } from './kvm.ts';
import type { ArmSeaRecord } from './record.ts';

/**
 * `sea` synchronous external abort of the access itself · `sea-walk` of a table walk it needed · `parity`,
 * `parity-walk` the same without FEAT_RAS, told apart by the fault code · `serror` asynchronous · `mmu-fault` an abort
 * that is no memory error · `reserved` a code or class the architecture does not give · `other` no abort and no SError.
 */
export type ArmClass = 'sea' | 'sea-walk' | 'parity' | 'parity-walk' | 'serror' | 'mmu-fault' | 'reserved' | 'other';

/**
 * State of the PE (Arm RAS): `UC` uncontainable · `UEU` unrecoverable · `UEO` restartable, nothing lost yet · `UER`
 * recoverable by software · `CE` corrected · `unknown` the syndrome does not say.
 */
export type ArmState = 'UC' | 'UEU' | 'UEO' | 'UER' | 'CE' | 'unknown';

/** What the state allows: the system must stop, software may recover, the program may go on, nothing was lost. */
export type ArmSeverity = 'fatal' | 'recoverable' | 'restartable' | 'corrected' | 'none' | 'unknown';

export interface ArmVerdict {
  class: ArmClass;
  state: ArmState;
  /** False where SET is 0 and it is not known whether the CPU has FEAT_RAS: then 0 may say nothing at all. */
  stateCertain: boolean;
  severity: ArmSeverity;
  /** Level of the table walk, -2 to 3. */
  walkLevel?: number;
  access?: 'read' | 'write' | 'instruction' | 'maintenance';
  from?: 'lower' | 'same';
}

const SEVERITY: Readonly<Record<ArmState, ArmSeverity>> = {
  UC: 'fatal',
  UEU: 'fatal',
  UEO: 'restartable',
  UER: 'recoverable',
  CE: 'corrected',
  unknown: 'unknown',
};

const SET_STATE: Readonly<Record<number, ArmState>> = { 0: 'UER', 2: 'UC', 3: 'UEO' };
const AET_STATE: Readonly<Record<number, ArmState>> = { 0: 'UC', 1: 'UEU', 2: 'UEO', 3: 'UER', 6: 'CE' };
const ASYNC_SERROR = 0x11n;

const CLASS: Readonly<Partial<Record<FaultStatus['kind'], ArmClass>>> = {
  'external-abort': 'sea',
  'external-abort-walk': 'sea-walk',
  parity: 'parity',
  'parity-walk': 'parity-walk',
};

/** Classifies a record. Never guesses: what the syndrome does not say is `unknown`. */
export function classifyArm(record: Pick<ArmSeaRecord, 'esr' | 'ras'>): ArmVerdict {
  const { EC, ISS } = ESR.read(record.esr);
  const ec = exceptionClass(Number(EC));
  if (ec === undefined) return { class: 'reserved', state: 'unknown', stateCertain: false, severity: 'unknown' };
  const from = ec.from === undefined ? {} : { from: ec.from };
  if (ec.iss === 'serror') {
    const s = ISS_SERROR.read(ISS);
    // Only an asynchronous SError in the architected format has a state (IDS is 0, DFSC is 0x11).
    const state = !s.IDS && s.DFSC === ASYNC_SERROR ? (AET_STATE[Number(s.AET)] ?? 'unknown') : 'unknown';
    return { class: 'serror', state, stateCertain: state !== 'unknown', severity: SEVERITY[state] };
  }
  if (ec.iss === 'other') return { class: 'other', state: 'unknown', stateCertain: false, severity: 'none', ...from };

  const instruction = ec.iss === 'instruction-abort';
  const data = ISS_DATA_ABORT.read(ISS);
  const code = Number(instruction ? ISS_INSTRUCTION_ABORT.read(ISS).IFSC : data.DFSC);
  const fault = faultStatus(code, instruction ? 'instruction' : 'data');
  const access = instruction ? 'instruction' : data.CM ? 'maintenance' : data.WnR ? 'write' : 'read';
  if (fault === undefined) {
    return { class: 'reserved', state: 'unknown', stateCertain: false, severity: 'unknown', access, ...from };
  }
  const cls = CLASS[fault.kind] ?? 'mmu-fault';
  const level = fault.level === undefined ? {} : { walkLevel: fault.level };
  if (cls === 'mmu-fault') {
    return { class: cls, state: 'unknown', stateCertain: false, severity: 'none', access, ...level, ...from };
  }
  // SET is defined for code 0x10 only, and only with FEAT_RAS.
  const set = Number(data.SET);
  const state = cls === 'sea' && record.ras !== false ? (SET_STATE[set] ?? 'unknown') : 'unknown';
  const stateCertain = state !== 'unknown' && (record.ras === true || set !== 0);
  return { class: cls, state, stateCertain, severity: SEVERITY[state], access, ...level, ...from };
}

/** Whether a syndrome is one of a memory error or of an access that failed; ordinary faults of programs are none. */
export function reportsHardware(esr: bigint): boolean {
  const { class: cls } = classifyArm({ esr });
  return cls !== 'mmu-fault' && cls !== 'other' && cls !== 'reserved';
}

interface ArmPage {
  /** Start of the 4 KiB page. */
  address: bigint;
  pfn: Pfn;
  /** Whose physical address it is: a guest's (IPA) or the machine's. */
  space: 'guest' | 'system';
  from: 'gpa' | 'walkedGpa' | 'hpfar' | 'pfar';
}

/**
 * The page a record names, or undefined: what KVM marked valid; what the VMM found, unless a walk was aborted; PFAR where the syndrome says it holds an address;
 * HPFAR_EL2 for the faults that set it, among which no external abort is.
 */
export function armPageOf(record: ArmSeaRecord): ArmPage | undefined {
  const page = (raw: bigint, space: ArmPage['space'], from: ArmPage['from']): ArmPage => ({
    address: pageOf(raw),
    pfn: pfnOf(raw),
    space,
    from,
  });
  const { gpa } = armSeaAddresses(record);
  if (gpa !== undefined) return page(gpa, 'guest', 'gpa');
  if (record.walkedGpa !== undefined && classifyArm(record).walkLevel === undefined)
    return page(record.walkedGpa, 'guest', 'walkedGpa');
  if (record.pfar !== undefined && pfarValid(record.esr)) return page(PFAR.read(record.pfar).PA, 'system', 'pfar');
  if (record.hpfar !== undefined && record.el !== 1 && hpfarValid(record.esr))
    return page(ipaOf(record.hpfar), 'guest', 'hpfar');
  return undefined;
}

/** PFV: bit 14 of an external abort whose ISV is 0, and of an SError whose IDS is 0. */
function pfarValid(esr: bigint): boolean {
  const { EC, ISS } = ESR.read(esr);
  const kind = exceptionClass(Number(EC))?.iss;
  if (kind === undefined || kind === 'other') return false;
  if (kind === 'serror') {
    const { IDS, PFV } = ISS_SERROR.read(ISS);
    return !IDS && PFV;
  }
  const { ISV, PFV, DFSC } = ISS_DATA_ABORT.read(ISS);
  const fault = faultStatus(Number(DFSC));
  return !ISV && PFV && fault !== undefined && fault.kind.startsWith('external-abort');
}

/**
 * Whether the fault sets HPFAR_EL2 (DDI 0487 D24.2, HPFAR_EL2): translation, access flag and address size faults of stage 2,
 * permission faults on the stage 2 translation of a stage 1 walk, granule protection faults.
 */
export function hpfarValid(esr: bigint): boolean {
  const { EC, ISS } = ESR.read(esr);
  const kind = exceptionClass(Number(EC))?.iss;
  if (kind !== 'data-abort' && kind !== 'instruction-abort') return false;
  const fault = faultStatus(faultCodeOf(ISS), kind === 'data-abort' ? 'data' : 'instruction');
  switch (fault?.kind) {
    case 'translation':
    case 'access-flag':
    case 'address-size':
    case 'granule-protection':
    case 'granule-protection-walk':
      return true;
    case 'permission':
      return ISS_INSTRUCTION_ABORT.read(ISS).S1PTW;
    default:
      return false;
  }
}
