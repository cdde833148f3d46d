/**
 * @module Syndromes with which a VMM gives its guest bad memory. Machine checks that a VMM builds: mca/vmm-made.ts.
 * Sources: Linux Documentation/virt/kvm/api.rst, KVM_SET_VCPU_EVENTS (ext_dabt_pending); QEMU target/arm/kvm.c
 * kvm_arch_on_sigbus_vcpu(); Arm ARM DDI 0487 D24.2.40.
 */
import { ESR, ISS_DATA_ABORT } from './esr.ts';
import { EC } from './exception-class.ts';
import { SEA } from './fault-status.ts';

const abort = (ec: number, FnV: boolean): bigint =>
  ESR.encode({ EC: BigInt(ec), IL: true, ISS: ISS_DATA_ABORT.encode({ FnV, DFSC: SEA }) });
const aborts = (FnV: boolean) => ({ user: abort(EC.DABT_LOW, FnV), kernel: abort(EC.DABT_CUR, FnV) }) as const;

/** ESR_EL1 of the data abort that KVM injects when its VMM asks for one, by what the guest ran: EL0 or EL1. */
export const KVM_ABORT = aborts(false);
/** ESR_EL1 of the one that QEMU makes of a SIGBUS: FAR is not valid. */
export const QEMU_ABORT = aborts(true);

/** Whether an ESR_EL1 is one that QEMU makes of a SIGBUS. */
export function isQemuAbort(esr: bigint): boolean {
  return esr === QEMU_ABORT.user || esr === QEMU_ABORT.kernel;
}
