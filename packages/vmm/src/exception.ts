/**
 * Taking an exception to EL1 by hand: KVM injects an external *data* abort on request (KVM_SET_VCPU_EVENTS), but has no
 * such request for an instruction abort. Arm ARM DDI 0487, D1.3 and AArch64.TakeException. Pure.
 */
import { ESR, ISS_INSTRUCTION_ABORT } from '@syndrome/decode/arm/esr.ts';
import { EC } from '@syndrome/decode/arm/exception-class.ts';
import { SEA } from '@syndrome/decode/arm/fault-status.ts';
import { PSTATE, SCTLR_EL1 } from './processor-state.ts';

interface El1State {
  pc: bigint;
  pstate: bigint;
  vbar: bigint;
  sctlr: bigint;
}

/** Registers of a vCPU that has just taken an exception to EL1. */
export interface El1Entry {
  pc: bigint;
  pstate: bigint;
  elr: bigint;
  spsr: bigint;
  esr: bigint;
  far: bigint;
}

/** The exception level of a processor state; AArch32 is a guest's EL0 here. */
export function levelOf(pstate: bigint): number {
  const { AARCH32, EL } = PSTATE.decode(pstate);
  return AARCH32 ? 0 : Number(EL);
}

/** Offsets of the synchronous vectors (D1.3.1.5): current EL with SP_EL0 or SP_ELx, lower EL in AArch64 or AArch32. */
function vectorOffset(pstate: bigint): bigint {
  const { AARCH32, SP } = PSTATE.decode(pstate);
  if (AARCH32) return 0x600n;
  if (levelOf(pstate) === 0) return 0x400n;
  return SP ? 0x200n : 0x0n;
}

/** Registers of a vCPU after it has taken an external instruction abort on `address` (undefined: not known, FnV). */
export function externalInstructionAbort(state: El1State, address: bigint | undefined): El1Entry {
  const before = PSTATE.decode(state.pstate);
  const { SPAN, DSSBS } = SCTLR_EL1.decode(state.sctlr);
  return {
    pc: state.vbar + vectorOffset(state.pstate),
    pstate: PSTATE.encode({
      NZCV: before.NZCV,
      TCO: before.TCO,
      DIT: before.DIT,
      PAN: before.PAN || !SPAN,
      SSBS: DSSBS,
      DAIF: 0xfn,
      EL: 1n,
      SP: true,
    }),
    elr: state.pc,
    spsr: state.pstate,
    esr: ESR.encode({
      EC: BigInt(levelOf(state.pstate) === 0 ? EC.IABT_LOW : EC.IABT_CUR),
      IL: true,
      ISS: ISS_INSTRUCTION_ABORT.encode({ FnV: address === undefined, IFSC: SEA }),
    }),
    far: address ?? 0n,
  };
}
