/** The parts that machine tests of every room run on: the same packages as for a user, from the same cache. */
import type { DebianArch } from '../apt.ts';
import type { QemuTarget } from '../qemu.ts';
import { Supply } from '../supply.ts';
import type { Toolchain } from '../toolchain.ts';

let supply: Promise<Supply> | undefined;

/** One supply for a test process, on the user's cache. */
function testSupply(): Promise<Supply> {
  supply ??= Supply.open();
  return supply;
}

/** Program and first arguments that start QEMU for a target. */
export async function testQemu(target: QemuTarget): Promise<string[]> {
  return (await (await testSupply()).qemu(target)).argv;
}

/** The newest cloud kernel. */
export async function testKernel(arch: DebianArch): Promise<string> {
  return (await (await testSupply()).kernel({ arch, version: 'newest' })).image;
}

export async function testToolchain(arch: DebianArch): Promise<Toolchain> {
  return (await testSupply()).toolchain(arch);
}

/** UEFI code for arm64. */
export async function testFirmware(): Promise<string> {
  return (await (await testSupply()).firmware()).code;
}
