/** @module An abort or SError of an Arm CPU: raw register values only; everything else is derived from them. */
import type { RecordOrigin } from '../registers/origin.ts';

/** Registers are u64 bigint; a missing member was not reported. */
export interface ArmSeaRecord {
  kind: 'arm-sea';
  /** ESR_ELx; for a KVM exit the value KVM passes on, which is a reduced ESR_EL2. */
  esr: bigint;
  /** The level whose ESR this is, where that is known: 1 a guest's or kernel's own, 2 a hypervisor's. */
  el?: 1 | 2 | 3;
  /** FAR_ELx. */
  far?: bigint;
  /** HPFAR_EL2. */
  hpfar?: bigint;
  /** PFAR_ELx (FEAT_PFAR). */
  pfar?: bigint;
  /** KVM_EXIT_ARM_SEA: flags, guest virtual and guest physical address as in the exit structure. */
  flags?: bigint;
  gva?: bigint;
  gpa?: bigint;
  /**
   * Guest physical address that the VMM found for `gva` in the guest's stage 1 tables, where the exit gave none. It is
   * that of the access; the error lies there only when the access itself was aborted, not a table walk it needed.
   */
  walkedGpa?: bigint;
  /** Program counter the exception came from. */
  elr?: bigint;
  cpu?: number;
  /** Whether the CPU that reported it has FEAT_RAS, where that is known. */
  ras?: boolean;
  origin?: RecordOrigin;
}
