import type { El1Entry } from './exception.ts';
import { KVM, SIZE } from './ioctl.ts';
import { ioctl, ioctlRaw, mapAnonymous, viewOf } from './libc.ts';
import { REG } from './registers.ts';
import type { RegisterName } from './registers.ts';

/** Offset of `exception.ext_dabt_pending` in `struct kvm_vcpu_events` (asm/kvm.h, arm64). */
const EXT_DABT_PENDING = 2;
const SCRATCH_BYTES = 4096;

/** One vCPU: its file descriptor and its run area. Used by one thread. */
export class Vcpu {
  readonly index: number;
  readonly run: DataView;
  readonly #fd: number;
  /** Memory at a fixed address, for structs that hold the address of a value. */
  readonly #scratch = mapAnonymous(SCRATCH_BYTES);
  readonly #value: DataView;

  constructor(index: number, fd: number, run: { address: bigint; bytes: number }) {
    this.index = index;
    this.#fd = fd;
    this.run = dataView(viewOf(run.address, run.bytes));
    this.#value = dataView(viewOf(this.#scratch, SCRATCH_BYTES));
  }

  /** Runs the guest until it exits: 0, or minus errno (EINTR when a signal came). */
  enterGuest(): number {
    return ioctlRaw(this.#fd, KVM.RUN);
  }

  get(name: RegisterName): bigint {
    ioctl(`reading ${name}`, this.#fd, KVM.GET_ONE_REG, this.#oneReg(name));
    return this.#value.getBigUint64(0, true);
  }

  set(name: RegisterName, value: bigint): void {
    this.#value.setBigUint64(0, value, true);
    ioctl(`writing ${name}`, this.#fd, KVM.SET_ONE_REG, this.#oneReg(name));
  }

  /**
   * Signals that interrupt the guest: `mask` is the thread's mask while KVM_RUN is inside the guest, 8 bytes. What
   * arrives meanwhile stays pending, because the thread itself has it blocked (api.rst 4.21).
   */
  setSignalMask(mask: Uint8Array): void {
    const argument = new Uint8Array(SIZE.signalMask + 8);
    argument[0] = 8;
    argument.set(mask, SIZE.signalMask);
    ioctl('KVM_SET_SIGNAL_MASK', this.#fd, KVM.SET_SIGNAL_MASK, argument);
  }

  /** Makes the guest take an external data abort at the address of its last fault, when it runs next. */
  injectDataAbort(): void {
    const events = new Uint8Array(SIZE.vcpuEvents);
    events[EXT_DABT_PENDING] = 1;
    ioctl('KVM_SET_VCPU_EVENTS ext_dabt_pending', this.#fd, KVM.SET_VCPU_EVENTS, events);
  }

  /** Makes the guest go on with a handler at EL1, by setting the registers as the CPU would when it takes an exception. */
  enterEl1(entry: El1Entry): void {
    this.set('ELR_EL1', entry.elr);
    this.set('SPSR_EL1', entry.spsr);
    this.set('ESR_EL1', entry.esr);
    this.set('FAR_EL1', entry.far);
    this.set('PSTATE', entry.pstate);
    this.set('PC', entry.pc);
  }

  #oneReg(name: RegisterName): Uint8Array {
    return new Uint8Array(new BigUint64Array([REG[name], this.#scratch]).buffer);
  }
}

const dataView = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
