/** What a QEMU inside a host layer has in common, of whatever architecture. */
import { qemuEvents } from '@syndrome/decode/text/event-reader.ts';
import { bootLinux } from '../machine/command-line.ts';
import { GUEST_FILES, hostDevice, type Vmm, type VmmGuest } from './vmm.ts';

const channels = ['qmp', 'console', 'agent', 'stderr'] as const;
const port = 'virtserialport';
const pipe = (channel: (typeof channels)[number]): string => `pipe:${hostDevice({ channels, port }, channel)}`;

/** Its lines, and how it ends. Its character devices of the kind `pipe` take the ports as they are. */
export const QEMU_BASE = {
  channels,
  port,
  control: 'qmp',
  prints: [{ channel: 'stderr', reader: () => qemuEvents() }],
  announcedExit: said => (said.name === 'vmm.shutdown' ? 0 : undefined),
} satisfies Partial<Vmm>;

/** Its command line, but for what makes the board. */
export function qemuCommand(
  program: readonly string[],
  guest: VmmGuest & { cpu: string },
  { board, devices, commandLine }: { board: readonly string[]; devices: readonly string[]; commandLine: string },
): string[] {
  return [
    ...program,
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-accel',
    'kvm',
    ...board,
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
    ...devices,
    '-action',
    'panic=none',
    '-no-reboot',
    ...bootLinux(GUEST_FILES, commandLine),
  ];
}
