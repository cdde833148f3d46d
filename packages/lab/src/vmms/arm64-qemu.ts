import { z } from 'zod';
import { firmwareWords, PL011_SERIAL, words } from '../machine/command-line.ts';
import { INNER_FIRMWARE, packQemu } from '../machine/images.ts';
import { requireQemu } from '../qemu-needs.ts';
import { QEMU_BASE, qemuCommand } from './qemu-base.ts';
import type { Vmm, VmmGuest } from './vmm.ts';

const settings = z.strictObject({
  ras: z.boolean().default(true).describe('firmware-first RAS for the guest, by which QEMU tells it of errors'),
});

type Settings = z.infer<typeof settings>;

/** QEMU with KVM, for an arm64 guest that boots through UEFI. It runs in the host layer alone: a QEMU for arm64 machines. */
export const arm64Qemu = {
  ...QEMU_BASE,
  name: 'arm64-qemu',
  settings,
  takes: ['hostQemu', 'firmware'],

  async gather({ hostQemu, firmware }, supply) {
    const part = await supply.hostQemu('aarch64', hostQemu);
    requireQemu(part);
    const { files, argv } = packQemu(part.argv);
    const { code } = await supply.firmware(firmware);
    return {
      files: [...files, { file: code, path: INNER_FIRMWARE.slice(1) }],
      argv,
      parts: { hostQemu: part.version },
    };
  },

  command(program, guest, { ras }, append = '') {
    const machine = `virt,gic-version=3,its=off,acpi=on,ras=${ras ? 'on' : 'off'}`;
    return qemuCommand(program, guest, {
      board: ['-machine', machine, '-bios', INNER_FIRMWARE],
      devices: [],
      commandLine: words(PL011_SERIAL, firmwareWords({ firmware: true }), guest.append, append),
    });
  },
} satisfies Vmm<VmmGuest & { cpu: string }, Settings>;
