import type { Accel } from './machine/accel.ts';

/** What is chosen instead of the scenario's or the default parts: versions, or paths of files. Data only. */
export interface PartChoices {
  /** A version on offer, or the user's own program. */
  qemu?: string;
  /** Of the guest under test (in Xen: of dom0). */
  kernel?: string;
  hostKernel?: string;
  /** The QEMU in the host layer, by default the same as `qemu`. */
  hostQemu?: string;
  xen?: string;
  firmware?: string;
  /** -cpu model of the guest under test. */
  cpu?: string;
  accel?: 'auto' | Accel;
  /** Added to the guest kernel command line. */
  append?: string;
  /**
   * Of the random numbers that QEMU gives an emulated guest (RDRAND, RDSEED, RNDR, and the seed in a device tree, from which
   * an arm64 kernel without firmware takes its place in memory); without it they are others in every boot.
   * QEMU, system/qemu options, `-seed`.
   */
  seed?: number;
  /** The host layer is this very machine: real KVM, real poison. */
  hostLocal?: { consent: boolean };
}

/** Choices that only some machines have a use for. */
export type SpecialPart = 'firmware' | 'xen' | 'hostKernel' | 'hostQemu' | 'cpu';
