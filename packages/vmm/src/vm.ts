import { closeSync, openSync } from 'node:fs';
import { VmmError } from './errors.ts';
import { CAP, KVM, KVM_API_VERSION, SIZE, VCPU_FEATURE, VGIC } from './ioctl.ts';
import { GIC_INTERRUPTS, MAP } from './layout.ts';
import { ioctl, ioctlRaw, mapShared } from './libc.ts';
import type { SeaChoice } from './options.ts';
import type { Slot } from './quarantine.ts';

/** The first Linux with a capability that is opted in to (Documentation/virt/kvm/api.rst, and its history). */
const SINCE = { ARM_SEA_TO_USER: '6.19', ARM_NISV_TO_USER: '5.5' } as const;

/** A virtual machine of KVM: its file descriptor and what is set up through it. Main thread only. */
export class Vm {
  readonly fd: number;
  readonly api: number;
  /** What KVM_CHECK_EXTENSION says about KVM_CAP_ARM_SEA_TO_USER. */
  readonly seaCapability: number;
  readonly #runBytes: number;

  /** Opens /dev/kvm and makes an empty machine. Throws E_VMM_KVM where that cannot be. */
  constructor() {
    const kvm = openKvm();
    this.api = ioctl('KVM_GET_API_VERSION', kvm, KVM.GET_API_VERSION);
    if (this.api !== KVM_API_VERSION)
      throw new VmmError('E_VMM_KVM', `KVM speaks API version ${this.api}, not ${KVM_API_VERSION}`);
    this.#runBytes = ioctl('KVM_GET_VCPU_MMAP_SIZE', kvm, KVM.GET_VCPU_MMAP_SIZE);
    // The machine type holds the width of guest physical addresses; 0 is 40 bits.
    this.fd = ioctl('KVM_CREATE_VM', kvm, KVM.CREATE_VM);
    closeSync(kvm);
    this.seaCapability = this.check(CAP.ARM_SEA_TO_USER);
  }

  check(capability: number): number {
    return Math.max(0, ioctlRaw(this.fd, KVM.CHECK_EXTENSION, capability));
  }

  /** Opts in to KVM_EXIT_ARM_SEA, as chosen; whether it is on then. Throws E_VMM_CAPABILITY where it must be and cannot. */
  optInToSea(choice: SeaChoice): boolean {
    if (choice === 'off' || (choice === 'auto' && this.seaCapability === 0)) return false;
    this.enable('ARM_SEA_TO_USER');
    return true;
  }

  /** Turns a capability of the machine on. Throws E_VMM_CAPABILITY. */
  enable(name: keyof typeof SINCE): void {
    const argument = new Uint8Array(SIZE.enableCap);
    new DataView(argument.buffer).setUint32(0, CAP[name], true);
    const result = ioctlRaw(this.fd, KVM.ENABLE_CAP, argument);
    if (result >= 0) return;
    throw new VmmError('E_VMM_CAPABILITY', `KVM_CAP_${name} cannot be enabled (errno ${-result})`, {
      hint: `The host kernel must know it: it came with Linux ${SINCE[name]}.`,
    });
  }

  /** Makes, replaces or (with size 0) deletes a memory slot. */
  setSlot(slot: Slot): void {
    const argument = new DataView(new ArrayBuffer(SIZE.userspaceMemoryRegion));
    argument.setUint32(0, slot.slot, true);
    argument.setBigUint64(8, slot.gpa, true);
    argument.setBigUint64(16, slot.size, true);
    argument.setBigUint64(24, slot.hva, true);
    const what = `memory slot ${slot.slot} at 0x${slot.gpa.toString(16)}`;
    ioctl(what, this.fd, KVM.SET_USER_MEMORY_REGION, new Uint8Array(argument.buffer));
  }

  /**
   * Lets KVM keep writes of the byte at `gpa` in a ring and go on with the guest, until its next exit for another reason
   * (api.rst 4.116). Offset of the ring in a vCPU's run area, in bytes; undefined where KVM has no such ring.
   */
  coalesceWrites(gpas: readonly bigint[]): number | undefined {
    const pages = this.check(CAP.COALESCED_MMIO);
    if (pages === 0) return undefined;
    for (const gpa of gpas) {
      const argument = new DataView(new ArrayBuffer(SIZE.coalescedZone));
      argument.setBigUint64(0, gpa, true);
      argument.setUint32(8, 1, true);
      const bytes = new Uint8Array(argument.buffer);
      ioctl('KVM_REGISTER_COALESCED_MMIO', this.fd, KVM.REGISTER_COALESCED_MMIO, bytes);
    }
    // The ring is the last page of the run area, and the capability its page number.
    return (this.#runBytes / (pages + 1)) * pages;
  }

  /** Makes one vCPU; all but the first wait for PSCI CPU_ON. */
  createVcpu(index: number): { fd: number; run: { address: bigint; bytes: number } } {
    const fd = ioctl('KVM_CREATE_VCPU', this.fd, KVM.CREATE_VCPU, index);
    const init = new Uint32Array(SIZE.vcpuInit / 4);
    const bytes = new Uint8Array(init.buffer);
    ioctl('KVM_ARM_PREFERRED_TARGET', this.fd, KVM.ARM_PREFERRED_TARGET, bytes);
    init[1] = (1 << VCPU_FEATURE.PSCI_0_2) | (index === 0 ? 0 : 1 << VCPU_FEATURE.POWER_OFF);
    ioctl('KVM_ARM_VCPU_INIT', fd, KVM.ARM_VCPU_INIT, bytes);
    return { fd, run: { address: mapShared(fd, this.#runBytes), bytes: this.#runBytes } };
  }

  /** Makes the in-kernel GICv3. All vCPUs must be there. */
  createGic(scratch: { address: bigint; view: DataView }): void {
    const create = new Uint32Array([VGIC.DEV_TYPE_V3, 0, 0]);
    ioctl('KVM_CREATE_DEVICE GICv3', this.fd, KVM.CREATE_DEVICE, new Uint8Array(create.buffer));
    const device = create[1] ?? 0;
    const set = (what: string, group: number, attribute: number, value: bigint): void => {
      scratch.view.setBigUint64(0, value, true);
      const argument = new DataView(new ArrayBuffer(SIZE.deviceAttr));
      argument.setUint32(4, group, true);
      argument.setBigUint64(8, BigInt(attribute), true);
      argument.setBigUint64(16, scratch.address, true);
      ioctl(what, device, KVM.SET_DEVICE_ATTR, new Uint8Array(argument.buffer));
    };
    set('address of the GIC distributor', VGIC.GRP_ADDR, VGIC.ADDR_TYPE_DIST, MAP.gicDistributor.base);
    set('address of the GIC redistributors', VGIC.GRP_ADDR, VGIC.ADDR_TYPE_REDIST, MAP.gicRedistributor.base);
    set('number of GIC interrupts', VGIC.GRP_NR_IRQS, 0, BigInt(GIC_INTERRUPTS));
    set('initialisation of the GIC', VGIC.GRP_CTRL, VGIC.CTRL_INIT, 0n);
  }
}

function openKvm(): number {
  try {
    return openSync('/dev/kvm', 'r+');
  } catch (cause) {
    throw new VmmError('E_VMM_KVM', '/dev/kvm cannot be opened', {
      hint: 'The host needs EL2 (QEMU: -M virt,virtualization=on), a kernel with KVM, and rights on /dev/kvm.',
      cause,
    });
  }
}
