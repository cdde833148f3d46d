import type { MachineSpec } from '../scenario/schema.ts';

/**
 * The lines between the lab and a machine, each a unix socket on which the lab listens. `qmp`, `console` and `agent`
 * are those of the VM under test; a nested machine has its host layer's besides, and the VMM's own output.
 */
export type Channel = 'outer' | 'hostConsole' | 'hostAgent' | 'qmp' | 'console' | 'agent' | 'stderr';

const FLAT: readonly Channel[] = ['qmp', 'console', 'agent'];

/** The channels of each kind of machine. */
export const CHANNELS: Record<MachineSpec['kind'], readonly Channel[]> = {
  'linux-guest': FLAT,
  'xen-dom0': FLAT,
  'amd-host': ['outer', 'hostConsole', 'hostAgent', 'qmp', 'console', 'agent', 'stderr'],
};

/** The path of the socket of each channel. */
export type MachineSockets = Partial<Record<Channel, string>>;

/** Inside the host layer these channels are virtio ports, in this order: /dev/vport0p1 and so on. */
export const VIRTIO_CHANNELS = ['qmp', 'console', 'agent', 'stderr'] as const;

/** The device in the host layer at the other end of a channel. */
export function hostDevice(channel: (typeof VIRTIO_CHANNELS)[number]): string {
  return `/dev/vport0p${VIRTIO_CHANNELS.indexOf(channel) + 1}`;
}
