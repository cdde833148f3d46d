import type { MachineSpec } from '../scenario/schema.ts';

/**
 * The lines between the lab and a machine, each a unix socket on which the lab listens. `qmp`, `console` and `agent`
 * are those of the VM under test; a nested machine has its host layer's besides, and the VMM's own output.
 */
export type Channel =
  | 'outer'
  | 'hostConsole'
  | 'hostAgent'
  | 'qmp'
  | 'events'
  | 'control'
  | 'console'
  | 'agent'
  | 'stderr';

const FLAT: readonly Channel[] = ['qmp', 'console', 'agent'];

/** The channels of each kind of machine. */
export const CHANNELS: Record<MachineSpec['kind'], readonly Channel[]> = {
  'linux-guest': FLAT,
  'xen-dom0': FLAT,
  'amd-host': ['outer', 'hostConsole', 'hostAgent', 'qmp', 'console', 'agent', 'stderr'],
  'arm64-host': ['outer', 'hostConsole', 'hostAgent', 'events', 'control', 'console', 'agent', 'stderr'],
};

/** The path of the socket of each channel. */
export type MachineSockets = Partial<Record<Channel, string>> & {
  /** QEMU listens on this one: a debugger that connects stops the machine. */
  gdb?: string;
};

/** Inside the host layer these channels are virtio ports, in this order. */
export function virtioChannels(kind: MachineSpec['kind']): Channel[] {
  const own: readonly Channel[] = ['outer', 'hostConsole', 'hostAgent'];
  return CHANNELS[kind].includes('outer') ? CHANNELS[kind].filter(channel => !own.includes(channel)) : [];
}

/**
 * What the channels are in the host layer: plain ports for a QEMU (its `pipe` character devices), terminals for the
 * reference VMM, which reads them without a thread for each.
 */
export function portDevice(kind: MachineSpec['kind']): 'virtserialport' | 'virtconsole' {
  return kind === 'arm64-host' ? 'virtconsole' : 'virtserialport';
}

/** The device in the host layer at the other end of a channel. */
export function hostDevice(kind: MachineSpec['kind'], channel: Channel): string {
  const index = virtioChannels(kind).indexOf(channel);
  return portDevice(kind) === 'virtconsole' ? `/dev/hvc${index}` : `/dev/vport0p${index + 1}`;
}
