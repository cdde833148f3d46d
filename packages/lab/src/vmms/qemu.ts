import { qemuEvents } from '@syndrome/decode/text/event-reader.ts';
import { bootLinux, UART_SERIAL, words } from '../machine/command-line.ts';
import { packQemu } from '../machine/images.ts';
import { requireQemu } from '../qemu-needs.ts';
import { GUEST_FILES, hostDevice, type Vmm, type VmmGuest } from './vmm.ts';

type Guest = VmmGuest & { cpu: string };

const channels = ['qmp', 'console', 'agent', 'stderr'] as const;
const port = 'virtserialport';
const pipe = (channel: (typeof channels)[number]): string => `pipe:${hostDevice({ channels, port }, channel)}`;

/** The machine, with its memory in huge pages where it has them. */
function memoryOf({ memory, hugetlb }: Guest): string[] {
  if (hugetlb === undefined) return ['-machine', 'pc'];
  const backend = `memory-backend-memfd,id=ram,size=${memory}M,hugetlb=on,hugetlbsize=${hugetlb.toUpperCase()},prealloc=on`;
  return ['-machine', 'pc,memory-backend=ram', '-object', backend];
}

/** QEMU with KVM, for an x86-64 guest. Its character devices of the kind `pipe` take the ports as they are. */
export const qemu = {
  name: 'qemu',
  channels,
  port,
  control: 'qmp',
  prints: [{ channel: 'stderr', reader: () => qemuEvents() }],
  announcedExit: said => (said.name === 'vmm.shutdown' ? 0 : undefined),
  takes: ['hostQemu', 'cpu'],

  async gather({ hostQemu }, supply, outer) {
    const part = hostQemu === undefined ? outer : await supply.qemu('x86_64', hostQemu);
    requireQemu(part);
    return { ...packQemu(part.argv), parts: { hostQemu: part.version } };
  },

  command(program, guest, _settings, append = '') {
    return [
      ...program,
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-accel',
      'kvm',
      ...memoryOf(guest),
      '-cpu',
      guest.cpu,
      '-smp',
      String(guest.cpus),
      '-m',
      String(guest.memory),
      '-qmp',
      pipe('qmp'),
      '-serial',
      pipe('console'),
      '-serial',
      pipe('agent'),
      '-device',
      'pvpanic',
      '-action',
      'panic=none',
      '-no-reboot',
      ...bootLinux(GUEST_FILES, words(UART_SERIAL, guest.append, append)),
    ];
  },
} satisfies Vmm<Guest>;
