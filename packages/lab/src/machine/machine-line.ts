import type { Duplex } from 'node:stream';

/** The lab's side of a serial line of a machine. */
export interface MachineLine extends Duplex {
  /** QEMU has ended: what it has said is read, then the line ends. Safe to call at any time, also twice. */
  finish(): void;
}
