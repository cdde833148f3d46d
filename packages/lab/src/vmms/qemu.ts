import { UART_SERIAL, words } from '../machine/command-line.ts';
import { packQemu } from '../machine/images.ts';
import { requireQemu } from '../qemu-needs.ts';
import { QEMU_BASE, qemuCommand } from './qemu-base.ts';
import type { Vmm, VmmGuest } from './vmm.ts';

type Guest = VmmGuest & { cpu: string };

/** The machine, with its memory in huge pages where it has them. */
function memoryOf({ memory, hugetlb }: Guest): string[] {
  if (hugetlb === undefined) return ['-machine', 'pc'];
  const backend = `memory-backend-memfd,id=ram,size=${memory}M,hugetlb=on,hugetlbsize=${hugetlb.toUpperCase()},prealloc=on`;
  return ['-machine', 'pc,memory-backend=ram', '-object', backend];
}

/** QEMU with KVM, for an x86-64 guest. */
export const qemu = {
  ...QEMU_BASE,
  name: 'qemu',
  takes: ['hostQemu', 'cpu'],

  async gather({ hostQemu }, supply, outer) {
    const part = hostQemu === undefined ? outer : await supply.qemu('x86_64', hostQemu);
    requireQemu(part);
    return { ...packQemu(part.argv), parts: { hostQemu: part.version } };
  },

  command(program, guest, _settings, append = '') {
    const commandLine = words(UART_SERIAL, guest.append, append);
    return qemuCommand(program, guest, { board: memoryOf(guest), devices: ['-device', 'pvpanic'], commandLine });
  },
} satisfies Vmm<Guest>;
