/**
 * @module Machine checks that no hardware found: the ones that QEMU builds itself, with the shape by which they are known
 * again, and the MCG_CAP of its virtual CPUs. Syndromes that a VMM builds: arm/vmm-made.ts. Sources: QEMU
 * target/i386/kvm/kvm.c kvm_mce_inject(), target/i386/helper.c cpu_x86_inject_mce(), target/i386/cpu.c mce_init().
 */
import { hasBits } from '../registers/asked.ts';
import type { Bits } from '../registers/asked.ts';
import type { MiscShape } from './deciding.ts';
import type { McaVendor } from './record.ts';
import { ADDRESS_MODE_PHYSICAL, MCG_CAP, MCG_STATUS, MCI_MISC, MCI_STATUS_INTEL } from './registers.ts';

/** Registers of a record that QEMU builds, and the vendor whose guests get it. */
interface QemuMade {
  readonly vendor: McaVendor;
  readonly status: bigint;
  readonly mcgStatus: bigint;
  readonly misc: bigint;
  readonly bank: number;
}

/** Lowest valid bit of the address of a page of 4 KiB. */
const PAGE_LSB = 12n;
/** MCi_MISC of one 4 KiB page, as QEMU gives it: 0x8c, a physical address with LSB 12. */
export const MISC_PAGE = MCI_MISC.encode({ MODE: ADDRESS_MODE_PHYSICAL, LSB: PAGE_LSB });

const { MCIP, EIPV, RIPV, LMCE } = MCG_STATUS.masks;

const sigbus = (vendor: McaVendor, status: bigint, mcgStatus: bigint): QemuMade => ({
  vendor,
  status,
  mcgStatus,
  misc: MISC_PAGE,
  bank: 9,
});

/** What kvm_mce_inject() makes of a SIGBUS: action required (a vCPU touched the page) or optional. AMD's: since 9.1. */
export const QEMU_SIGBUS = {
  'intel-required': sigbus('intel', 0xbd80_0000_0000_0134n, MCIP | EIPV | RIPV),
  'intel-optional': sigbus('intel', 0xbd00_0000_0000_00c0n, MCIP | RIPV),
  'amd-required': sigbus('amd', 0xbc00_0800_0000_0000n, MCIP | EIPV | RIPV),
  'amd-optional': sigbus('amd', 0x9c00_1800_0000_0000n, MCIP | RIPV),
} as const;

/** The bit that MCG_STATUS has in addition where the guest enabled local machine checks. */
export const QEMU_LOCAL = LMCE;

/** What cpu_x86_inject_mce() gives every CPU that a broadcast is not about: UC and no EN, so that it is skipped. */
export const QEMU_BROADCAST_FILLER = {
  bank: 1,
  status: MCI_STATUS_INTEL.encode({ VAL: true, UC: true }),
  mcgStatus: MCIP | RIPV,
} as const;

const plain = { CTL_P: true, COUNT: 10n } as const;
/** MCG_CAP that QEMU gives every x86 CPU model with MCE, and what KVM leaves of it on a host of AMD's: no SER_P. */
export const QEMU_MCG_CAP = {
  ser: MCG_CAP.encode({ ...plain, SER_P: true }),
  noSer: MCG_CAP.encode(plain),
} as const;

/** OVER is added by whoever finds the bank full; it does not change where a record came from. */
const { OVER } = MCI_STATUS_INTEL.masks;
const NOT_OVER = BigInt.asUintN(64, ~OVER);

/** The status as it was made, whatever the bank held. */
export function madeStatus(status: bigint): bigint {
  return status & NOT_OVER;
}

/** Whether the MCi_MISC is the one that QEMU gives every record it makes of a SIGBUS. */
export function isQemuMisc({ MODE, LSB, more }: MiscShape): boolean {
  return MODE === ADDRESS_MODE_PHYSICAL && LSB === PAGE_LSB && !more;
}

/** Whether bank and MCi_MISC are those of a record that QEMU makes of a SIGBUS. */
export function hasQemuPlace({ bank, misc }: { bank: number; misc?: MiscShape | undefined }): boolean {
  return bank === QEMU_SIGBUS['intel-required'].bank && misc !== undefined && isQemuMisc(misc);
}

/** Whether it is the {@link QEMU_BROADCAST_FILLER}. */
export function isBroadcastFiller({ status, bank }: { status: Bits; bank?: number }): boolean {
  return bank === QEMU_BROADCAST_FILLER.bank && hasBits(status, NOT_OVER, QEMU_BROADCAST_FILLER.status);
}
