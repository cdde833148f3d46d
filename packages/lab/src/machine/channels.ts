/**
 * The lines between the lab and a machine, each a unix socket on which the lab listens. `qmp`, `console` and `agent`
 * are those of the VM under test; a nested machine has its host layer's besides, and the VMM's own output. `uplink` is a line of
 * whoever asked for it, between a program of theirs in the host layer and them.
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

/** The path of the socket of each channel. */
export type MachineSockets = Partial<Record<Channel, string>> & {
  /** QEMU listens on this one: a debugger that connects stops the machine. */
  gdb?: string;
};
