/**
 * Taking an exception to EL1 by hand: KVM injects an external *data* abort on request (KVM_SET_VCPU_EVENTS), but has no
 * such request for an instruction abort. Arm ARM DDI 0487, D1.3 and AArch64.TakeException. Pure.
 */
import { EC, FNV_BIT, FSC_EXTABT, IL_BIT } from './esr.ts';

interface El1State {
  pc: bigint;
  pstate: bigint;
  vbar: bigint;
  sctlr: bigint;
}

interface El1Entry {
  pc: bigint;
  pstate: bigint;
  elr: bigint;
  spsr: bigint;
  esr: bigint;
  far: bigint;
}

const PSTATE = {
  MODE: 0x1fn,
  EL1H: 0x5n,
  EL0T: 0x0n,
  SP_SELECT: 0x1n,
  AARCH32: 0x10n,
  DAIF: 0x3c0n,
  NZCV: 0xf000_0000n,
  TCO: 1n << 25n,
  DIT: 1n << 24n,
  PAN: 1n << 22n,
  SSBS: 1n << 12n,
} as const;
const SCTLR_SPAN = 1n << 23n;
const SCTLR_DSSBS = 1n << 44n;

/** Offsets of the synchronous vectors (D1.3.1.5): current EL with SP_EL0 or SP_ELx, lower EL in AArch64 or AArch32. */
function vectorOffset(pstate: bigint): bigint {
  if ((pstate & PSTATE.AARCH32) !== 0n) return 0x600n;
  if ((pstate & PSTATE.MODE) === PSTATE.EL0T) return 0x400n;
  return (pstate & PSTATE.SP_SELECT) === 0n ? 0x0n : 0x200n;
}

/** Registers of a vCPU after it has taken an external instruction abort on `address` (undefined: not known, FnV). */
export function externalInstructionAbort(state: El1State, address: bigint | undefined): El1Entry {
  const fromEl0 = (state.pstate & (PSTATE.AARCH32 | 0xcn)) === 0n || (state.pstate & PSTATE.AARCH32) !== 0n;
  const ec = BigInt(fromEl0 ? EC.IABT_LOW : EC.IABT_CUR);
  const kept = state.pstate & (PSTATE.NZCV | PSTATE.DIT | PSTATE.PAN | PSTATE.TCO);
  const pan = (state.sctlr & SCTLR_SPAN) === 0n ? PSTATE.PAN : 0n;
  const ssbs = (state.sctlr & SCTLR_DSSBS) === 0n ? 0n : PSTATE.SSBS;
  return {
    pc: state.vbar + vectorOffset(state.pstate),
    pstate: kept | pan | ssbs | PSTATE.DAIF | PSTATE.EL1H,
    elr: state.pc,
    spsr: state.pstate,
    esr: (ec << 26n) | IL_BIT | (address === undefined ? FNV_BIT : 0n) | FSC_EXTABT,
    far: address ?? 0n,
  };
}
