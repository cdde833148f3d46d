import { z } from 'zod';
import { qemuEvents, vmmEvents } from '@syndrome/decode/text/event-reader.ts';
import { UART_SERIAL, words } from '../machine/command-line.ts';
import { packVmm } from '../machine/images.ts';
import { GUEST_FILES, hostDevice, type Vmm, type VmmGuest } from './vmm.ts';

const settings = z.strictObject({
  sea: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe('take KVM_EXIT_ARM_SEA where the host kernel has it, demand it, or leave the capability off'),
  quarantine: z.enum(['now', 'on-request', 'off']).default('now').describe('what happens to a poisoned page'),
  maxErrors: z.int().min(1).max(1000).default(4),
});

type Settings = z.infer<typeof settings>;

/**
 * Its exit codes (packages/vmm/src/exit-codes.ts) for the ends it has by design, by the reason of `stopped`: any other end is
 * a failure of its own, or a signal.
 */
export const DESIGNED_ENDS: ReadonlyMap<unknown, number> = new Map([
  ['shutdown', 0],
  ['control', 0],
  ['reset', 3],
  ['threshold', 4],
]);

const channels = ['events', 'control', 'console', 'agent', 'stderr'] as const;
const port = 'virtconsole';
const device = (channel: (typeof channels)[number]): string => hostDevice({ channels, port }, channel);

/** The reference VMM (packages/vmm) with KVM, for an arm64 guest. It tells by its events what became of an error. */
export const reference = {
  name: 'reference',
  settings,
  channels,
  port,
  control: 'requests',
  prints: [
    { channel: 'stderr', reader: () => qemuEvents() },
    { channel: 'events', reader: () => vmmEvents() },
  ],
  announcedExit: said => (said.name === 'vmm.stopped' ? DESIGNED_ENDS.get(said.fields.reason) : undefined),
  tookError: ['vmm.quarantined', 'vmm.sigbus'],
  takes: [],

  async gather(_choices, supply) {
    const node = await supply.node('arm64');
    return { ...packVmm(node), parts: { vmm: `packages/vmm on Node ${node.version}` } };
  },

  command(program, guest, { sea, quarantine, maxErrors }, append = '') {
    return [
      ...program,
      '--kernel',
      GUEST_FILES.kernel,
      '--initrd',
      GUEST_FILES.initrd,
      '--memory',
      `${guest.memory}M`,
      '--vcpus',
      String(guest.cpus),
      '--console',
      device('console'),
      '--agent',
      device('agent'),
      '--events',
      device('events'),
      '--control',
      device('control'),
      '--sea',
      sea,
      '--quarantine',
      quarantine,
      '--max-errors',
      String(maxErrors),
      // A table of 4 KiB pages behind each 2 MiB of the guest: what the lab breaks to make the guest consume an error.
      '--huge-pages',
      'off',
      '--append',
      words(UART_SERIAL, guest.append, append),
    ];
  },
} satisfies Vmm<VmmGuest, Settings>;
