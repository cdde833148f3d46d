/**
 * The KVM interface of arm64 as data: request numbers, capabilities, device groups and struct offsets.
 * Source: Linux uapi `linux/kvm.h`, `asm/kvm.h` (arm64), `asm-generic/ioctl.h`, and Documentation/virt/kvm/api.rst.
 */
import { KVM_CAP_ARM_SEA_TO_USER } from '@syndrome/decode/arm/kvm-numbers.ts';

const KVMIO = 0xae;
const IOC_NONE = 0;
const IOC_WRITE = 1;
const IOC_READ = 2;

/** `_IOC(dir, type, nr, size)`: size 29:16, type 15:8, number 7:0, direction 31:30 (asm-generic/ioctl.h). */
function ioc(direction: number, nr: number, size: number): number {
  return ((direction << 30) | (size << 16) | (KVMIO << 8) | nr) >>> 0;
}
const io = (nr: number): number => ioc(IOC_NONE, nr, 0);
const iow = (nr: number, size: number): number => ioc(IOC_WRITE, nr, size);
const ior = (nr: number, size: number): number => ioc(IOC_READ, nr, size);

/** Sizes in bytes of the structs that requests point at. */
export const SIZE = {
  userspaceMemoryRegion: 32, // u32 slot, flags; u64 guest_phys_addr, memory_size, userspace_addr
  enableCap: 104, // u32 cap, flags; u64 args[4]; u8 pad[64]
  vcpuInit: 32, // u32 target, features[7]
  oneReg: 16, // u64 id, addr
  irqLevel: 8, // u32 irq, level
  createDevice: 12, // u32 type, fd, flags
  deviceAttr: 24, // u32 flags, group; u64 attr, addr
  vcpuEvents: 64, // exception: u8 serror_pending, serror_has_esr, ext_dabt_pending, pad[5]; u64 serror_esr; u32 [12]
  signalMask: 4, // u32 len, then the set itself
  coalescedZone: 16, // u64 addr; u32 size, pio
} as const;

export const KVM = {
  GET_API_VERSION: io(0x00),
  CREATE_VM: io(0x01),
  CHECK_EXTENSION: io(0x03),
  GET_VCPU_MMAP_SIZE: io(0x04),
  CREATE_VCPU: io(0x41),
  SET_USER_MEMORY_REGION: iow(0x46, SIZE.userspaceMemoryRegion),
  IRQ_LINE: iow(0x61, SIZE.irqLevel),
  REGISTER_COALESCED_MMIO: iow(0x67, SIZE.coalescedZone),
  RUN: io(0x80),
  SET_SIGNAL_MASK: iow(0x8b, SIZE.signalMask),
  SET_VCPU_EVENTS: iow(0xa0, SIZE.vcpuEvents),
  ENABLE_CAP: iow(0xa3, SIZE.enableCap),
  GET_ONE_REG: iow(0xab, SIZE.oneReg),
  SET_ONE_REG: iow(0xac, SIZE.oneReg),
  ARM_VCPU_INIT: iow(0xae, SIZE.vcpuInit),
  ARM_PREFERRED_TARGET: ior(0xaf, SIZE.vcpuInit),
  CREATE_DEVICE: ioc(IOC_READ | IOC_WRITE, 0xe0, SIZE.createDevice),
  SET_DEVICE_ATTR: iow(0xe1, SIZE.deviceAttr),
} as const;

export const KVM_API_VERSION = 12;

/** Capabilities this VMM asks about (`KVM_CAP_*`). */
export const CAP = {
  COALESCED_MMIO: 15,
  ARM_NISV_TO_USER: 177,
  ARM_SEA_TO_USER: KVM_CAP_ARM_SEA_TO_USER,
} as const;

/** In-kernel GICv3 (Documentation/virt/kvm/devices/arm-vgic-v3.rst). */
export const VGIC = {
  DEV_TYPE_V3: 7,
  GRP_ADDR: 0,
  GRP_NR_IRQS: 3,
  GRP_CTRL: 4,
  ADDR_TYPE_DIST: 2,
  ADDR_TYPE_REDIST: 3,
  CTRL_INIT: 0,
} as const;

/** `kvm_vcpu_init.features` bit numbers (asm/kvm.h). */
export const VCPU_FEATURE = { POWER_OFF: 0, PSCI_0_2: 2 } as const;

/** The `irq` word of KVM_IRQ_LINE for a shared peripheral interrupt: type 1 in 27:24, interrupt ID from 32 in 15:0. */
export const spiIrqWord = (spi: number): number => (1 << 24) | (32 + spi);

/** Byte offsets in `struct kvm_run`; the union of exit reasons begins at 32. */
export const RUN_OFFSET = { exitReason: 8, exit: 32 } as const;
