import { join } from 'node:path';

/**
 * The lines between the lab and a machine. `qmp`, `console` and `agent` are those of the VM under test; a nested machine
 * has its host layer's besides, and the VMM's own output. `uplink` is a line of whoever asked for it, between a program of theirs
 * in the host layer and them.
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
  | 'stderr'
  | 'uplink';

/** The channels of a machine without a host layer. */
export const FLAT_CHANNELS: readonly Channel[] = ['qmp', 'console', 'agent'];
/** The channels of a host layer, before those of the VMM in it. */
export const HOST_CHANNELS: readonly Channel[] = ['outer', 'hostConsole', 'hostAgent'];

/**
 * How the bytes of a channel go. A monitor is a unix socket: QEMU keeps what its peer has not read yet. A serial line is a
 * file that QEMU writes, with a FIFO for what the lab says where it says anything. QEMU never waits for who reads a file; a
 * socket takes 278 bytes of a UART and then none until it is read, a pipe 65,536. A console does not wait that long: the
 * driver of an 8250 writes on after 10 ms, and QEMU's virtconsole drops what its peer does not take.
 */
const WAYS: Readonly<Record<Channel, 'socket' | 'out' | 'both'>> = {
  outer: 'socket',
  hostConsole: 'out',
  hostAgent: 'both',
  qmp: 'socket',
  events: 'out',
  control: 'both',
  console: 'out',
  agent: 'both',
  stderr: 'out',
  // A stream of its own, both ways, that somebody else listens to.
  uplink: 'socket',
};

/** The files by which QEMU and the lab meet on a serial line: NAME.out and NAME.in. */
export interface SerialFiles {
  /** What the machine says. */
  output: string;
  /** A FIFO with what the lab says. */
  input?: string;
}

/** Where QEMU and the lab meet on a channel: a unix socket on which the lab listens, or files. */
export type ChannelEnd = { socket: string } | SerialFiles;

/**
 * The end of a channel in a folder; by its name alone without one.
 * @example channelEnd('agent', '/run') // { output: '/run/agent.out', input: '/run/agent.in' }
 */
export function channelEnd(channel: Channel, folder = ''): ChannelEnd {
  const way = WAYS[channel];
  const path = (kind: string): string => join(folder, `${channel}.${kind}`);
  if (way === 'socket') return { socket: path('sock') };
  return { output: path('out'), ...(way === 'both' ? { input: path('in') } : {}) };
}

/** The ends of all channels of a machine. */
export type MachineEnds = Partial<Record<Channel, ChannelEnd>> & {
  /** A socket on which QEMU listens: a debugger that connects stops the machine. */
  gdb?: string;
  /** The file of its memory, where the lab has that too. */
  memory?: string;
  /** The file of its store of error records. */
  records?: string;
};
